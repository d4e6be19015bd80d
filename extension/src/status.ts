/** What the status bar says about the call, in words; the icon only repeats them. */
import * as vscode from "vscode";
import type { Life } from "./backend";
import type { Status } from "./rpc";

const QUIET = new Set(["idle", "ended", "failed"]);

/** Whether there is a call in this state. */
export function underWay(state: string): boolean {
  return !QUIET.has(state);
}

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("voicepilot.status", vscode.StatusBarAlignment.Right, 100);
  private status: Status = { state: "idle", muted: false, problem: "" };
  private life: Life = "stopped";

  constructor() {
    this.item.name = "VoicePilot";
    this.item.command = "voicepilot.toggle";
    this.draw();
    this.item.show();
  }

  showStatus(status: Status): void {
    this.status = status;
    this.draw();
  }

  showLife(life: Life): void {
    this.life = life;
    if (life !== "running") this.status = { state: "idle", muted: false, problem: "" };
    this.draw();
  }

  dispose(): void {
    this.item.dispose();
  }

  private draw(): void {
    const [icon, words, does] = this.appearance();
    this.item.text = `$(${icon}) ${words}`;
    this.item.tooltip = `VoicePilot: ${[words, this.status.problem, does].filter(Boolean).join("\n")}`;
    this.item.accessibilityInformation = { label: `VoicePilot: ${words}. ${does}`, role: "button" };
    const failed = this.life === "broken" || this.status.state === "failed";
    this.item.backgroundColor = failed ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  }

  private appearance(): readonly [icon: string, words: string, does: string] {
    const { l10n } = vscode;
    const talk = l10n.t("Press to talk.");
    const stop = l10n.t("Press to end the call.");
    if (this.life === "starting") return ["loading~spin", l10n.t("VoicePilot starts…"), ""];
    if (this.life === "broken") return ["warning", l10n.t("VoicePilot has stopped"), l10n.t("Press to start it again.")];
    const { state, muted } = this.status;
    if (muted && underWay(state)) return ["mute", l10n.t("Muted"), stop];
    switch (state) {
      case "connecting": return ["loading~spin", l10n.t("Connecting…"), stop];
      case "listening": return ["mic-filled", l10n.t("Listening"), stop];
      case "user-speaking": return ["mic-filled", l10n.t("You are speaking"), stop];
      case "thinking": return ["loading~spin", l10n.t("Thinking…"), stop];
      case "assistant-speaking": return ["unmute", l10n.t("Assistant speaking"), stop];
      case "reconnecting": return ["loading~spin", l10n.t("Reconnecting…"), stop];
      case "failed": return ["warning", l10n.t("Call failed"), talk];
      case "ended": return ["mic", l10n.t("Call ended"), talk];
      default: return ["mic", l10n.t("Talk"), talk];
    }
  }
}
