/** "Doctor": has the backend check everything that a call needs, and shows its report as a document. */
import * as vscode from "vscode";
import type { Backend } from "./backend";
import type { Examined, Rpc } from "./rpc";

const SCHEME = "voicepilot-report";
const REPORT = vscode.Uri.from({ scheme: SCHEME, path: "/VoicePilot Doctor.md" });

export class Doctor implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changedEmitter = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changedEmitter.event;
  private document = "";
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  constructor(private readonly backend: Backend, private readonly log: vscode.LogOutputChannel) {}

  provideTextDocumentContent(): string {
    return this.document;
  }

  /** Checks, telling each finding as it comes, and shows the report. */
  async examine(rpc: Rpc): Promise<Examined> {
    const examined = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t("VoicePilot: Doctor") },
      async (progress) => {
        const told = this.backend.onFinding(({ name, state, found }) => {
          progress.report({ message: `${name}: ${state}` });
          const line = `doctor: ${state} ${name}: ${found}`;
          if (state === "failed" || state === "warning") this.log.warn(line);
          else this.log.info(line);
        });
        try {
          return await rpc.examine();
        } finally {
          told.dispose();
        }
      });
    this.document = examined.document;
    this.changedEmitter.fire(REPORT);
    await vscode.commands.executeCommand("markdown.showPreview", REPORT);
    return examined;
  }

  dispose(): void {
    this.registration.dispose();
  }
}
