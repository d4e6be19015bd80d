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

/** Opens the call page at `address`; false where that was refused. */
export async function openCallPage(address: string): Promise<boolean> {
  const place = chosenPlace();
  if (place !== "browser" && await hasIntegratedBrowser(place)) {
    await vscode.commands.executeCommand(INTEGRATED, { url: address, openToSide: true });
    return true;
  }
  return vscode.env.openExternal(vscode.Uri.parse(address, true));
}

async function hasIntegratedBrowser(place: Place): Promise<boolean> {
  const local = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
  if (!local && place !== "integrated-browser") return false;
  return (await vscode.commands.getCommands(true)).includes(INTEGRATED);
}
