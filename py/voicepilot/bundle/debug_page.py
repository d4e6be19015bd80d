"""What does the debugging page need beside what the call page has?

A second document of the same build: the same runtime and archive under the same addresses, and
beside them PyScript, the interpreter module that PyScript starts Pyodide through, and an archive
with the debugging page's own Python and micropip. The call page refers to none of it.
"""

import io
import re
import zipfile
from pathlib import Path

from voicepilot.bundle.archive import compile_source
from voicepilot.bundle.assets import Asset, BundleError, fingerprint
from voicepilot.bundle.interpreter import Interpreter
from voicepilot.bundle.page import TEMPLATE as CALL_PAGE
from voicepilot.bundle.page import Additions, Page, build_page
from voicepilot.bundle.parts import with_parts

TEMPLATE = "debug.html"
ADDRESS = "/debug"
INTERPRETER = "debug-interpreter.mjs"
WHEELS = "/wheels/"
"""Below it the page server offers the wheels of a folder of the developer's choice."""

PACKAGE = "debug"
_IMPORT = re.compile(r"""\bfrom\s*["']\./([^"']+)["']""")
_CHOSEN = re.compile(r"(?:error|deprecations-manager)-[\w-]+\.js")
"""PyScript imports these two whatever its configuration says; the rest is imported when asked for."""


def build_debug_page(
    webview: Path, interpreter: Interpreter, call_page: Page, additions: Asset
) -> Page:
    """Build the document of the debugging page; ``additions`` is its own archive."""
    core, parts = _pyscript(webview / "node_modules" / "@pyscript" / "core" / "dist")
    starter = Asset.named(INTERPRETER, (webview / INTERPRETER).read_bytes())
    return build_page(
        webview,
        interpreter,
        TEMPLATE,
        Additions(
            build=call_page.build,
            template=with_parts(
                (webview / TEMPLATE).read_text("utf-8"), (webview / CALL_PAGE).read_text("utf-8")
            ),
            imports={"@pyscript/core": core, "interpreter": starter},
            modules=parts,
            fetched={"debug": additions},
            endpoints=(WHEELS,),
        ),
    )


def build_additions(package: Path, sources: Path, wheels: Path) -> Asset:
    """Compile the debugging page's Python and the wheels in the folder ``wheels`` into an asset."""
    found = sorted(wheels.glob("*.whl"))
    if not found:
        raise BundleError(
            f"There is no micropip in {wheels}. Run `python3 build.py build`, which fetches it."
        )
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w", zipfile.ZIP_STORED) as archive:
        for module in sorted((sources / PACKAGE).rglob("*.py")):
            place = Path("voicepilot") / module.relative_to(sources)
            archive.writestr(place.as_posix(), module.read_bytes())
        for wheel in found:
            with zipfile.ZipFile(wheel) as members:
                for name in members.namelist():
                    archive.writestr(name, members.read(name))
    return Asset.named("debug.zip", compile_source(package, source.getvalue()))


def _pyscript(folder: Path) -> tuple[Asset, tuple[Asset, ...]]:
    """Return PyScript's entry module and the modules that a page without plug-ins imports.

    They find each other by fixed names in one folder, so the folder carries the hash.
    """
    if not (folder / "core.js").is_file():
        raise BundleError(f"{folder} lacks PyScript. Run `npm ci` in {folder.parents[3]}.")
    entry = (folder / "core.js").read_bytes()
    names = set(map(str, _IMPORT.findall(entry.decode())))
    names.update(path.name for path in folder.iterdir() if _CHOSEN.fullmatch(path.name))
    contents = {name: (folder / name).read_bytes() for name in sorted(names)}
    place = f"/assets/pyscript-{fingerprint(entry, *contents.values())}/"
    parts = tuple(Asset(place + name, content) for name, content in contents.items())
    return Asset(f"{place}core.js", entry), parts
