"""What goes into the extension's package? ``python -m voicepilot.bundle.extension`` lays it out in a folder.

Nothing is left out of a package because it was never laid out: there is no list of what to ignore. ``vsce``
then makes the VSIX of the folder.
"""

import argparse
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voicepilot import __version__

ROOT: Final = Path(__file__).parents[3]
EXTENSION: Final = ROOT / "extension"

_AS_THEY_ARE: Final = ("package.json", "package.nls.json", "README.md", "images", "walkthrough")
_REQUIREMENTS: Final = {"backend": "backend.txt", "demo": "emulator.txt"}
"""The lock of each environment that the extension makes, by the environment's name."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What ships beside our own work: its name and version, and the licence with its text."""

    name: str
    version: str
    license: str
    text: str
    source: str = ""


def lay_out(page: Path, wheel: Path, out: Path) -> None:
    """Put everything that the extension is made of into ``out``, replacing what is there."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for name in _AS_THEY_ARE:
        place = EXTENSION / name
        if place.is_dir():
            shutil.copytree(place, out / name)
        else:
            shutil.copy(place, out / name)
    (out / "dist").mkdir()
    shutil.copy(EXTENSION / "dist" / "extension.js", out / "dist")
    shutil.copytree(page, out / "page", ignore=shutil.ignore_patterns("csp.txt"))
    (out / "python").mkdir()
    shutil.copy(wheel, out / "python")
    for name, lock in _REQUIREMENTS.items():
        shutil.copy(ROOT / "py" / "locks" / lock, out / "python" / f"{name}.txt")
    for name in ("LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, out / name)
    (out / "THIRD-PARTY-NOTICES.txt").write_text(notices_text(notices()), "utf-8")


def notices() -> list[Notice]:
    """Return the notices of all that ships: the page's runtime, and what the bundler took in."""
    package = json.loads((ROOT / "webview/node_modules/pyodide/package.json").read_text("utf-8"))
    lock = json.loads((ROOT / "webview/node_modules/pyodide/pyodide-lock.json").read_text("utf-8"))
    runtime = [
        Notice(
            "Pyodide",
            package["version"],
            package["license"],
            (EXTENSION / "licenses" / "MPL-2.0.txt").read_text("utf-8"),
            "https://github.com/pyodide/pyodide",
        ),
        Notice(
            "Python, its standard library and the libraries in it",
            lock["info"]["python"],
            "Python-2.0",
            (EXTENSION / "licenses" / "Python-2.0.txt").read_text("utf-8"),
            "https://github.com/python/cpython",
        ),
    ]
    bundled = json.loads((EXTENSION / "dist" / "notices.json").read_text("utf-8"))
    return runtime + [Notice(**each) for each in bundled]


def notices_text(found: list[Notice]) -> str:
    """Return the notices as one text for people."""
    opening = "VoicePilot contains the following works of others, each under its own licence.\n"
    parts = [opening]
    for each in found:
        source = f"Source: {each.source}\n" if each.source else ""
        parts.append(
            f"{'=' * 78}\n{each.name} {each.version} ({each.license})\n{source}\n{each.text.strip()}\n"
        )
    return "\n".join(parts)


def main() -> None:
    """Lay out the extension."""
    parser = argparse.ArgumentParser(prog="python -m voicepilot.bundle.extension")
    parser.add_argument("--page", type=Path, required=True, help="the packed page")
    parser.add_argument("--wheels", type=Path, required=True, help="the folder of our wheel")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    wheel = options.wheels / f"voicepilot-{__version__}-py3-none-any.whl"
    lay_out(options.page, wheel, options.out)


if __name__ == "__main__":
    main()
