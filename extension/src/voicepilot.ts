/** What the commands do: choose a service, start the backend, show the panel, speak. */
import * as vscode from "vscode";
import { Backend, type Life } from "./backend";
import { Cancelled, Interpreters, Needed } from "./interpreter";
import { Panel, PANEL } from "./panel";
import { chosenPlace, openCallPage } from "./placement";
import type { Control, Service, Status } from "./rpc";
import { type Manifest, settingsOfPerson } from "./settings";
import { StatusBar, underWay } from "./status";

const SERVICE = "service";
const PYTHON_PAGE = "https://www.python.org/downloads/";
/** Megabytes that the offline demo downloads and then takes, measured on Linux; other systems differ by some. */
const DEMO_DOWNLOAD = 240;
const DEMO_ON_DISK = 640;
const PANEL_WITHIN_MS = 60_000;

export class VoicePilot implements vscode.Disposable {
  private readonly log = vscode.window.createOutputChannel("VoicePilot", { log: true });
  private readonly status = new StatusBar();
  private readonly interpreters: Interpreters;
  private readonly backend: Backend;
  private readonly panel: Panel;
  private readonly subscriptions: vscode.Disposable[];
  private starting: Promise<void> | undefined;
  private now: Status = { state: "idle", muted: false, problem: "" };

  constructor(private readonly context: vscode.ExtensionContext) {
    this.interpreters = new Interpreters(context, this.log, this.manifest.version);
    this.backend = new Backend(this.log, context.extensionPath);
    this.panel = new Panel(this.backend, vscode.Uri.joinPath(context.extensionUri, "page"));
    this.subscriptions = [
      this.backend.onLife((life) => this.lived(life)),
      this.backend.onStatus((status) => this.heard(status)),
      this.panel.onElsewhere(() => void this.attempt(() => this.openCallPage())),
      ...this.commands(),
    ];
    this.setContext("chosen", this.service !== undefined);
    this.heard(this.now);
  }

  dispose(): void {
    for (const each of [...this.subscriptions, this.panel, this.backend, this.status, this.log]) each.dispose();
  }

  /** Ends the backend and waits for its end, as far as VS Code lets us. */
  async stop(): Promise<void> {
    await this.backend.stop();
  }

  private commands(): vscode.Disposable[] {
    const command = (name: string, work: () => Promise<unknown>): vscode.Disposable =>
      vscode.commands.registerCommand(`voicepilot.${name}`, () => this.attempt(work));
    return [
      command("talk", () => this.talk()),
      command("stop", () => this.control("stop")),
      command("toggle", () => underWay(this.now.state) ? this.control("stop") : this.talk()),
      command("mute", () => this.control("mute")),
      command("unmute", () => this.control("unmute")),
      command("interrupt", () => this.control("interrupt")),
      command("showPanel", () => this.show()),
      command("openCallPage", () => this.openCallPage()),
      command("tryDemo", async () => { await this.choose("demo"); await this.show(); }),
      command("setUpAzure", () => this.setUpAzure()),
      command("showLog", async () => this.log.show()),
      command("restartBackend", async () => { await this.backend.stop(); await this.start(); }),
    ];
  }

  // ---- what the commands do

  private async talk(): Promise<void> {
    const panel = await this.show();
    if (panel || chosenPlace() === "panel") await this.control("talk");
    else await this.openCallPage();
  }

  /** Shows the panel with a backend behind it; whether its page may use the microphone. */
  private async show(): Promise<boolean> {
    await this.start();
    const connected = this.panel.talks ?? new Promise<boolean>((done, fail) => {
      const found = this.panel.onConnected((talks) => {
        found.dispose();
        clearTimeout(limit);
        done(talks);
      });
      const limit = setTimeout(() => {
        found.dispose();
        fail(new Error(vscode.l10n.t("The panel did not open. Its developer tools may tell why.")));
      }, PANEL_WITHIN_MS);
    });
    await vscode.commands.executeCommand(`${PANEL}.focus`);
    return connected;
  }

  private async openCallPage(): Promise<void> {
    await this.start();
    const address = await this.backend.rpc?.address();
    if (address) await openCallPage(address);
  }

