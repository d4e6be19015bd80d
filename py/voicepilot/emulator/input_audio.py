"""Which of the user's audio is still needed?

The stream is counted in ms from its first sample. Kept is what a turn may still begin with: the last
seconds while nobody speaks (the prefix padding reaches back), everything since its start in an open turn,
everything since the last commit where the client commits. Five minutes are the most in any case.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from voicepilot.emulator.hearing import INPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PER_MS = INPUT_RATE // 1000
_LONGEST_MS = 5 * 60 * 1000


class InputAudio:
    """The recent past of one stream: 16 kHz mono."""

    def __init__(self) -> None:
        self._chunks: deque[NDArray[np.float32]] = deque()
        self._start = 0
        self._end = 0

    @property
    def position_ms(self) -> int:
        """How long the stream is so far."""
        return self._end // _PER_MS

    def append(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples."""
        self._chunks.append(samples)
        self._end += len(samples)
        self.forget(self.position_ms - _LONGEST_MS)

    def forget(self, before_ms: int) -> None:
        """Nothing before this position is needed any more."""
        limit = before_ms * _PER_MS
        while self._chunks and self._start + len(self._chunks[0]) <= limit:
            self._start += len(self._chunks.popleft())

    def between(self, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        """A copy of what is kept of this stretch."""
        if not self._chunks:
            return np.empty(0, np.float32)
        kept = np.concatenate(self._chunks)
        first = max(start_ms * _PER_MS - self._start, 0)
        return kept[first : max(end_ms * _PER_MS - self._start, first)].copy()
