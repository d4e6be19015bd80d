// The Pyodide that PyScript starts: the one of this build, with nothing from elsewhere.
// PyScript expects a module with these two names (its configuration's "interpreter").

import { loadPyodide as load, version } from "pyodide";

const boot = JSON.parse(document.getElementById("boot").textContent);

// Where the debugging page's own Python and micropip are in the interpreter's file system.
const ADDITIONS = "/debug.zip";

const loadPyodide = async (wishes) => {
  const [python, additions] = await Promise.all([
    load({
      ...wishes,
      indexURL: boot.runtime,
      stdLibURL: boot.archive,
      lockFileContents: boot.lock,
      packageBaseUrl: boot.runtime,
    }),
    fetch(boot.debug).then((answer) => answer.arrayBuffer()),
  ]);
  python.FS.writeFile(ADDITIONS, new Uint8Array(additions));
  // Its part of our package lies in another archive than the rest of it.
  python.runPython(`
import sys, voicepilot
sys.path.append("${ADDITIONS}")
voicepilot.__path__.append("${ADDITIONS}/voicepilot")
del sys, voicepilot
`);
  return python;
};

export { loadPyodide, version };
