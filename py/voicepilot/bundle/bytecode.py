"""How does Python source become an archive that starts fast and is the same on every machine?

This module runs twice: inside Pyodide at build time, where its compiler is the very one that
will load the result, and under the host's Python in tests. It therefore imports nothing of ours.

A standard library of source costs the browser about two seconds of compiling at every start.

``pyodide py-compile`` of pyodide-build 0.39.2 was tried first. On the host it needs Python 3.12;
inside this Pyodide it runs once six more wheels (packaging, platformdirs, rich and what that needs)
are unpacked there, but two runs give different bytes: its bytecode carries the time of a temporary
file, its members the time of the build. At its heart it calls the standard ``py_compile``, and that
is what is called here.
"""

import io
import py_compile
import tempfile
import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the earliest that a zip archive can hold."""


def compile_archive(source: bytes) -> bytes:
    """Return the zip archive ``source`` with every ``.py`` member compiled to ``.pyc``.

    Members are stored, not deflated: the import system reads them without inflating, and a
    server that compresses does so once for the whole file. Bytecode is marked unchecked,
    because no source stands beside it that it could be compared with. Docstrings and assertions are
    left out (``python -OO``): nobody reads them there, and they are a tenth of the archive and of what
    every page loads into its memory. Member names become the file names in tracebacks.

    Raises ``SyntaxError`` for a member that does not compile.
    """
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(source)) as sources,
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
        tempfile.TemporaryDirectory() as scratch,
    ):
        for name in sorted(sources.namelist()):
            if name.endswith("/"):
                continue
            content = sources.read(name)
            if name.endswith(".py"):
                name, content = f"{name}c", _bytecode(name, content, Path(scratch))
            archive.writestr(_member(name), content)
    return target.getvalue()


def _bytecode(name: str, source: bytes, scratch: Path) -> bytes:
    origin, result = scratch / "module.py", scratch / "module.pyc"
    origin.write_bytes(source)
    try:
        py_compile.compile(
            str(origin),
            cfile=str(result),
            dfile=name,
            doraise=True,
            optimize=2,  # without docstrings, which were a tenth of the archive and of the memory
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except py_compile.PyCompileError as error:
        raise SyntaxError(f"{name} does not compile: {error.exc_value}") from None
    return result.read_bytes()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, EPOCH)
    member.create_system = 3  # Unix wherever the build runs, or the bytes would differ
    member.external_attr = 0o644 << 16
    return member
