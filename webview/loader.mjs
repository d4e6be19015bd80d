// Starts Python; shows when that fails or takes too long (loadPyodide may never settle, hence the limit);
// remembers what was pressed meanwhile.
// Everything else the page does is Python: py/voicepilot/page.

const TIME_LIMIT_MS = 20_000;

const find = (id) => document.getElementById(id);
const call = find("call");
const talk = find("talk");

// An early press of Talk counts: Python reads data-wanted when it is ready (page/app.py).
const wanted = () => {
  const want = call.dataset.wanted !== "talk";
  if (want) call.dataset.wanted = "talk"; else delete call.dataset.wanted;
  talk.textContent = want ? "Stop" : "Talk";
  find("state-hint").textContent = want
    ? "The call starts as soon as Python is ready."
    : "You can press Talk already; the call starts by itself.";
};
talk.addEventListener("click", wanted);

const fail = (notice, detail) => {
  if (call.dataset.boot === "ready") return;
  call.dataset.boot = "failed";
  call.dataset.state = "failed";
  delete call.dataset.wanted;   // a microphone that opens long after the press would be a surprise
  talk.disabled = true;
  find("state-name").textContent = "Not started";
  find("state-hint").textContent = "";
  if (detail) find("boot-detail").textContent = /[.!?]$/.test(detail) ? detail : `${detail}.`;
  find(notice).hidden = false;
};

const ready = () => {
  clearTimeout(limit);
  talk.removeEventListener("click", wanted);
  talk.disabled = false;
  find("boot-slow").hidden = true;
  call.dataset.boot = "ready";
};

const limit = setTimeout(fail, TIME_LIMIT_MS, "boot-slow");

try {
  const boot = JSON.parse(find("boot").textContent);
  // Imported here and not above, so that a missing runtime is a sentence and not a blank page.
  const { startPython } = await import("python");
  const { python, without, complete } = await startPython(boot);
  const app = python.pyimport("voicepilot.page.app");
  app.start(JSON.stringify({ ...boot, without }), ready);
  app.destroy();
  await complete();
} catch (error) {
  clearTimeout(limit);
  const lines = String(error?.message ?? error).trim().split("\n");
  fail("boot-failed", lines.at(-1));
  console.error(error);
}
