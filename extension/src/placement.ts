/**
 * Where does the call page open when the panel may not use the microphone? In VS Code's integrated browser where there
 * is one and this window is not remote (there, its loopback would be the remote computer's), else in the system's.
 */
import * as vscode from "vscode";

const INTEGRATED = "workbench.action.browser.open";

export type Place = "auto" | "panel" | "integrated-browser" | "browser";

/** The place that the person has chosen. */
export function chosenPlace(): Place {
  return vscode.workspace.getConfiguration("voicepilot").get<Place>("callPage", "auto");
}

/** Lets the person choose among the places that there are; `panel` false: its page may not use the microphone. */
export async function choosePlace(panel: boolean | undefined): Promise<void> {
  const { l10n } = vscode;
  const now = chosenPlace();
  const places: { place: Place; label: string; detail: string }[] = [
    { place: "auto", label: l10n.t("Automatically"), detail: l10n.t("In the first of these places where the microphone is allowed.") },
    ...panel === false ? [] : [
      { place: "panel" as const, label: l10n.t("In the panel"), detail: l10n.t("Where VS Code lets panels use the microphone.") }],
    ...await integratedBrowserExists() ? [
      { place: "integrated-browser" as const, label: l10n.t("In VS Code's browser"), detail: l10n.t("A tab beside your code; the panel follows the call.") }] : [],
    { place: "browser", label: l10n.t("In the system's browser"), detail: l10n.t("A tab there; the panel follows the call.") },
  ];
  const items = places.map((each) => each.place === now ? { ...each, description: l10n.t("chosen") } : each);
  const picked = await vscode.window.showQuickPick(items, { title: "VoicePilot", placeHolder: l10n.t("Where do you want to talk?") });
  if (!picked) return;
  await vscode.workspace.getConfiguration("voicepilot").update("callPage", picked.place, vscode.ConfigurationTarget.Global);
}

/** Opens the call page at `address`; false where that was refused. */
export async function openCallPage(address: string): Promise<boolean> {
  const place = chosenPlace();
  const local = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  const wanted = place === "integrated-browser" || place !== "browser" && local;
  if (wanted && await integratedBrowserExists()) {
    try {
      await vscode.commands.executeCommand(INTEGRATED, { url: address, openToSide: true });
      return true;
    } catch {
      // No documented interface: where it takes something else by now, there is still the system's browser.
    }
  }
  return vscode.env.openExternal(vscode.Uri.parse(address, true));
}

async function integratedBrowserExists(): Promise<boolean> {
  return (await vscode.commands.getCommands(true)).includes(INTEGRATED);
}
