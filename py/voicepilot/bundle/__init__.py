"""How does the page become a folder of files that a browser may be told to trust?

``python -m voicepilot.bundle`` needs node and ``webview/node_modules`` and writes::

    dist/page/index.html                         webview/index.html, references replaced
              assets/NAME.HASH.EXT               style sheet, loader, worklets, icons
              assets/pyodide-HASH/               the pinned runtime under the names it asks for
              assets/python.HASH.zip             standard library and app as bytecode
              manifest.json                      every file with integrity and type; the policy
              csp.txt                            the policy for people

``runtime`` and ``archive`` make the Python part, ``page`` the document, ``policy`` the content
security policy from what the other three put in.

The built document carries what ``webview/loader.mjs`` needs to start: an import map with the name
``pyodide``, and ``boot``, a JSON block::

    import { loadPyodide } from "pyodide";
    const boot = JSON.parse(document.getElementById("boot").textContent);
    const python = await loadPyodide({
      indexURL: boot.runtime,
      stdLibURL: boot.archive,
      lockFileContents: boot.lock,
      packageBaseUrl: boot.runtime,
    });

``boot.build`` names the build, ``boot.worklets`` maps the stems of ``webview/worklets/*.js`` to
the addresses for ``AudioWorklet.addModule``. The lock is empty: with it Pyodide fetches no
package list, and with ``packageBaseUrl`` it holds no address of a CDN. ``loadPyodide`` never
settles when a file of the runtime is refused, so the loader needs a time limit of its own.
"""
