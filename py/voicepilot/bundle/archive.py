"""How do the standard library and our Python reach the page? As one archive of bytecode.

Pyodide mounts a single zip before its interpreter starts (``stdLibURL``); what lies in it costs
neither a request nor an installation. A memory snapshot, which would save the imports too, would
be made right after the archive, by a second run of Pyodide that mounts it: it must be the same
file, because the interpreter's zip directory is part of the memory.
"""

import io
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from voicepilot.bundle.assets import Asset, BundleError
from voicepilot.bundle.runtime import STANDARD_LIBRARY

APPLICATION = ("protocol", "session", "bridge", "page")
"""The packages of ours that run in the browser."""

HERE = Path(__file__).parent
COMPILE_SECONDS = 120


def build_archive(package: Path, sources: Path, node: str = "node") -> Asset:
    """Compile the standard library in ``package`` and our code in ``sources`` into one asset.

    ``package`` is the npm package ``pyodide``, ``sources`` the folder ``voicepilot``. The same
    input gives the same bytes.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "source.zip", Path(scratch) / "bytecode.zip"
        source.write_bytes(_source_archive((package / STANDARD_LIBRARY).read_bytes(), sources))
        command = [
            node,
            str(HERE / "compile.mjs"),
            str(package),
            str(HERE / "bytecode.py"),
            str(source),
            str(target),
        ]
        try:
            run = subprocess.run(  # noqa: S603  our own script, no shell
                command, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False
            )
        except FileNotFoundError:
            raise BundleError("node was not found. Install Node.js 20 or newer.") from None
        except subprocess.TimeoutExpired:
            raise BundleError(
                f"Pyodide did not compile the archive within {COMPILE_SECONDS} s. "
                "Try again when the machine is less busy."
            ) from None
        if run.returncode != 0:
            raise BundleError(f"Pyodide could not compile the archive. {run.stderr.strip()}")
        return Asset.named("python.zip", target.read_bytes())


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
