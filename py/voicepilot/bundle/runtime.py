"""Which files of the pinned Pyodide does the page need, and under which paths?

Pyodide derives the addresses of its files from one folder and fixed names, so the folder's name,
not the files', carries the hash.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicepilot.bundle.assets import Asset, BundleError, fingerprint

LOADER, GLUE, MACHINE = "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"
STANDARD_LIBRARY, LOCK = "python_stdlib.zip", "pyodide-lock.json"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Pyodide as the page serves it."""

    folder: str
    """Root-relative, ending in a slash: Pyodide's ``indexURL``."""

    loader: Asset
    """The module that exports ``loadPyodide``."""

    glue: Asset
    """Emscripten's module around the WebAssembly."""

    machine: Asset
    """The interpreter: WebAssembly."""

    lock: dict[str, Any]
    """Pyodide's lock without a package: the page installs none, and so nothing names a CDN."""

    @property
    def assets(self) -> tuple[Asset, ...]:
        """All of its files."""
        return self.loader, self.glue, self.machine


def read_runtime(package: Path) -> Runtime:
    """Read the npm package ``pyodide`` at ``package``."""
    missing = [
        name
        for name in (LOADER, GLUE, MACHINE, STANDARD_LIBRARY, LOCK)
        if not (package / name).is_file()
    ]
    if missing:
        raise BundleError(
            f"{package} lacks {', '.join(missing)}. Run `npm ci` in {package.parent.parent}."
        )
    contents = {name: (package / name).read_bytes() for name in (LOADER, GLUE, MACHINE)}
    folder = f"/assets/pyodide-{fingerprint(*contents.values())}/"
    lock = json.loads((package / LOCK).read_text("utf-8"))
    return Runtime(
        folder=folder,
        loader=Asset(folder + LOADER, contents[LOADER]),
        glue=Asset(folder + GLUE, contents[GLUE]),
        machine=Asset(folder + MACHINE, contents[MACHINE]),
        lock={"info": lock["info"], "packages": {}},
    )
