/**
 * The backend's process: started when it is wanted, started again with growing pauses when it breaks down, ended
 * with VS Code. It ends by itself when its standard input closes, so also when VS Code is killed.
 */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import * as vscode from "vscode";
import { connect, type Finding, type Hearing, type HostStart, type Rpc, type Status, type UseService } from "./rpc";

/** What the backend wants of VS Code. */
export type Wishes = Pick<Hearing, "token" | "settingsChanged" | "notice">;

/** Seconds before each new start; after the last one a person must ask for it. */
const PAUSES = [0.5, 1, 2, 4, 8];
/** A backend that ran for so many seconds had been started well. */
const STEADY_S = 60;
const PATIENCE_MS = 3000;

export type Life = "stopped" | "starting" | "running" | "broken";

export interface Launch {
  /** The interpreter to run. */
  readonly python: string;
  readonly start: HostStart;
}

export class Backend implements vscode.Disposable {
  private readonly lifeEmitter = new vscode.EventEmitter<Life>();
  private readonly statusEmitter = new vscode.EventEmitter<Status>();
  private readonly messageEmitter = new vscode.EventEmitter<{ page: string; text: string }>();
  private readonly closedEmitter = new vscode.EventEmitter<string>();
  private readonly findingEmitter = new vscode.EventEmitter<Finding>();
  readonly onLife = this.lifeEmitter.event;
  readonly onStatus = this.statusEmitter.event;
  readonly onPageMessage = this.messageEmitter.event;
  readonly onPageClosed = this.closedEmitter.event;
  readonly onFinding = this.findingEmitter.event;

  life: Life = "stopped";
  /** The connection, while the backend runs. */
  rpc: Rpc | undefined;
  private launch: Launch | undefined;
  private child: ChildProcessWithoutNullStreams | undefined;
  private failures = 0;
  private pause: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: vscode.LogOutputChannel,
    private readonly folder: string,
    private readonly wishes: Wishes,
  ) {}

  /** Starts it, in the place of one that runs. Rejects when it does not start, with a sentence for a person. */
  async start(launch: Launch): Promise<void> {
    await this.stop();
    this.launch = launch;
    this.failures = 0;
    await this.run(launch);
  }

  /** Notes what it uses from now on, for when it must start again. */
  remember(service: UseService): void {
    if (this.launch) this.launch = { ...this.launch, start: { ...this.launch.start, ...service } };
  }

  /** Ends it and waits until it has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.pause);
    this.launch = undefined;
    const child = this.child;
    this.forget();
    this.say("stopped");
    if (child) await end(child);
  }

  dispose(): void {
    void this.stop();
  }

  private async run(launch: Launch): Promise<void> {
    this.say("starting");
    const child = spawn(launch.python, ["-I", "-X", "utf8", "-u", "-m", "voicepilot.cli", "serve", "--stdio"],
      { cwd: this.folder, windowsHide: true, stdio: "pipe" });
    this.child = child;
    const gone = new Promise<never>((_, reject) => {
      child.once("error", (error) => reject(new Error(vscode.l10n.t("{0} could not be started: {1}", launch.python, error.message))));
      child.once("exit", (code, signal) => reject(new Error(
        vscode.l10n.t("VoicePilot's backend ended by itself ({0}).", String(signal ?? code)))));
    });
    gone.catch((error: Error) => this.ended(child, error));
    createInterface(child.stderr).on("line", (line) => this.log.warn(line));
    child.stdin.on("error", () => undefined);   // its end is told by `exit`
    const since = Date.now();
    const rpc = connect(child, {
      ...this.wishes,
      finding: (finding) => this.findingEmitter.fire(finding),
      status: (status) => this.statusEmitter.fire(status),
      log: (level, text) => this.write(level, text),
      pageMessage: (page, text) => this.messageEmitter.fire({ page, text }),
      pageClosed: (page) => this.closedEmitter.fire(page),
    });
    child.once("exit", () => {
      rpc.dispose();
      if (Date.now() - since > STEADY_S * 1000) this.failures = 0;
    });
    let started;
    try {
      started = await Promise.race([rpc.start(launch.start), gone]);
    } catch (error) {
      if (this.child === child) {   // it runs, but has refused
        this.forget();
        this.say("broken");
        void end(child);
      }
      throw error;
    }
    if (this.child !== child) return;   // stopped meanwhile
    this.log.info(`The backend runs (process ${child.pid}, call page on port ${started.port}).`);
    this.rpc = rpc;
    this.say("running");
  }

  private ended(child: ChildProcessWithoutNullStreams, error: Error): void {
    if (this.child !== child) return;   // as we wished
    this.log.error(error.message);
    const launch = this.launch;
    const wasRunning = this.life === "running";
    this.forget();
    const seconds = PAUSES[this.failures];
    if (!launch || !wasRunning && this.failures === 0 || seconds === undefined) {
      this.say("broken");
      return;
    }
    this.failures += 1;
    this.say("starting");
    this.pause = setTimeout(() => {
      this.run(launch).catch((reason: Error) => this.log.error(reason.message));
    }, seconds * 1000);
  }

  private forget(): void {
    this.child = undefined;
    this.rpc = undefined;
  }

  private say(life: Life): void {
    if (life === this.life) return;
    this.life = life;
    this.lifeEmitter.fire(life);
  }

  private write(level: string, text: string): void {
    if (level === "error") this.log.error(text);
    else if (level === "warning") this.log.warn(text);
    else this.log.info(text);
  }
}

/** Asks the process to end by closing its input, and kills it if it does not. */
function end(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((done) => {
    const kill = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    child.once("exit", () => {
      clearTimeout(kill);
      done();
    });
    child.stdin.end();
  });
}
