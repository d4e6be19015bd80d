"""Did the running call take the change of its settings?

A `session.update` is answered with `session.updated`, which holds the whole session, or with an error. Azure
is reported to ignore updates over the data channel silently. So every change is kept until an echo holds all
of it; what is refused, or not echoed in `ECHO_SECONDS`, has not been taken and counts from the next call.

A change that is wished for while the call is still being opened waits until events can be sent: the session
may have been made before it.

The echo is compared with what was asked for, field by field: it may hold more, and a field that is off may be
null or absent. No clock here: `now` is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..protocol.readers import Json

ECHO_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Change:
    event_id: str
    session: Json
    deadline: float


class Configuring:
    """The changes that the service has not confirmed."""

    def __init__(self) -> None:
        self._awaited: list[_Change] = []
        self._early: list[Json] = []

    @property
    def deadline(self) -> float | None:
        """When the first of them has been waited for too long."""
        return self._awaited[0].deadline if self._awaited else None

    def keep(self, session: Json) -> None:
        """A change is wished for before it can be sent."""
        self._early.append(session)

    def take_kept(self) -> list[Json]:
        """What was wished for early, once."""
        kept, self._early = self._early, []
        return kept

    def asked(self, event_id: str, session: Json, now: float) -> None:
        """An update with this `session` was sent."""
        self._awaited.append(_Change(event_id, session, now + ECHO_SECONDS))

    def echoed(self, session: Json) -> bool:
        """The service described the session; return whether that confirmed a change."""
        before = len(self._awaited)
        self._awaited = [each for each in self._awaited if not _holds(session, each.session)]
        return len(self._awaited) < before

    def refused(self, event_id: str) -> bool:
        """An event was refused; return whether it was one of the changes."""
        before = len(self._awaited)
        self._awaited = [each for each in self._awaited if each.event_id != event_id]
        return len(self._awaited) < before

    def tick(self, now: float) -> bool:
        """Give up what has been waited for too long; return whether there was any."""
        before = len(self._awaited)
        self._awaited = [each for each in self._awaited if now < each.deadline]
        return len(self._awaited) < before


def _holds(echo: Any, asked: Any) -> bool:
    """Whether the echo holds everything that was asked for."""
    if isinstance(asked, dict):
        found = echo if isinstance(echo, dict) else {}
        return all(_holds(found.get(name), value) for name, value in asked.items())
    return bool(echo == asked)
