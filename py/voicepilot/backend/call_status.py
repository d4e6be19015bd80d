"""What is true of the call right now, wherever its page is?

Follows the inputs that the pages feed to the backend, and tells when what people see at a glance has
changed: the phase, whether the microphone is muted, what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from voicepilot.bridge.host_messages import Status
from voicepilot.session import Phase
from voicepilot.session.conversation import Conversation
from voicepilot.session.feed import Entry
from voicepilot.session.mirror import CallMirror


class CallStatus:
    """Listens to a `Feed`. `tell` is called with each new status."""

    def __init__(self, tell: Callable[[Status], None]) -> None:
        self.status = Status(Phase.IDLE.value, muted=False)
        self._tell = tell
        self._calls = CallMirror()

    @property
    def conversation(self) -> Conversation:
        """What was said at the page that talked last."""
        return self._calls.call.conversation

    def heard(self, page: str, entry: Entry) -> None:
        """The core of `page` was told this."""
        self._calls.hear(page, entry)
        call = self._calls.call
        problem = call.problem.says if call.problem is not None else ""
        status = Status(call.phase.value, call.muted, problem)
        if status != self.status:
            self.status = status
            self._tell(status)

    def missed(self, page: str) -> None:
        """Inputs of `page` are missing: what it does now can no longer be told."""
        self._calls.lose(page)
