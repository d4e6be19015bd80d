"""How does the page become a folder of files that a browser may be told to trust?

``python -m voicepilot.bundle [--packed]`` needs ``webview/node_modules`` and writes::

    dist/page/index.html                         webview/index.html, references replaced
              assets/NAME.HASH.EXT               style sheet, modules, worklets, icons
              assets/pyodide-HASH/               the pinned runtime under the names it asks for
              assets/python.HASH.zip             standard library and app as bytecode
              assets/memory.HASH.bin             what Python remembers once it has imported the app
              debug.html, …                      the debugging page, a second document
              manifest.json                      every file with integrity and type; the policy
              csp.txt                            the policy for people

``runtime``, ``archive`` and ``memory`` make the Python part, ``interpreter`` the form in which it is
served, ``page`` the document, ``policy`` the content security policy from what the others put in.
The same sources and the locked node give the same bytes, the memory included, whatever the environment;
gzipped files depend on the zlib of the Python that packs them.

The built document carries what ``webview/interpreter.mjs`` needs to start Python: an import map with
the names ``pyodide`` and ``python``, and ``boot``, a JSON block::

    import { startPython } from "python";
    const boot = JSON.parse(document.getElementById("boot").textContent);
    const { python, without, complete } = await startPython(boot);

``boot.build`` names the build, ``boot.worklets`` maps the stems of ``webview/worklets/*.js`` to
the addresses for ``AudioWorklet.addModule``. ``boot.memory`` holds the path, key and digest of the
memory; ``boot.packed`` says whether machine, archive and memory are gzipped. The lock is empty: with
it Pyodide fetches no package list, and with ``packageBaseUrl`` it holds no address of a CDN.
"""
