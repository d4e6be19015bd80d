// Starts Python as the page does, imports the page's program, and writes down what it then remembers.
//
//   node --experimental-wasm-jspi remember.mjs PYODIDE_FOLDER ARCHIVE MODULE REHEARSAL UNUSED TARGET
//
// REHEARSAL is a module whose `rehearse(times)` is called too, so that Python knows the path of a call by heart.
// UNUSED gets the memory of the machine before Python starts, TARGET Pyodide's snapshot after all of this.
//
// With JSPI, which node 24 has behind that flag, because the interpreter asks for it once, when it starts.
// The clock stands still and chance is nought: the same archive gives the same memory, on every machine.

import crypto from "node:crypto";
import { writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, exit, stderr } from "node:process";
import { pathToFileURL } from "node:url";

const [folder, archive, module, rehearsal, unused, target] = argv.slice(2);

crypto.randomFillSync = (view) => view.fill(0);
const BUILT = Date.UTC(1980, 0, 1);
globalThis.Date = class extends Date {
  constructor(...given) { super(...(given.length ? given : [BUILT])); }
  static now() { return BUILT; }
};
globalThis.performance = { now: () => 0, timeOrigin: BUILT };

try {
  const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
  const lock = JSON.parse(await readFile(join(folder, "pyodide-lock.json"), "utf8"));
  const python = await loadPyodide({
    indexURL: folder,
    stdLibURL: archive,
    lockFileContents: { info: lock.info, packages: {} },
    packageBaseUrl: "/",
    env: { HOME: "/home/pyodide", PYTHONHASHSEED: "0" },
    // Else Python would be told where this script lies.
    _sysExecutable: "./this.program",
    _makeSnapshot: true,
    createPyodideModule: async (settings) => {
      const { default: create } = await import(pathToFileURL(join(folder, "pyodide.asm.mjs")));
      settings.preRun.push((machine) => writeFileSync(unused, machine.HEAPU8));
      return create(settings);
    },
  });
  // `random` is seeded anew at every start, whether or not the program needs it. What is remembered stays: frozen,
  // it is out of the sight of the garbage collector, which would else go through all of it during calls.
  python.runPython(`
import gc, importlib, random
importlib.import_module(${JSON.stringify(module)})
importlib.import_module(${JSON.stringify(rehearsal)}).rehearse(20)
gc.collect()
gc.freeze()
`);
  await writeFile(target, python.makeMemorySnapshot());
} catch (error) {
  // A Python traceback ends with the sentence that matters.
  stderr.write(`${String(error.message).trim().split("\n").at(-1)}\n`);
  exit(1);
}
// A Pyodide under node keeps handles open; nothing is left to wait for.
exit(0);
