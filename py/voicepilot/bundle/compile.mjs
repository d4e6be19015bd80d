// Compiles a zip archive of Python source with the Python that will run it: Pyodide under node.
//
//   node compile.mjs PYODIDE_FOLDER BYTECODE_PY SOURCE_ZIP TARGET_ZIP

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, exit, stderr } from "node:process";
import { pathToFileURL } from "node:url";

const [folder, bytecode, source, target] = argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));

const python = await loadPyodide({ indexURL: folder });
try {
  const scope = python.globals.get("dict")();
  scope.set("__name__", "bytecode");
  python.runPython(await readFile(bytecode, "utf8"), { globals: scope, filename: "bytecode.py" });
  scope.set("source", new Uint8Array(await readFile(source)));
  const archive = python.runPython("compile_archive(source.to_bytes())", { globals: scope });
  await writeFile(target, archive.toJs());
} catch (error) {
  // A Python traceback ends with the sentence that matters.
  stderr.write(`${String(error.message).trim().split("\n").at(-1)}\n`);
  exit(1);
}
// A Pyodide under node keeps handles open; nothing is left to wait for.
exit(0);
