"""How do messages come in over standard input and go out over standard output, on every system?

By two threads: Windows cannot wait for a pipe in its event loop. Standard output belongs to the messages
alone from then on; what anybody prints goes to standard error. The end of standard input is the end of
whoever started us, however it ended, and is ours too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from typing import Final

from voicepilot.backend.framing import FrameReader, FramingError, frame

_PIECE: Final = 1 << 16
_PATIENCE_S: Final = 1.0


class StandardStreams:
    """Messages over the process's standard streams. A context manager; enter it in the event loop.

    There is one of them in a process, and it keeps standard input to the end: a thread that waits there
    cannot be called back.
    """

    def __init__(self) -> None:
        self._come: asyncio.Queue[str | None] = asyncio.Queue()
        self._going: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None

    def __enter__(self) -> StandardStreams:
        loop = asyncio.get_running_loop()
        outward = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        reader = threading.Thread(target=self._read, args=(loop,), name="standard input")
        reader.daemon = True
        self._writer = threading.Thread(target=self._write, args=(outward,), name="standard output")
        self._writer.daemon = True  # a host that stopped reading must not keep us alive
        reader.start()
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going.put(None)
        if self._writer is not None:
            self._writer.join(_PATIENCE_S)

    async def receive(self) -> str | None:
        """The next message; None when there will be no more."""
        return await self._come.get()

    def send(self, text: str) -> None:
        """Send a message, after those that were sent before. From any thread."""
        self._going.put(text)

    def end(self) -> None:
        """Let `receive` say that there will be no more."""
        self._come.put_nowait(None)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        messages = FrameReader()
        with contextlib.suppress(OSError, FramingError, RuntimeError):  # the loop may have ended
            while piece := os.read(0, _PIECE):
                for text in messages.feed(piece):
                    loop.call_soon_threadsafe(self._come.put_nowait, text)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._come.put_nowait, None)

    def _write(self, outward: int) -> None:
        with contextlib.suppress(OSError), os.fdopen(outward, "wb") as stream:
            while (text := self._going.get()) is not None:
                stream.write(frame(text))
                if self._going.empty():
                    stream.flush()
