/**
 * Which Python can make VoicePilot's private environment? One that is new enough and can make environments; `uv`,
 * where it is installed, does it faster and finds Pythons by itself. Nothing is ever installed into what is found.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const LIMIT_MS = 15_000;
const PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))";

/** What makes environments. */
export type Maker =
  | { readonly kind: "uv"; readonly command: string }
  | { readonly kind: "python"; readonly command: string; readonly arguments: readonly string[] };

/** Returns the first that works, or undefined where this computer has none. */
export async function findMaker(log: (line: string) => void): Promise<Maker | undefined> {
  if (await answers("uv", ["--version"], log)) return { kind: "uv", command: "uv" };
  for (const [command, ...prefix] of candidates()) {
    if (await answers(command, [...prefix, "-I", "-c", PROBE], log)) {
      return { kind: "python", command, arguments: prefix };
    }
  }
  return undefined;
}

/** Says of an interpreter that a person has set whether VoicePilot `version` can run there; "" for yes. */
export async function unfitness(python: string, version: string, modules: readonly string[]): Promise<string> {
  const question = `import importlib.util as u, voicepilot as v
missing = [name for name in ${JSON.stringify(modules)} if not u.find_spec(name)]
print("" if v.__version__ == ${JSON.stringify(version)} and not missing else f"{v.__version__} {' '.join(missing)}")`;
  try {
    const { stdout } = await run(python, ["-I", "-c", question], { timeout: LIMIT_MS, windowsHide: true });
    return stdout.trim();
  } catch (error) {
    return lastLine(error);
  }
}

function candidates(): readonly (readonly [string, ...string[]])[] {
  const minors = [14, 13, 12, 11];
  if (process.platform === "win32") {
    return [...minors.map((minor) => ["py", `-3.${minor}`] as const), ["python3"], ["python"]];
  }
  const named = ["python3", ...minors.map((minor) => `python3.${minor}`)];
  // A VS Code that was started from the Dock does not have the shell's path.
  const folders = process.platform === "darwin" ? ["/opt/homebrew/bin/", "/usr/local/bin/"] : [];
  return [...named, ...folders.flatMap((folder) => named.map((name) => folder + name))].map((name) => [name] as const);
}

async function answers(command: string, parameters: readonly string[], log: (line: string) => void): Promise<boolean> {
  try {
    const { stdout } = await run(command, parameters, { timeout: LIMIT_MS, windowsHide: true });
    log(`${command}: ${stdout.trim()}`);
    return true;
  } catch (error) {
    log(`${command}: ${lastLine(error)}`);
    return false;
  }
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split("\n").at(-1) ?? "";
}
