/** What is kept in VS Code's SecretStorage and nowhere else: the API key of each resource, and the call page's cookie. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

const COOKIE = "cookie";

/** By what the backend lets browsers in. A call page stays open while windows are loaded anew and backends start again. */
export async function cookie(storage: vscode.SecretStorage): Promise<string> {
  const kept = await storage.get(COOKIE);
  if (kept) return kept;
  const made = randomBytes(32).toString("base64url");
  await storage.store(COOKIE, made);
  return made;
}

export class Keys {
  constructor(private readonly storage: vscode.SecretStorage) {}

  /** The key for the endpoint that is set; "" where none is kept. */
  async get(): Promise<string> {
    return await this.storage.get(this.name) ?? "";
  }

  /** Asks the person for the key. Undefined where they leave it, else whether one is kept now. */
  async ask(): Promise<boolean | undefined> {
    const { l10n } = vscode;
    const key = await vscode.window.showInputBox({
      title: l10n.t("VoicePilot: API Key"),
      prompt: l10n.t("The key of {0}. Leave it empty to forget the one that is kept.", this.endpoint),
      password: true,
      ignoreFocusOut: true,
    });
    if (key === undefined) return undefined;
    if (key.trim()) await this.storage.store(this.name, key.trim());
    else await this.storage.delete(this.name);
    return key.trim() !== "";
  }

  /** Where the key belongs to. One resource's key must never be shown to another. */
  get endpoint(): string {
    return vscode.workspace.getConfiguration("voicepilot").get<string>("endpoint", "");
  }

  private get name(): string {
    return `key:${this.endpoint}`;
  }
}
