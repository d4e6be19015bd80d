// The call page as Pyodide's documentation starts an application: loadPyodide as it comes, the
// standard library as it comes, our modules as source in a zip. What the benchmark's "stock" means.

import { loadPyodide } from "pyodide";

const call = document.getElementById("call");
const boot = document.getElementById("boot").textContent;
const python = await loadPyodide();
const archive = await fetch(JSON.parse(boot).archive);
python.unpackArchive(await archive.arrayBuffer(), "zip");
const app = python.pyimport("voicepilot.page.app");
app.start(boot, () => { call.dataset.boot = "ready"; });
app.destroy();
