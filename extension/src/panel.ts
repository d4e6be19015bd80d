/**
 * The panel: the call page in a view of its own. Frames of its bridge pass through here unread.
 *
 * What the page and we say to each other is described in `py/voicepilot/page/lines.py`.
 */
import * as vscode from "vscode";
import type { Backend } from "./backend";
import { pageDocument } from "./page";

export const PANEL = "voicepilot.panel";

type Said =
  | { readonly kind: "connect"; readonly talks: boolean }
  | { readonly kind: "frame"; readonly text: string }
  | { readonly kind: "elsewhere" };

export class Panel implements vscode.WebviewViewProvider, vscode.Disposable {
  private readonly connectedEmitter = new vscode.EventEmitter<boolean>();
  private readonly elsewhereEmitter = new vscode.EventEmitter<void>();
  /** The page has connected; the value says whether it may use the microphone. */
  readonly onConnected = this.connectedEmitter.event;
  /** The page asks for itself in a place where it may use the microphone. */
  readonly onElsewhere = this.elsewhereEmitter.event;

  /** Whether the page that is open may use the microphone; undefined where none is open. */
  talks: boolean | undefined;
  private view: vscode.WebviewView | undefined;
  private page = 0;
  private connected = false;
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly backend: Backend, private readonly folder: vscode.Uri) {
    this.subscriptions = [
      vscode.window.registerWebviewViewProvider(PANEL, this, { webviewOptions: { retainContextWhenHidden: true } }),
      backend.onPageMessage(({ page, text }) => page === this.name && this.post({ kind: "frame", text })),
      backend.onPageClosed((page) => page === this.name && this.disconnected()),
      backend.onLife((life) => life === "running" ? this.connect() : this.disconnected()),
    ];
  }

  async resolveWebviewView(view: vscode.WebviewView): Promise<void> {
    this.view = view;
    view.webview.options = { enableScripts: true, localResourceRoots: [this.folder] };
    view.webview.onDidReceiveMessage((said: Said) => this.view === view && this.hear(said));
    view.onDidDispose(() => {
      if (this.view === view) this.leave();
    });
    view.webview.html = await pageDocument(view.webview, this.folder);
  }

  dispose(): void {
    this.leave();
    for (const each of this.subscriptions) each.dispose();
  }

  private get name(): string {
    return `panel-${this.page}`;
  }

  private hear(said: Said): void {
    switch (said.kind) {
      case "connect":
        // A page that connects begins anew: what was said to the one before it is not for this one.
        if (this.connected) this.backend.rpc?.pageClosed(this.name);
        this.page += 1;
        this.connected = false;
        this.talks = said.talks;
        this.connect();
        break;
      case "frame":
        if (this.connected) this.backend.rpc?.pageMessage(this.name, said.text);
        break;
      case "elsewhere":
        this.elsewhereEmitter.fire();
    }
  }

  private connect(): void {
    const rpc = this.backend.rpc;
    if (!rpc || this.connected || this.talks === undefined) return;
    this.connected = true;
    rpc.pageOpened(this.name, this.talks);
    this.post({ kind: "connected" });
    this.connectedEmitter.fire(this.talks);
  }

  private disconnected(): void {
    if (!this.connected) return;
    this.connected = false;
    this.post({ kind: "closed" });
  }

  private leave(): void {
    if (this.connected) this.backend.rpc?.pageClosed(this.name);
    this.connected = false;
    this.talks = undefined;
    this.view = undefined;
  }

  private post(message: object): void {
    void this.view?.webview.postMessage(message);
  }
}
