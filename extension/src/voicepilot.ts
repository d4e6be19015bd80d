/** What the commands do: choose a service, start the backend, show the panel, speak. */
import { isDeepStrictEqual } from "node:util";
import * as vscode from "vscode";
import { token } from "./account";
import { Backend, type Life } from "./backend";
import { Doctor } from "./doctor";
import { Cancelled, Interpreters, Needed } from "./interpreter";
import { Panel, PANEL } from "./panel";
import { chosenPlace, choosePlace, openCallPage } from "./placement";
import type { Control, Rpc, Service, Status, UseService } from "./rpc";
import { cookie, Keys } from "./secrets";
import { keepSettings, type Manifest, settingsOfPerson } from "./settings";
import { askForResource } from "./setup";
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
  private readonly doctor: Doctor;
  private readonly keys: Keys;
  private readonly subscriptions: vscode.Disposable[];
  private starting: Promise<void> | undefined;
  /** What the backend knows that it shall use. */
  private used: UseService | undefined;
  private using: Promise<void> = Promise.resolve();
  private now: Status = { state: "idle", muted: false, problem: "" };

  constructor(private readonly context: vscode.ExtensionContext) {
    this.interpreters = new Interpreters(context, this.log, this.manifest.version);
    this.keys = new Keys(context.secrets);
    this.backend = new Backend(this.log, context.extensionPath, {
      token,
      settingsChanged: (settings) => void this.attempt(() => this.keep(settings)),
      notice: (text) => void vscode.window.showInformationMessage(text),
    });
    this.doctor = new Doctor(this.backend, this.log);
    this.panel = new Panel(this.backend, vscode.Uri.joinPath(context.extensionUri, "page"));
    this.subscriptions = [
      this.backend.onLife((life) => this.lived(life)),
      this.backend.onStatus((status) => this.heard(status)),
      this.panel.onElsewhere(() => void this.attempt(() => this.openCallPage())),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("voicepilot")) void this.attempt(() => this.useWhatIsSet());
      }),
      context.secrets.onDidChange(() => void this.attempt(() => this.useWhatIsSet())),
      ...this.commands(),
    ];
    this.setContext("chosen", this.service !== undefined);
    this.heard(this.now);
  }

  dispose(): void {
    for (const each of [...this.subscriptions, this.doctor, this.panel, this.backend, this.status, this.log]) each.dispose();
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
      command("choosePlace", () => choosePlace(this.panel.talks)),
      command("tryDemo", async () => { await this.choose("demo"); await this.show(); }),
      command("setUpAzure", () => this.setUpAzure()),
      command("signIn", () => this.signIn()),
      command("setKey", () => this.setKey()),
      command("doctor", () => this.examine()),
      command("exportTranscript", () => this.exportTranscript()),
      command("showLog", async () => this.log.show()),
      command("restartBackend", async () => { await this.backend.stop(); await this.start(); }),
    ];
  }

  // ---- what the commands do

  private async talk(): Promise<void> {
    const panel = await this.show();
    const elsewhere = panel && (chosenPlace() === "browser" || chosenPlace() === "integrated-browser");
    // A call page that is open already takes the wish; the panel's own is one where it may use the microphone.
    if (elsewhere || !await this.backend.rpc?.control("talk")) await this.openCallPage();
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
    if (!address || await openCallPage(address)) return;
    const copy = vscode.l10n.t("Copy Address");
    const answer = await vscode.window.showWarningMessage(
      vscode.l10n.t("The browser was not opened. The call page's address opens it in any browser of this computer, once."), copy);
    if (answer === copy) await vscode.env.clipboard.writeText(address);
  }

  private async control(action: Control): Promise<void> {
    await this.backend.rpc?.control(action);
  }

  private async setUpAzure(): Promise<void> {
    if (await askForResource(await this.running("azure")) && !await this.keys.get()) await this.keys.ask();
    await this.choose("azure");
    await this.examine();
  }

  private async signIn(): Promise<void> {
    if (this.service !== "azure") {
      await this.setUpAzure();
      return;
    }
    const who = await (await this.running("azure")).signIn();
    void vscode.window.showInformationMessage(vscode.l10n.t("VoicePilot is let in by {0}.", who));
  }

  private async setKey(): Promise<void> {
    if (!this.keys.endpoint) {
      await this.setUpAzure();
      return;
    }
    const kept = await this.keys.ask();
    if (kept === undefined) return;
    void vscode.window.showInformationMessage(kept
      ? vscode.l10n.t("The API key is kept among VS Code's secrets.")
      : vscode.l10n.t("No API key is kept any more."));
  }

  private async examine(): Promise<void> {
    const { good, verdict } = await this.doctor.examine(await this.running("azure"));
    if (good) this.setContext("connected", true);
    else void vscode.window.showWarningMessage(verdict);
  }

  private async exportTranscript(): Promise<void> {
    const content = await this.backend.rpc?.transcript();
    if (!content) {
      void vscode.window.showInformationMessage(vscode.l10n.t("Nothing has been said yet."));
      return;
    }
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: "markdown", content }));
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
    await this.useWhatIsSet();
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

  /** The connection with a backend that runs, with this service where none has been chosen yet. */
  private async running(service: Service): Promise<Rpc> {
    await this.start(service);
    if (!this.backend.rpc) throw new Cancelled();
    return this.backend.rpc;
  }

  /** Makes the backend run, however many ask for it. */
  private start(otherwise?: Service): Promise<void> {
    if (this.backend.life === "running") return Promise.resolve();
    this.starting ??= this.launch(otherwise).finally(() => { this.starting = undefined; });
    return this.starting;
  }

  private async launch(otherwise?: Service): Promise<void> {
    const service = this.service ?? otherwise ?? await this.askForService();
    if (service === "demo" && await this.interpreters.lacks("demo")) await this.confirmDemo();
    if (!otherwise) {
      await this.context.globalState.update(SERVICE, service);
      this.setContext("chosen", true);
    }
    const python = await this.interpreters.get("backend");
    const demo = service === "demo" ? await this.interpreters.get("demo") : "";
    const use = await this.wanted(service, demo);
    this.used = use;
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
    await this.backend.start({
      python,
      start: {
        page: vscode.Uri.joinPath(this.context.extensionUri, "page").fsPath,
        folders: folders.map(({ uri }) => uri.fsPath),
        cookie: await cookie(this.context.secrets),
        ...use,
      },
    });
  }

  private async wanted(service: Service, python: string): Promise<UseService> {
    return { service, settings: settingsOfPerson(this.manifest), python, key: await this.keys.get() };
  }

  /** Tells the backend of changed settings or keys, one change after the other, once no call is under way. */
  private useWhatIsSet(): Promise<void> {
    this.using = this.using.catch(() => undefined).then(async () => {
      const rpc = this.backend.rpc;
      if (!rpc || this.service !== "azure" || underWay(this.now.state)) return;
      const use = await this.wanted("azure", "");
      if (rpc !== this.backend.rpc || isDeepStrictEqual(use, this.used)) return;
      this.used = use;
      this.backend.remember(use);
      await rpc.use(use);
    });
    return this.using;
  }

  /** Keeps what the person has changed in the page, which the backend knows already. */
  private async keep(settings: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.used) {
      this.used = { ...this.used, settings: { ...this.used.settings, ...settings } };
      this.backend.remember(this.used);
    }
    await keepSettings(settings);
  }

  // ---- what is told

  private lived(life: Life): void {
    this.status.showLife(life);
    if (life !== "running") this.heard({ state: "idle", muted: false, problem: "" });
  }

  private heard(status: Status): void {
    const ended = underWay(this.now.state) && !underWay(status.state);
    this.now = status;
    if (ended) void this.attempt(() => this.useWhatIsSet());
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
