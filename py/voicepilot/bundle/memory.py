"""What does Python remember once it has imported the page's program, and how is that served?

Most of a start is imports. They are done once, at build time: ``remember.mjs`` starts Pyodide under
node, imports ``voicepilot.page.app``, rehearses a call and writes its memory down;
``webview/interpreter.mjs`` puts that memory into a fresh interpreter, which then has never done
anything else.

The memory knows the zip directory of the archive that it was made with, so it fits that very
archive and runtime only; ``key`` names the pair. Left out are the zeros, which are half of it, and
the machine's own constants at its beginning, which the WebAssembly brings along. The file,
little-endian::

    0   8 bytes      VPMEMORY
    8   uint32       length of the JSON that follows
    12  JSON         {"key": …, "size": bytes of the whole memory, "own": bytes at its beginning
                      that stay as the machine has them, "runs": [[offset, length], …] of what is
                      neither those nor zero,
                      "references": Pyodide's table of JavaScript objects}
        bytes        the runs, one after another

Pyodide's own format (``makeMemorySnapshot``, Pyodide 314): 48 bytes, of which the second and third
uint32 are the offset of the memory and the length of the JSON that stands after them.
"""

import json
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voicepilot.bundle.assets import Asset, fingerprint
from voicepilot.bundle.node import run_node
from voicepilot.bundle.runtime import Runtime

MAGIC = b"VPMEMORY"
PROGRAM = "voicepilot.page.app"
REHEARSAL = "voicepilot.page.rehearsal"

_REMEMBER = Path(__file__).parent / "remember.mjs"
_PAGE = 4096
"""Zeros are left out in pieces of this size."""
_THEIR_HEADER = struct.Struct("<4xII36x")


def build_memory(package: Path, runtime: Runtime, archive: Asset, node: Path) -> Asset:
    """Return what Python remembers after it has imported the page's program from ``archive``.

    ``package`` is the npm package that ``runtime`` was read from. The same input gives the same
    bytes: clock and chance stand still while it is made.
    """
    with tempfile.TemporaryDirectory() as scratch:
        library, unused, target = (
            Path(scratch) / name for name in ("python.zip", "unused", "used")
        )
        library.write_bytes(archive.content)
        arguments = (
            "--experimental-wasm-jspi",
            *(str(_REMEMBER), f"{package.resolve()}/", str(library), PROGRAM, REHEARSAL),
            *(str(unused), str(target)),
        )
        run_node(node, arguments, f"import {PROGRAM}", Path(scratch))
        served = _served(key(runtime, archive), unused.read_bytes(), target.read_bytes())
    return Asset.named("memory.bin", served)


def key(runtime: Runtime, archive: Asset) -> str:
    """Return the name of this runtime with this archive, which a memory must bear to fit them."""
    return fingerprint(*(asset.content for asset in runtime.assets), archive.content)


def _served(fits: str, unused: bytes, snapshot: bytes) -> bytes:
    start, length = _THEIR_HEADER.unpack_from(snapshot)
    stated = snapshot[_THEIR_HEADER.size : _THEIR_HEADER.size + length]
    memory = snapshot[start:]
    own = length_in_common(unused, memory)
    runs = list(nonzero_runs(memory, own))
    header = {
        "key": fits,
        "size": len(memory),
        "own": own,
        "runs": runs,
        "references": json.loads(stated),
    }
    return encode(header, [memory[offset : offset + length] for offset, length in runs])


def encode(header: dict[str, Any], runs: list[bytes]) -> bytes:
    """Return the file: ``header`` as JSON, then ``runs``."""
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    return b"".join((MAGIC, struct.pack("<I", len(text)), text, *runs))


def length_in_common(first: bytes, second: bytes) -> int:
    """Return how many bytes at their beginning are the same, in whole pages."""
    end = min(len(first), len(second)) // _PAGE * _PAGE
    for offset in range(0, end, _PAGE):
        if first[offset : offset + _PAGE] != second[offset : offset + _PAGE]:
            return offset
    return end


def nonzero_runs(memory: bytes, begin: int = 0) -> Iterator[tuple[int, int]]:
    """Yield ``(offset, length)`` of the stretches of ``memory`` from ``begin`` that are not zero."""
    nothing = bytes(_PAGE)
    start: int | None = None
    for offset in range(begin, len(memory), _PAGE):
        page = memory[offset : offset + _PAGE]
        if page == nothing[: len(page)]:
            if start is not None:
                yield start, offset - start
            start = None
        elif start is None:
            start = offset
    if start is not None:
        yield start, len(memory) - start
