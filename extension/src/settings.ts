/** Which settings go to the backend, and back? Those of its own table that the person has set, by their names here. */
import * as vscode from "vscode";

/** Settings that only this host needs; `py/voicepilot/bundle/extension_settings.py` adds the others. */
const OURS = new Set(["voicepilot.python", "voicepilot.callPage"]);

/** What we read of our own `package.json`. */
export interface Manifest {
  readonly version: string;
  readonly contributes: { readonly configuration: readonly { readonly properties: object }[] };
}

export function settingsOfPerson(manifest: Manifest): Record<string, unknown> {
  const names = manifest.contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
  const configuration = vscode.workspace.getConfiguration();
  const found: Record<string, unknown> = {};
  for (const name of names) {
    if (OURS.has(name)) continue;
    const { globalValue, workspaceValue, workspaceFolderValue } = configuration.inspect(name) ?? {};
    if (globalValue !== undefined || workspaceValue !== undefined || workspaceFolderValue !== undefined) {
      found[name] = configuration.get(name);
    }
  }
  return found;
}

/** Keeps settings that the person has changed elsewhere, where they stand already, else among the person's own. */
export async function keepSettings(settings: Readonly<Record<string, unknown>>): Promise<void> {
  const configuration = vscode.workspace.getConfiguration();
  for (const [name, value] of Object.entries(settings)) {
    const ofWorkspace = configuration.inspect(name)?.workspaceValue !== undefined;
    const target = ofWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
    await configuration.update(name, value, target);
  }
}
