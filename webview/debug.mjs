// Starts PyScript, which starts Python; shows when that fails or takes too long.
// Everything else the page does is Python: py/voicepilot/debug.

const TIME_LIMIT_MS = 30_000;

const find = (id) => document.getElementById(id);
const call = find("call");

const fail = (notice, detail) => {
  if (call.dataset.boot === "ready") return;
  call.dataset.boot = "failed";
  call.dataset.state = "failed";
  find("state-name").textContent = "Not started";
  find("state-hint").textContent = "";
  if (detail) find("boot-detail").textContent = /[.!?]$/.test(detail) ? detail : `${detail}.`;
  find(notice).hidden = false;
};

const limit = setTimeout(fail, TIME_LIMIT_MS, "boot-slow");

// Python calls it when it has taken the page over.
globalThis.voicepilotReady = () => {
  clearTimeout(limit);
  find("boot-slow").hidden = true;
  find("talk").disabled = false;
  call.dataset.boot = "ready";
};

const configure = (tag, settings) => {
  const element = document.createElement(tag);
  element.hidden = true;
  element.textContent = JSON.stringify(settings);
  document.head.append(element);
};

try {
  // PyScript reads these as soon as it is imported. Its plug-ins draw editors and terminals of their
  // own; they have to be declined for both of the Pythons that it knows, or their modules are loaded.
  const plugins = ["codemirror", "donkey", "error", "py-editor", "py-game", "py-terminal"].map((name) => `!${name}`);
  const interpreter = import.meta.resolve("interpreter");
  configure("py-config", { interpreter, plugins, packages_cache: "never" });
  configure("mpy-config", { plugins });
  const { hooks } = await import("@pyscript/core");
  // For workers, of which this page has none; it would be compiled from text, which our policy forbids.
  hooks.worker.onBeforeRunAsync.clear();
} catch (error) {
  clearTimeout(limit);
  fail("boot-failed", String(error?.message ?? error).trim().split("\n").at(-1));
  console.error(error);
}
