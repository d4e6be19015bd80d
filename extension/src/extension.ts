/** Activation: the parts are made, nothing is started before it is wanted. */
import * as vscode from "vscode";
import { VoicePilot } from "./voicepilot";

let voicePilot: VoicePilot | undefined;

export function activate(context: vscode.ExtensionContext): void {
  try {
    voicePilot = new VoicePilot(context);
    context.subscriptions.push(voicePilot);
  } catch (error) {
    // VS Code itself would only write it into a log.
    void vscode.window.showErrorMessage(vscode.l10n.t(
      "VoicePilot could not be activated: {0}. Reload the window; if it happens again, install VoicePilot anew.",
      error instanceof Error ? error.message : String(error)));
    throw error;
  }
}

export async function deactivate(): Promise<void> {
  await voicePilot?.stop();
}
