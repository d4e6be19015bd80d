"""Which stretch of the user's audio is one turn?

With turn detection a turn opens and closes by what is heard; without, it is everything since the last commit.
The item that a turn will become has its id from the turn's start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.hearing import SpeechBegan
from voicepilot.emulator.ids import identifier
from voicepilot.emulator.input_audio import InputAudio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from voicepilot.emulator.configuration import Configuration
    from voicepilot.emulator.hearing import Hearing

_REACH_BACK_MS = 12_000
"""More than the longest prefix padding, and the time it takes to be sure that somebody speaks."""

SHORTEST_COMMIT_MS = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of the stream, and the id of the item it will be."""

    item_id: str
    start_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A finished turn: its item's id, where in the stream it ends, and its sound at 16 kHz."""

    item_id: str
    end_ms: int
    samples: NDArray[np.float32]


class TurnObserver(Protocol):
    """Who is told of turns."""

    def turn_began(self, turn: Turn) -> None:
        """The user began to speak."""

    def turn_ended(self, heard: Heard) -> None:
        """The user has finished."""


class Listener:
    """The user's side of a session."""

    def __init__(
        self, hearing: Hearing, configuration: Configuration, observer: TurnObserver
    ) -> None:
        self._hearing = hearing
        self._observer = observer
        self._audio = InputAudio()
        self._turn: Turn | None = None
        self._detects = configuration.turn_detection is not None
        self._committed_ms = 0
        hearing.configure(configuration.hearing())

    @property
    def position_ms(self) -> int:
        """How long the stream is so far."""
        return self._audio.position_ms

    @property
    def in_turn(self) -> bool:
        """Whether the user is speaking."""
        return self._turn is not None

    def configure(self, configuration: Configuration) -> None:
        """Go by other rules from now on."""
        self._detects = configuration.turn_detection is not None
        if not self._detects:
            # What is being said goes into the buffer that the client will commit.
            self._committed_ms = self._turn.start_ms if self._turn else self.position_ms
            self._turn = None
        self._hearing.configure(configuration.hearing())

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples of the stream."""
        self._audio.append(samples)
        # Heard even where it decides nothing: its positions are those of the stream.
        for event in self._hearing.feed(samples):
            if not self._detects:
                continue
            if isinstance(event, SpeechBegan):
                self._turn = Turn(identifier("item"), event.at_ms)
                self._observer.turn_began(self._turn)
            elif self._turn is not None:
                turn, self._turn = self._turn, None
                self._observer.turn_ended(self._finished(turn))
        if self._turn is None and self._detects:
            self._audio.forget(self.position_ms - _REACH_BACK_MS)

    def commit(self) -> Heard:
        """End the turn because the client says so.

        Raises:
            Rejected: there is not enough audio to be a turn.
        """
        if self._detects:
            turn, self._turn = self._turn, None
        else:
            turn = Turn(identifier("item"), self._committed_ms)
        length = self.position_ms - turn.start_ms if turn else 0
        if turn is None or length < SHORTEST_COMMIT_MS:
            raise Rejected(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{SHORTEST_COMMIT_MS}ms of audio, but buffer only has {length:.2f}ms of audio.",
            )
        return self._finished(turn)

    def clear(self) -> None:
        """Throw away what is not committed."""
        self._turn = None
        self._committed_ms = self.position_ms
        self._audio.forget(self.position_ms)

    def _finished(self, turn: Turn) -> Heard:
        end_ms = self.position_ms
        heard = Heard(turn.item_id, end_ms, self._audio.between(turn.start_ms, end_ms))
        self._committed_ms = end_ms
        self._audio.forget(end_ms - _REACH_BACK_MS)
        return heard
