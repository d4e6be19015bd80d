/** "Set Up Azure": asks for the resource, its deployments and the way in, and writes them into the user's settings. */
import * as vscode from "vscode";
import { Cancelled } from "./interpreter";
import type { Rpc } from "./rpc";

type Name = "endpoint" | "deployment" | "transcriptionDeployment";

interface Question {
  readonly name: Name;
  readonly prompt: string;
  readonly example: string;
  readonly needed: boolean;
}

/** How many steps there are, with the one that follows the questions. */
const STEPS = 4;

/** Asks everything, then keeps it. Whether the person wants an API key. Rejects with `Cancelled`. */
export async function askForResource(rpc: Rpc): Promise<boolean> {
  const answers = new Map<Name, string>();
  for (const [index, question] of questions().entries()) {
    answers.set(question.name, await ask(rpc, question, index + 1));
  }
  const way = await chooseWay();
  const configuration = vscode.workspace.getConfiguration("voicepilot");
  for (const [name, value] of answers) {
    await configuration.update(name, value || undefined, vscode.ConfigurationTarget.Global);
  }
  await configuration.update("credential", way, vscode.ConfigurationTarget.Global);
  return way === "api-key";
}

function questions(): readonly Question[] {
  const { l10n } = vscode;
  return [
    {
      name: "endpoint",
      prompt: l10n.t("The endpoint of your Azure OpenAI or Foundry resource, as the portal shows it"),
      example: "https://NAME.openai.azure.com",
      needed: true,
    },
    {
      name: "deployment",
      prompt: l10n.t("The name of your deployment of a gpt-realtime model"),
      example: "gpt-realtime",
      needed: true,
    },
    {
      name: "transcriptionDeployment",
      prompt: l10n.t("The name of a transcription deployment; empty: what you say is not written down"),
      example: "gpt-4o-transcribe",
      needed: false,
    },
  ];
}

async function ask(rpc: Rpc, { name, prompt, example, needed }: Question, step: number): Promise<string> {
  const { l10n } = vscode;
  const check = async (text: string): Promise<string | undefined> => {
    if (!text.trim()) return needed ? l10n.t("This is needed for a call.") : undefined;
    return (await rpc.check(`voicepilot.${name}`, text.trim())).says || undefined;
  };
  const text = await vscode.window.showInputBox({
    title: l10n.t("VoicePilot: Set Up Azure ({0} of {1})", step, STEPS),
    prompt,
    placeHolder: example,
    value: vscode.workspace.getConfiguration("voicepilot").get<string>(name, ""),
    ignoreFocusOut: true,
    validateInput: check,
  });
  if (text === undefined) throw new Cancelled();
  return text.trim() && (await rpc.check(`voicepilot.${name}`, text.trim())).value;
}

async function chooseWay(): Promise<string> {
  const { l10n } = vscode;
  const ways = [
    { way: "host", label: l10n.t("Microsoft account"), detail: l10n.t("The account that you use in VS Code. It needs the role Cognitive Services OpenAI User.") },
    { way: "api-key", label: l10n.t("API key"), detail: l10n.t("Kept by VS Code among its secrets, not in the settings.") },
    { way: "default", label: l10n.t("Azure CLI and others"), detail: l10n.t("What is signed in already: az login, azd, a managed identity, the environment.") },
  ];
  const picked = await vscode.window.showQuickPick(ways, {
    title: l10n.t("VoicePilot: Set Up Azure ({0} of {1})", STEPS, STEPS),
    placeHolder: l10n.t("How do you sign in?"),
    ignoreFocusOut: true,
  });
  if (!picked) throw new Cancelled();
  return picked.way;
}
