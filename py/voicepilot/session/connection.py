"""How far has the call come? The states of the connection and what moves it between them.

Rules
- Talk begins a new attempt from rest (idle, ended, failed). The microphone is asked for first; the service
  is bothered only when it was granted.
- The service's answer (SDP) leads to connecting; the open data channel makes the call live. The channel may
  be reported before the answer.
- A sound connection that does not come may be given up for another way (`transport.py`), which is opened
  at the service anew.
- A link that drops is reconnecting for a time of grace; it comes back by itself or the call fails.
- Stop ends an attempt from every state of it, a failure fails it.
- What is not in the table is illegal: it raises and changes nothing. A late answer of an old attempt never
  gets here (`call.py` compares attempts).

States that wait have a limit in seconds, after which the input of the second table applies.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ..protocol.problems import Problem, problem


class State(StrEnum):
    """Where an attempt stands."""

    IDLE = "idle"
    REQUESTING_MICROPHONE = "requesting-microphone"
    SIGNALLING = "signalling"
    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    FAILED = "failed"


class Input(StrEnum):
    """What can happen to a connection."""

    TALK = "talk"
    MICROPHONE_GRANTED = "microphone granted"
    ANSWERED = "answered"
    CHANNEL_OPENED = "channel opened"
    FELL_BACK = "fell back"
    LINK_LOST = "link lost"
    LINK_BACK = "link back"
    STOP = "stop"
    FAIL = "fail"


_S, _I = State, Input

_TRANSITIONS: Final[dict[State, dict[Input, State]]] = {
    _S.IDLE: {_I.TALK: _S.REQUESTING_MICROPHONE},
    _S.REQUESTING_MICROPHONE: {
        _I.MICROPHONE_GRANTED: _S.SIGNALLING,
        _I.STOP: _S.ENDED,
        _I.FAIL: _S.FAILED,
    },
    _S.SIGNALLING: {
        _I.ANSWERED: _S.CONNECTING,
        _I.CHANNEL_OPENED: _S.LIVE,
        _I.FELL_BACK: _S.SIGNALLING,
        _I.STOP: _S.ENDED,
        _I.FAIL: _S.FAILED,
    },
    _S.CONNECTING: {
        _I.CHANNEL_OPENED: _S.LIVE,
        _I.FELL_BACK: _S.SIGNALLING,
        _I.STOP: _S.ENDED,
        _I.FAIL: _S.FAILED,
    },
    _S.LIVE: {_I.LINK_LOST: _S.RECONNECTING, _I.STOP: _S.ENDED, _I.FAIL: _S.FAILED},
    _S.RECONNECTING: {_I.LINK_BACK: _S.LIVE, _I.STOP: _S.ENDED, _I.FAIL: _S.FAILED},
    _S.ENDED: {_I.TALK: _S.REQUESTING_MICROPHONE},
    _S.FAILED: {_I.TALK: _S.REQUESTING_MICROPHONE},
}

LIMITS: Final[dict[State, tuple[float, str]]] = {
    _S.SIGNALLING: (20.0, "service-unreachable"),
    _S.CONNECTING: (10.0, "connection-timeout"),
    _S.RECONNECTING: (5.0, "connection-lost"),
}
"""State: (seconds it may last, code of the problem that ends it)."""

RESTING: Final = frozenset({_S.IDLE, _S.ENDED, _S.FAILED})
"""States in which no attempt is under way."""

ONLINE: Final = frozenset({_S.LIVE, _S.RECONNECTING})
"""States in which the service's events count."""


class IllegalInputError(Exception):
    """An input that the present state does not take; nothing has changed."""


class Connection:
    """The state of the present attempt and the time at which it has lasted too long."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.attempt = 0
        self.deadline: float | None = None

    def allows(self, what: Input) -> bool:
        """Whether `what` is legal now."""
        return what in _TRANSITIONS[self.state]

    def apply(self, what: Input, now: float, within: float | None = None) -> State:
        """Move on; raise `IllegalInputError` and change nothing where the table has no entry.

        `within` is a limit in seconds for the new state, in the place of the one of the table.
        """
        try:
            state = _TRANSITIONS[self.state][what]
        except KeyError:
            raise IllegalInputError(f"{what.value} while {self.state.value}") from None
        if what is Input.TALK:
            self.attempt += 1
        self.state = state
        limit = LIMITS.get(state)
        seconds = within if within is not None else limit[0] if limit else None
        self.deadline = now + seconds if seconds is not None else None
        return state

    def overdue(self, now: float) -> Problem | None:
        """The problem that ends a state that has lasted too long, None while it may last."""
        if self.deadline is None or now < self.deadline:
            return None
        seconds, code = LIMITS[self.state]
        return problem(code, seconds=round(seconds))

    @property
    def lost(self) -> Problem:
        """The problem that it is when the link goes for good now."""
        if self.state in ONLINE:
            return problem("connection-lost")
        return problem("connection-timeout", seconds=round(LIMITS[State.CONNECTING][0]))
