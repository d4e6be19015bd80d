// The Pyodide that PyScript starts: this build's, started as the call page starts it, and beside it the
// debugging page's own Python. PyScript expects a module with these two names ("interpreter").

import { version } from "pyodide";
import { startPython } from "python";

const block = document.getElementById("boot");
const boot = JSON.parse(block.textContent);

// Where the debugging page's own Python and micropip are in the interpreter's file system.
const ADDITIONS = "/debug.zip";

const fetchAdditions = async () => {
  const answer = await fetch(boot.debug);
  if (!answer.ok) throw new Error(`The page's server has no ${boot.debug} (${answer.status}).`);
  return new Uint8Array(await answer.arrayBuffer());
};

// PyScript's other wishes are about where Pyodide's files are; that is for the build to say.
const loadPyodide = async ({ stdout, stderr }) => {
  const additions = fetchAdditions();
  const { python, without, complete } = await startPython(boot, { stdout, stderr });
  block.dataset.without = without;
  // Here, unlike on the call page, what comes next imports more than the call page's program does.
  await complete();
  python.FS.writeFile(ADDITIONS, await additions, { canOwn: true });
  // A part of our package lies in another archive than the rest of it.
  python.runPython(`
import sys, voicepilot
sys.path.append("${ADDITIONS}")
voicepilot.__path__.append("${ADDITIONS}/voicepilot")
del sys, voicepilot
`);
  return python;
};

export { loadPyodide, version };
