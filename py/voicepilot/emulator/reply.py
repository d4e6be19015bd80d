"""Where does the sound of an answer go, and how much of it has gone?

It has two ways out: a track that plays it at the listener's pace (:mod:`.playout`), and events that
carry it as data (:mod:`.delivery`). A response and a session know no more of them than :class:`Outlet` says.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from voicepilot.emulator.speech import OUTPUT_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Reply:
    """The sound of one response's item on its way to the person."""

    def __init__(self, response_id: str, item_id: str) -> None:
        self.response_id = response_id
        self.item_id = item_id
        self.finished = False
        self.started = False
        self.began_at = 0.0
        self.played = 0
        self.waiting = 0
        self._chunks: deque[NDArray[np.int16]] = deque()

    @property
    def played_ms(self) -> int:
        """How much of it has left for the person."""
        return self.played * 1000 // OUTPUT_RATE

    @property
    def waiting_ms(self) -> int:
        """How much of it is made and has not left yet."""
        return self.waiting * 1000 // OUTPUT_RATE

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Add sound to its end: 24 kHz mono."""
        if len(samples):
            self._chunks.append(samples)
            self.waiting += len(samples)

    def take(self, frame: NDArray[np.int16]) -> int:
        """Move sound into ``frame`` from its start; returns how many samples."""
        filled = 0
        while self._chunks and filled < len(frame):
            chunk = self._chunks[0]
            part = chunk[: len(frame) - filled]
            frame[filled : filled + len(part)] = part
            filled += len(part)
            if len(part) == len(chunk):
                self._chunks.popleft()
            else:
                self._chunks[0] = chunk[len(part) :]
        self.played += filled
        self.waiting -= filled
        return filled


class Outlet(Protocol):
    """The way out of a session's sound."""

    def open(self, response_id: str, item_id: str) -> Reply:
        """A new reply, to go out after those that wait already."""
        ...

    def feed(self, reply: Reply, samples: NDArray[np.int16]) -> None:
        """Add sound to the end of a reply: 24 kHz mono."""
        ...

    async def ready(self, reply: Reply) -> None:
        """Wait until it is time to make more of this reply, or there is no use in it."""
        ...

    @property
    def playing(self) -> bool:
        """Whether the person is still hearing a reply, as far as is known here."""
        ...

    def clear(self) -> list[Reply]:
        """Let go of what has not gone out; returns the replies that the person hears cut short."""
        ...

    def stop(self) -> None:
        """Let nothing out any more."""
        ...
