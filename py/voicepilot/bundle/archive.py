"""How do the standard library and our Python reach the page? As one archive of bytecode.

Pyodide mounts a single zip before its interpreter starts (``stdLibURL``); what lies in it costs
neither a request nor an installation. ``memory`` goes on from here and saves the imports too.
"""

import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from voicepilot.bundle.assets import Asset
from voicepilot.bundle.node import find_node, run_node
from voicepilot.bundle.runtime import STANDARD_LIBRARY

APPLICATION = ("protocol", "session", "bridge", "page")
"""The packages of ours that run in the browser."""

HERE = Path(__file__).parent


def build_archive(package: Path, sources: Path, node: Path | None = None) -> Asset:
    """Compile the standard library in ``package`` and our code in ``sources`` into one asset.

    ``package`` is the npm package ``pyodide``, ``sources`` the folder ``voicepilot``. The same
    input gives the same bytes.
    """
    source = _source_archive((package / STANDARD_LIBRARY).read_bytes(), sources)
    return Asset.named("python.zip", compile_source(package, source, node))


def compile_source(package: Path, archive: bytes, node: Path | None = None) -> bytes:
    """Return the zip ``archive`` of source as bytecode of the Python in ``package``."""
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "source.zip", Path(scratch) / "bytecode.zip"
        source.write_bytes(archive)
        run_node(
            node or find_node(),
            (
                str(HERE / "compile.mjs"),
                f"{package.resolve()}/",
                *(str(HERE / "bytecode.py"), str(source), str(target)),
            ),
            "compile the archive",
            Path(scratch),
        )
        return target.read_bytes()


def application_files(sources: Path) -> Iterator[Path]:
    """Yield our modules that run in the browser, in a fixed order."""
    yield sources / "__init__.py"
    for package in APPLICATION:
        yield from sorted((sources / package).rglob("*.py"))


def _source_archive(standard_library: bytes, sources: Path) -> bytes:
    result = io.BytesIO(standard_library)
    with zipfile.ZipFile(result, "a", zipfile.ZIP_STORED) as archive:
        for module in application_files(sources):
            name = Path("voicepilot") / module.relative_to(sources)
            archive.writestr(name.as_posix(), module.read_bytes())
    return result.getvalue()
