/**
 * The connection with the backend: JSON-RPC 2.0 over its standard streams, framed as the Language Server
 * Protocol frames it. The schema is `py/voicepilot/bridge/host_messages.py`.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";

export type Service = "demo" | "azure";
export type Control = "talk" | "stop" | "mute" | "unmute" | "interrupt";

export interface UseService {
  readonly service: Service;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The interpreter that has what the offline demo needs; "" where the backend's own has it. */
  readonly python: string;
  /** The API key that VS Code keeps for the endpoint; "" where it keeps none. */
  readonly key: string;
}

export interface HostStart extends UseService {
  readonly page: string;
  readonly folders: readonly string[];
  /** By what browsers were let in before; a call page that is open finds the next backend with it. */
  readonly cookie: string;
}

export interface Status {
  readonly state: string;
  readonly muted: boolean;
  readonly problem: string;
}

/** A token of the Microsoft account; `visible` where a person waits for it and may be asked to sign in. */
export interface TokenWish {
  readonly scopes: readonly string[];
  readonly tenant: string;
  readonly visible: boolean;
}

export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed" | "skipped";
  readonly found: string;
}

export interface Examined {
  readonly good: boolean;
  readonly verdict: string;
  /** The report, in Markdown. */
  readonly document: string;
}

/** What the backend asks for, and what it says without being asked. */
export interface Hearing {
  /** The token, "" where nobody is signed in; rejects where a person refused. */
  token(wish: TokenWish): Promise<string>;
  /** Settings that the person has changed in the page, by their names here. */
  settingsChanged(settings: Readonly<Record<string, unknown>>): void;
  notice(text: string): void;
  finding(finding: Finding): void;
  status(status: Status): void;
  log(level: string, text: string): void;
  pageMessage(page: string, text: string): void;
  pageClosed(page: string): void;
}

export interface Rpc {
  start(params: HostStart): Promise<{ service: Service; build: string; port: number }>;
  use(params: UseService): Promise<void>;
  /** The value as it is kept, or why it cannot be. */
  check(name: string, value: string): Promise<{ readonly value: string; readonly says: string }>;
  /** Signs in where that is needed; says who is let in then. */
  signIn(): Promise<string>;
  examine(): Promise<Examined>;
  /** What was said, in Markdown; "" where nothing was. */
  transcript(): Promise<string>;
  /** Whether a page took it: there may be none, or none that may use the microphone. */
  control(action: Control): Promise<boolean>;
  /** An address that opens the call page in one browser, once. */
  address(): Promise<string>;
  pageOpened(page: string, talks: boolean): void;
  pageMessage(page: string, text: string): void;
  pageClosed(page: string): void;
  dispose(): void;
}

export function connect(child: ChildProcessWithoutNullStreams, hearing: Hearing): Rpc {
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  connection.onNotification("status", (status: Status) => hearing.status(status));
  connection.onNotification("log", ({ level, text }: { level: string; text: string }) => hearing.log(level, text));
  connection.onNotification("page.message",
    ({ page, text }: { page: string; text: string }) => hearing.pageMessage(page, text));
  connection.onNotification("page.closed", ({ page }: { page: string }) => hearing.pageClosed(page));
  connection.onRequest("token.get", async (wish: TokenWish) => ({ token: await hearing.token(wish) }));
  connection.onNotification("settings.changed",
    ({ settings }: { settings: Record<string, unknown> }) => hearing.settingsChanged(settings));
  connection.onNotification("notice", ({ text }: { text: string }) => hearing.notice(text));
  connection.onNotification("doctor.finding", (finding: Finding) => hearing.finding(finding));
  connection.onError(([error]) => hearing.log("error", `The connection with the backend: ${error.message}`));
  connection.listen();
  // A backend that has just ended is told of by its process; what was on its way to it is lost with it.
  const tell = (method: string, params: object): void => {
    connection.sendNotification(method, params).catch(() => undefined);
  };
  return {
    start: (params) => connection.sendRequest("host.start", params),
    use: (params) => connection.sendRequest("service.use", params),
    check: (name, value) => connection.sendRequest("setting.check", { name, value }),
    signIn: async () => (await connection.sendRequest<{ who: string }>("account.signIn", {})).who,
    examine: () => connection.sendRequest("doctor.examine", {}),
    transcript: async () => (await connection.sendRequest<{ document: string }>("transcript.get", {})).document,
    control: async (action) =>
      (await connection.sendRequest<{ taken: boolean }>("call.control", { action })).taken,
    address: async () => (await connection.sendRequest<{ url: string }>("page.address", {})).url,
    pageOpened: (page, talks) => tell("page.opened", { page, talks }),
    pageMessage: (page, text) => tell("page.message", { page, text }),
    pageClosed: (page) => tell("page.closed", { page }),
    dispose: () => connection.dispose(),
  };
}