  private async control(action: Control): Promise<void> {
    await this.backend.rpc?.control(action);
  }

  private async setUpAzure(): Promise<void> {
    await vscode.commands.executeCommand("workbench.action.openSettings", "@ext:voicepilot.voicepilot endpoint deployment");
  }

  // ---- service and backend

  private get service(): Service | undefined {
    const endpoint = vscode.workspace.getConfiguration("voicepilot").get<string>("endpoint", "");
    return this.context.globalState.get<Service>(SERVICE) ?? (endpoint ? "azure" : undefined);
  }

  private async choose(service: Service): Promise<void> {
    if (service === "demo" && await this.interpreters.lacks("demo")) await this.confirmDemo();
    const changed = service !== this.service;
    await this.context.globalState.update(SERVICE, service);
    this.setContext("chosen", true);
    if (changed) await this.backend.stop();
    await this.start();
  }

  private async confirmDemo(): Promise<void> {
    const install = vscode.l10n.t("Download and Install");
    const answer = await vscode.window.showInformationMessage(
      vscode.l10n.t("The offline demo needs no account. It recognises and speaks on this computer."),
      { modal: true, detail: vscode.l10n.t(
        "For that it downloads about {0} MB once, which take {1} MB in a place of VoicePilot's own.",
        DEMO_DOWNLOAD, DEMO_ON_DISK) },
      install);
    if (answer !== install) throw new Cancelled();
  }

  private async askForService(): Promise<Service> {
    const items = [
      { service: "demo" as const, label: vscode.l10n.t("Try the offline demo"), detail: vscode.l10n.t("No account; everything happens on this computer.") },
      { service: "azure" as const, label: vscode.l10n.t("Connect your Azure resource"), detail: vscode.l10n.t("Your own realtime deployment.") },
    ];
    const picked = await vscode.window.showQuickPick(items, { title: "VoicePilot", placeHolder: vscode.l10n.t("With whom do you want to talk?") });
    if (!picked) throw new Cancelled();
    return picked.service;
  }

  /** Makes the backend run, however many ask for it. */
  private start(): Promise<void> {
    if (this.backend.life === "running") return Promise.resolve();
    this.starting ??= this.launch().finally(() => { this.starting = undefined; });
    return this.starting;
  }

  private async launch(): Promise<void> {
    const service = this.service ?? await this.askForService();
    if (service === "demo" && await this.interpreters.lacks("demo")) await this.confirmDemo();
    await this.context.globalState.update(SERVICE, service);
    this.setContext("chosen", true);
    const python = await this.interpreters.get("backend");
    const demo = service === "demo" ? await this.interpreters.get("demo") : "";
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
    await this.backend.start({
      python,
      start: {
        page: vscode.Uri.joinPath(this.context.extensionUri, "page").fsPath,
        folders: folders.map(({ uri }) => uri.fsPath),
        service,
        settings: settingsOfPerson(this.manifest),
        python: demo,
      },
    });
  }

  // ---- what is told

  private lived(life: Life): void {
    this.status.showLife(life);
    if (life !== "running") this.heard({ state: "idle", muted: false, problem: "" });
  }

  private heard(status: Status): void {
    this.now = status;
    this.status.showStatus(status);
    this.setContext("calling", underWay(status.state));
    this.setContext("muted", status.muted);
  }

  /** Does what a command asks for, and tells the person what to do when it fails. */
  private async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof Cancelled) return;
      const message = error instanceof Error ? error.message : String(error);
      this.log.error(message);
      const get = vscode.l10n.t("Get Python");
      const show = vscode.l10n.t("Show Log");
      const needed = error instanceof Needed;
      const answer = await vscode.window.showErrorMessage(message, ...(needed ? [get] : []), show);
      if (answer === show) this.log.show();
      if (answer === get) await vscode.env.openExternal(vscode.Uri.parse(PYTHON_PAGE));
    }
  }

  private setContext(name: string, value: boolean): void {
    void vscode.commands.executeCommand("setContext", `voicepilot.${name}`, value);
  }

  private get manifest(): Manifest {
    return this.context.extension.packageJSON as Manifest;
  }
}
