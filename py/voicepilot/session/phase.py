"""Which one word says how the call stands? The words of `<main data-state>`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from .connection import State
from .turn_taking import Floor


class Phase(StrEnum):
    """What the user is shown as the state of the call."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LISTENING = "listening"
    USER_SPEAKING = "user-speaking"
    THINKING = "thinking"
    ASSISTANT_SPEAKING = "assistant-speaking"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    FAILED = "failed"


_OF_CONNECTION: Final[dict[State, Phase]] = {
    State.IDLE: Phase.IDLE,
    State.REQUESTING_MICROPHONE: Phase.CONNECTING,
    State.SIGNALLING: Phase.CONNECTING,
    State.CONNECTING: Phase.CONNECTING,
    State.RECONNECTING: Phase.RECONNECTING,
    State.ENDED: Phase.ENDED,
    State.FAILED: Phase.FAILED,
}


def phase_of(state: State, floor: Floor) -> Phase:
    """In a live call who has the word, otherwise how far the connection has come."""
    return Phase(floor.value) if state is State.LIVE else _OF_CONNECTION[state]
