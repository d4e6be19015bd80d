/**
 * Tokens of VS Code's Microsoft account, which signs in, keeps the account and renews its tokens.
 *
 * `VSCODE_TENANT:` among the scopes is how its provider is told a tenant.
 */
import * as vscode from "vscode";
import type { TokenWish } from "./rpc";

const PROVIDER = "microsoft";

/** The token, "" where nobody is signed in and nobody may be asked. Rejects where the person refuses. */
export async function token({ scopes, tenant, visible }: TokenWish): Promise<string> {
  const wanted = tenant ? [...scopes, `VSCODE_TENANT:${tenant}`] : scopes;
  const session = await vscode.authentication.getSession(PROVIDER, wanted, { silent: true })
    ?? (visible ? await vscode.authentication.getSession(PROVIDER, wanted, { createIfNone: true }) : undefined);
  return session?.accessToken ?? "";
}
