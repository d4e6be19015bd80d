"""How much of an answer was heard, when only the time is known?

Over WebRTC the words run ahead of the sound and nothing ties one to the other. So the pace of the
assistant's speech is measured on answers that were heard to their end, and an interrupted one is cut
where that pace had come to, back to a whole word.
"""

from __future__ import annotations

from typing import Final

_TYPICAL: Final = 0.0145
"""Characters in a millisecond of English speech (170 words a minute), until this voice is measured."""

_SHORTEST_SAMPLE_MS: Final = 1000.0  # shorter answers are mostly pauses
_PLAUSIBLE: Final = (0.004, 0.05)  # characters a millisecond; beyond it the clock was wrong


class Pace:
    """Characters a millisecond, as a running mean weighted by how long was listened."""

    def __init__(self) -> None:
        self._characters = 0.0
        self._milliseconds = 0.0

    @property
    def rate(self) -> float:
        """Characters in a millisecond."""
        if not self._milliseconds:
            return _TYPICAL
        return self._characters / self._milliseconds

    def measure(self, words: str, milliseconds: float) -> None:
        """Learn from an answer of `words` that took `milliseconds` to hear to its end."""
        if milliseconds < _SHORTEST_SAMPLE_MS:
            return
        if _PLAUSIBLE[0] <= len(words) / milliseconds <= _PLAUSIBLE[1]:
            self._characters += len(words)
            self._milliseconds += milliseconds

    def characters(self, milliseconds: float) -> int:
        """Return how many characters are heard in `milliseconds`."""
        return max(0, round(milliseconds * self.rate))

    def milliseconds(self, words: str) -> float:
        """Return how long `words` take to be heard."""
        return len(words) / self.rate


def whole_words(words: str, limit: int) -> str:
    """Return the whole words within the first `limit` characters."""
    if limit >= len(words):
        return words
    end = limit
    while end > 0 and not words[end].isspace():
        end -= 1
    return words[:end].rstrip()
