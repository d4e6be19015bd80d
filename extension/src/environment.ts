/**
 * VoicePilot's private Python environments, in the extension's global storage.
 *
 * Each is named by the hash of what is in it: locked requirements and our wheel. It is made in its place, and counts
 * from the moment in which its marker is written, which is last; what was interrupted is made again from the start. A
 * lock file lets one window make it while the others wait; a window that has died holds no lock.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { createInterface } from "node:readline";
import type { Maker } from "./python";

const MARKER = "voicepilot.json";
const BEAT_MS = 2000;
/** A lock whose owner has not touched it for so long is nobody's. */
const DEAD_MS = 30_000;
/** Environments of other versions are kept for so long, for windows that still run them. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

export interface Recipe {
  readonly name: string;
  /** A requirements file with hashes. */
  readonly requirements: string;
  readonly wheel: string;
}

export interface Watcher {
  readonly signal: AbortSignal;
  progress(step: "waiting" | "making" | "installing"): void;
  log(line: string): void;
}

export class Environment {
  private constructor(private readonly recipe: Recipe, private readonly folder: string) {}

  static async of(recipe: Recipe, storage: string): Promise<Environment> {
    const hash = createHash("sha256");
    for (const file of [recipe.requirements, recipe.wheel]) hash.update(await fs.readFile(file));
    return new Environment(recipe, path.join(storage, `${recipe.name}-${hash.digest("hex").slice(0, 16)}`));
  }

  get python(): string {
    return path.join(this.folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  }

  async exists(): Promise<boolean> {
    return stands(path.join(this.folder, MARKER));
  }

  /** Makes it unless it is there. Rejects when that fails, and with an AbortError when it is cancelled. */
  async make(maker: Maker, watcher: Watcher): Promise<void> {
    await fs.mkdir(path.dirname(this.folder), { recursive: true });
    while (!await this.exists()) {
      const unlock = await lock(`${this.folder}.lock`);
      if (!unlock) {
        watcher.progress("waiting");
        await pause(500, watcher.signal);
        continue;
      }
      try {
        if (!await this.exists()) await this.build(maker, watcher);
      } finally {
        await unlock();
      }
    }
    const now = new Date();
    await fs.utimes(path.join(this.folder, MARKER), now, now);
    await this.removeOld();
  }

  private async build(maker: Maker, watcher: Watcher): Promise<void> {
    const { requirements, wheel } = this.recipe;
    watcher.progress("making");
    await fs.rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    const locked = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", requirements];
    if (maker.kind === "uv") {
      await call(maker.command, ["venv", "--no-project", "--python", ">=3.11", this.folder], watcher);
      watcher.progress("installing");
      const install = ["pip", "install", "--python", this.python];
      await call(maker.command, [...install, ...locked], watcher);
      await call(maker.command, [...install, "--no-deps", wheel], watcher);
    } else {
      await call(maker.command, [...maker.arguments, "-I", "-m", "venv", this.folder], watcher);
      watcher.progress("installing");
      const install = ["-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
      await call(this.python, [...install, ...locked], watcher);
      await call(this.python, [...install, "--no-deps", "--no-index", wheel], watcher);
    }
    await fs.writeFile(path.join(this.folder, MARKER), JSON.stringify({ made: new Date().toISOString() }));
  }

  private async removeOld(): Promise<void> {
    const storage = path.dirname(this.folder);
    for (const name of await fs.readdir(storage)) {
      const other = path.join(storage, name);
      if (other === this.folder || !name.startsWith(`${this.recipe.name}-`) || name.endsWith(".lock")) continue;
      const used = await fs.stat(path.join(other, MARKER)).catch(() => undefined);
      if (used && Date.now() - used.mtimeMs > KEPT_MS) await fs.rm(other, { recursive: true, force: true });
    }
  }
}

/** Takes the lock file; undefined where somebody else has it. */
async function lock(file: string): Promise<(() => Promise<void>) | undefined> {
  try {
    await fs.writeFile(file, String(process.pid), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (await isDead(file)) await fs.rm(file, { force: true });
    return undefined;
  }
  const beat = setInterval(() => void fs.utimes(file, new Date(), new Date()).catch(() => undefined), BEAT_MS);
  return async () => {
    clearInterval(beat);
    await fs.rm(file, { force: true });
  };
}

async function isDead(file: string): Promise<boolean> {
  try {
    const [{ mtimeMs }, owner] = await Promise.all([fs.stat(file), fs.readFile(file, "utf8")]);
    if (Date.now() - mtimeMs > DEAD_MS) return true;
    if (!owner) return false;   // it is being written
    process.kill(Number(owner), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function call(command: string, parameters: readonly string[], watcher: Watcher): Promise<void> {
  watcher.log(`> ${command} ${parameters.join(" ")}`);
  return new Promise((done, fail) => {
    const child = spawn(command, parameters, { signal: watcher.signal, windowsHide: true, stdio: ["ignore", "pipe", "pipe"] });
    let last = "";
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on("line", (line) => {
        watcher.log(line);
        last = line.trim() || last;
      });
    }
    child.once("error", fail);
    child.once("close", (code) => code === 0 ? done() : fail(new Error(last || `${command} failed (${code})`)));
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    signal.throwIfAborted();
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      done();
    }, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      fail(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

async function stands(file: string): Promise<boolean> {
  return fs.access(file).then(() => true, () => false);
}
