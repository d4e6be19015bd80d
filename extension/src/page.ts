/** The call page's document for one webview: the built form (`py/voicepilot/bundle/editor_page.py`), filled in. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

export async function pageDocument(webview: vscode.Webview, folder: vscode.Uri): Promise<string> {
  const form = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, "editor.html")));
  return form
    .replaceAll("{base}", webview.asWebviewUri(folder).toString())
    .replaceAll("{source}", webview.cspSource)
    .replaceAll("{nonce}", randomBytes(16).toString("base64"));
}
