// Runs one Python file in Pyodide under node. Its standard output is ours.
//
//   node run.mjs JOB.json
//
// A job: {runtime: folder of pyodide.mjs, archive: standard library or null, lock: what stands for
// pyodide-lock.json or null, mounts: {path in Pyodide: folder here}, wheels: [files],
// program: file, given: text that the program finds in its environment as GIVEN}.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, exit } from "node:process";
import { pathToFileURL } from "node:url";

const job = JSON.parse(await readFile(argv[2], "utf8"));
const { loadPyodide } = await import(pathToFileURL(join(job.runtime, "pyodide.mjs")));

try {
  const python = await loadPyodide({
    indexURL: job.runtime,
    env: { HOME: "/home", GIVEN: job.given },
    ...(job.archive && { stdLibURL: job.archive }),
    ...(job.lock && { lockFileContents: job.lock, packageBaseUrl: job.runtime }),
  });
  for (const [place, folder] of Object.entries(job.mounts)) {
    python.FS.mkdirTree(place);
    python.mountNodeFS(place, folder);
  }
  for (const wheel of job.wheels) {
    python.unpackArchive(new Uint8Array(await readFile(wheel)), "wheel");
  }
  await python.runPythonAsync(await readFile(job.program, "utf8"), { filename: job.program });
  exit(0);
} catch (error) {
  // Left to node, its report would begin with the runtime's one line of a megabyte.
  console.error(error.message);
  exit(1);
}
