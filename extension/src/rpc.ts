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
}

export interface HostStart extends UseService {
  readonly page: string;
  readonly folders: readonly string[];
}

export interface Status {
  readonly state: string;
  readonly muted: boolean;
  readonly problem: string;
}

/** What the backend says without being asked. */
export interface Hearing {
  status(status: Status): void;
  log(level: string, text: string): void;
  pageMessage(page: string, text: string): void;
  pageClosed(page: string): void;
}

export interface Rpc {
  start(params: HostStart): Promise<{ service: Service; build: string; port: number }>;
  use(params: UseService): Promise<void>;
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
  connection.onError(([error]) => hearing.log("error", `The connection with the backend: ${error.message}`));
  connection.listen();
  // A backend that has just ended is told of by its process; what was on its way to it is lost with it.
  const tell = (method: string, params: object): void => {
    connection.sendNotification(method, params).catch(() => undefined);
  };
  return {
    start: (params) => connection.sendRequest("host.start", params),
    use: (params) => connection.sendRequest("service.use", params),
    control: async (action) =>
      (await connection.sendRequest<{ taken: boolean }>("call.control", { action })).taken,
    address: async () => (await connection.sendRequest<{ url: string }>("page.address", {})).url,
    pageOpened: (page, talks) => tell("page.opened", { page, talks }),
    pageMessage: (page, text) => tell("page.message", { page, text }),
    pageClosed: (page) => tell("page.closed", { page }),
    dispose: () => connection.dispose(),
  };
}
