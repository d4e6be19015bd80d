"""How does an answer sound?

Hibari speaks one sentence at a time, about fifty times faster than it sounds. It begins and ends each
of them with silence that grows with slowness (320 and 500 ms at normal speed), a third of the whole
latency of a reply; so that is cut off, and pauses as people make them are put between the pieces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicepilot.emulator.tempo import hastened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

OUTPUT_RATE = 24_000
"""Samples per second of every :class:`Utterance`."""

SLOWEST, FASTEST = 0.25, 1.5
"""The speeds that the session configuration allows."""

_FASTEST_CLEAR = 1.25
"""Told to speak faster than this, hibari swallows sounds (Whisper gets 13 words in 100 wrong at 1.5,
5 at 1.25 and at 1.0); the rest of the way is done to its sound, and it is 7 at 1.5."""

_LONGEST_PIECE = 120
"""Spoken characters. A longer sentence is cut at its commas, so that its sound and its caption keep pace."""

_FIRST_PIECE = 50
"""Spoken characters; the first piece of a sentence cut that way, so that its sound begins early."""

_SPOKEN_DIGIT = 6
"""A digit sounds as long as this many characters of words: "seven" and the gap after it."""

_CLAUSE_MARKS = (",", ";", ":", "\u2014")
_CLAUSE_END = re.compile(rf"[{''.join(_CLAUSE_MARKS)}]\s+")
_SENTENCE_PAUSE_MS = 200
_CLAUSE_PAUSE_MS = 100
_LEAD_MS = 10
_AUDIBLE = 0.004
"""Amplitude; hibari peaks at 0.3 and its silence lies near 0.0005."""

_GAIN = 2.5
"""Brings hibari's peak of about 0.3 near full scale, as loud as the real service's voices."""

_WARM_UP = "Hello, I am ready. Is it 12:30, Zyxwolk?"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence or clause and its sound: int16, mono, 24 kHz; no samples if it has no sound.

    ``text`` includes the white space that followed, ``samples`` the pause.
    """

    text: str
    samples: NDArray[np.int16]


class Voice:
    """English text to speech, offline: hibari's American voice.

    Made and used on a worker thread; making one loads the model and speaks a sentence to warm it up,
    which takes about a second.
    """

    def __init__(self) -> None:
        # Brings the inference runtime, so not at import.
        from hibari import Hibari  # type: ignore[import-untyped]

        self._hibari = Hibari(threads=1)
        for _ in self.speak(_WARM_UP):
            pass

    def speak(self, text: str, speed: float = 1.0) -> Iterator[Utterance]:
        """Speak ``text`` piece by piece; the pieces' texts joined are ``text``, to the character.

        The same text and speed give the same samples. Each step of the iterator blocks for the
        making of one piece, about 20 ms for each second of it.

        Raises:
            ValueError: the speed is not between 0.25 and 1.5.
        """
        if not SLOWEST <= speed <= FASTEST:
            raise ValueError(f"The speed must lie between {SLOWEST} and {FASTEST}, not at {speed}.")
        return self._pieces(text, speed)

    def _pieces(self, text: str, speed: float) -> Iterator[Utterance]:
        for piece in pieces(text, self._hibari.split_sentences(text)):
            spoken = self._hibari(piece.strip(), speed=min(speed, _FASTEST_CLEAR), seed=0)
            if speed > _FASTEST_CLEAR:
                spoken = hastened(spoken, speed / _FASTEST_CLEAR, OUTPUT_RATE)
            within = piece.rstrip().endswith(_CLAUSE_MARKS)
            pause_ms = _CLAUSE_PAUSE_MS if within else _SENTENCE_PAUSE_MS
            yield Utterance(piece, _trimmed(spoken, round(pause_ms / speed)))


def pieces(text: str, sentences: list[str]) -> Iterator[str]:
    """Cut ``text`` after each of its ``sentences``, and long ones at commas too; nothing is lost.

    ``sentences`` are parts of ``text`` in its order, without what stands between them. White space
    and closing quotes belong to the piece before them.
    """
    starts = []
    position = 0
    for sentence in sentences:
        position = text.index(sentence, position)
        starts.append(position)
        position += len(sentence)
    if not starts:
        if text:
            yield text
        return
    starts[0] = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield from _clauses(text[start:end])


def _clauses(sentence: str) -> Iterator[str]:
    if _spoken_length(sentence) <= _LONGEST_PIECE:
        yield sentence
        return
    limit = _FIRST_PIECE
    begin = cut = 0
    for match in _CLAUSE_END.finditer(sentence):
        if _spoken_length(sentence[begin : match.end()]) > limit and cut > begin:
            yield sentence[begin:cut]
            begin = cut
            limit = _LONGEST_PIECE
        cut = match.end()
    if _spoken_length(sentence[begin:]) > limit and cut > begin:
        yield sentence[begin:cut]
        begin = cut
    yield sentence[begin:]


def _spoken_length(text: str) -> int:
    return len(text) + (_SPOKEN_DIGIT - 1) * sum(character.isdigit() for character in text)


def _trimmed(spoken: NDArray[np.float32], pause_ms: int) -> NDArray[np.int16]:
    audible = np.flatnonzero(np.abs(spoken) > _AUDIBLE)
    if len(audible) == 0:
        return np.empty(0, np.int16)
    begin = max(0, int(audible[0]) - _LEAD_MS * OUTPUT_RATE // 1000)
    end = int(audible[-1]) + 1 + pause_ms * OUTPUT_RATE // 1000
    sound = spoken[begin:end]
    sound = np.pad(sound, (0, end - begin - len(sound)))
    samples: NDArray[np.int16] = np.rint(np.clip(sound * _GAIN, -1.0, 1.0) * 32767.0).astype(
        np.int16
    )
    return samples
