"""From which files does a page start Python, and in which form does it fetch them?

Raw where the server is on the same machine: the browser compiles WebAssembly while it arrives, and
copying is cheaper than inflating. Packed, each file gzipped and inflated by the page, where every
byte is dear: in an extension's package, and on the way through an editor's own file server.
"""

from dataclasses import dataclass
from typing import Any

from voicepilot.bundle.assets import Asset, digest
from voicepilot.bundle.memory import key
from voicepilot.bundle.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter as a page serves and starts it."""

    runtime: Runtime
    machine: Asset
    """The WebAssembly as it is served."""

    archive: Asset
    """Standard library and program as they are served."""

    memory: Asset | None
    """What it remembers, as it is served; without it, it imports everything at its start."""

    boot: dict[str, Any]
    """What the page is told, for ``webview/interpreter.mjs``."""

    @property
    def modules(self) -> tuple[Asset, ...]:
        """Its JavaScript."""
        return self.runtime.loader, self.runtime.glue

    @property
    def fetched(self) -> tuple[Asset, ...]:
        """What the page fetches, in the order of need: with a memory, the archive comes last."""
        memory = () if self.memory is None else (self.memory,)
        return self.machine, *memory, self.archive

    @property
    def urgent(self) -> tuple[Asset, ...]:
        """What must be there before Python runs."""
        return self.fetched[:2]


def serve(
    runtime: Runtime, archive: Asset, memory: Asset | None = None, *, packed: bool = False
) -> Interpreter:
    """Return the interpreter with the files as they are served: raw, or ``packed``."""
    machine, library = (runtime.machine, archive)
    if packed:
        machine, library = machine.packed(), library.packed()
    boot: dict[str, Any] = {
        "runtime": runtime.folder,
        "lock": runtime.lock,
        "packed": packed,
        "machine": machine.path,
        "archive": library.path,
    }
    remembered = memory
    if memory is not None:
        remembered = memory.packed() if packed else memory
        boot["memory"] = {
            "path": remembered.path,
            "key": key(runtime, archive),
            "digest": digest("sha256", memory.content),
        }
    return Interpreter(runtime, machine, library, remembered, boot)
