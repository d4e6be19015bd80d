"""How does an answer sound?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

OUTPUT_RATE = 24_000
"""Samples per second of every :class:`Utterance`."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence or clause and its sound: int16, mono, 24 kHz. Empty where the text has no sound."""

    text: str
    samples: NDArray[np.int16]


class Voice:
    """English text to speech, offline."""

    def speak(self, text: str, speed: float = 1.0) -> Iterator[Utterance]:
        """Speak ``text`` piece by piece; the pieces' texts joined are ``text``."""
        raise NotImplementedError
