// Stands in for VS Code's own provider of Microsoft accounts: gives out the token that lies beside it, and notes for
// which scopes it was asked to sign somebody in. It is there first, and VS Code keeps the provider that came first.
const { appendFileSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const vscode = require("vscode");

const account = { id: "ada", label: "ada@contoso.example" };

exports.activate = (context) => {
  const sessions = [];
  const changed = new vscode.EventEmitter();
  const covers = (session, scopes) => !scopes || scopes.every((scope) => session.scopes.includes(scope));
  const provider = {
    onDidChangeSessions: changed.event,
    getSessions: async (scopes) => sessions.filter((session) => covers(session, scopes)),
    createSession: async (scopes) => {
      appendFileSync(join(__dirname, "asked.jsonl"), `${JSON.stringify(scopes)}\n`);
      const accessToken = readFileSync(join(__dirname, "token.txt"), "utf-8");
      const session = { id: String(sessions.length), account, scopes: [...scopes], accessToken };
      sessions.push(session);
      changed.fire({ added: [session], removed: [], changed: [] });
      return session;
    },
    removeSession: async (id) => {
      const index = sessions.findIndex((session) => session.id === id);
      if (index >= 0) changed.fire({ added: [], removed: sessions.splice(index, 1), changed: [] });
    },
  };
  context.subscriptions.push(vscode.authentication.registerAuthenticationProvider("microsoft", "Microsoft", provider));
};
