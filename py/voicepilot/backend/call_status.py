"""What is true of the call right now, wherever its page is?

Follows the inputs that the pages feed to the backend with cores of its own, and tells when what people
see at a glance has changed: the phase, whether the microphone is muted, what went wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from voicepilot.bridge.host_messages import Status
from voicepilot.protocol.dialects import check_dialect
from voicepilot.session import Call, Phase
from voicepilot.session.conversation import Conversation
from voicepilot.session.feed import Entry, apply

_log = logging.getLogger(__name__)

QUIET: Final = frozenset({Phase.IDLE, Phase.ENDED, Phase.FAILED})
"""Phases in which no call is under way."""


class CallStatus:
    """Listens to a `Feed`. `tell` is called with each new status."""

    def __init__(self, tell: Callable[[Status], None]) -> None:
        self.status = Status(Phase.IDLE.value, muted=False)
        self.dialect = "ga"
        self._tell = tell
        self._calls: dict[str, Call] = {}
        self._last = ""

    @property
    def under_way(self) -> bool:
        """Whether there is a call."""
        return self.status.state not in {phase.value for phase in QUIET}

    @property
    def conversation(self) -> Conversation | None:
        """What was said at the page that was heard of last."""
        return self._calls[self._last].conversation if self._last in self._calls else None

    def heard(self, page: str, entry: Entry) -> None:
        """The core of `page` was told this."""
        self._last = page
        call = self._calls.get(page)
        if call is None:
            call = self._calls[page] = Call(dialect=check_dialect(self.dialect))
        try:
            apply(call, entry)
        except (ValueError, TypeError):
            _log.warning("an input of a page could not be followed: %s", entry.name)
            return
        problem = call.problem.says if call.problem is not None else ""
        self._say(Status(call.phase.value, call.muted, problem))

    def missed(self, page: str) -> None:
        """Inputs of `page` are missing: what it does now can no longer be told."""
        self._calls.pop(page, None)

    def left(self) -> None:
        """No page is there any more that could have a call."""
        self._calls.clear()
        if self.under_way:
            self._say(Status(Phase.ENDED.value, muted=False))

    def _say(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self._tell(status)
