"""What does a client see of a service that garbles its events?

By count, not by chance, so that a failure can be repeated: before every fourth event comes something
malformed or unknown, every third comes twice, and every fifth is held back until two others have passed it
(or a moment has), if its order carries no meaning of its own. Responses still begin before they end and
sounds before they stop: a channel that is reliable and ordered cannot break that, and the clients' own state
machines are not what is tried here.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_HOLD_S: Final = 0.3
_PASSED_BY: Final = 2
_MAY_BE_LATE: Final = frozenset(
    {
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "input_audio_buffer.committed",
        "rate_limits.updated",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_audio_transcript.delta",
        "response.output_item.added",
    }
)
GARBAGE: Final = (
    "",
    "no JSON at all",
    '{"type": "response.output_audio_transcript.delta", "delta": "cut in the mid',
    "[]",
    "null",
    '"response.done"',
    "{}",
    '{"type": 7}',
    '{"type": "response.thought.delta", "event_id": "event_x", "delta": "hm"}',
    '{"type": "response.done", "response": "none"}',
    '{"type": "response.done", "response": {"id": "resp_stranger", "status": "failed"}}',
    '{"type": "conversation.item.added", "item": {"id": 3}}',
    '{"type": "session.updated", "session": null}',
    '{"type": "output_audio_buffer.stopped"}',
    '{"type": "response.output_audio_transcript.delta", "item_id": null, "delta": ["a"]}',
)
"""What comes between the events, in turn."""


class Garbler:
    """Sends one call's events, garbled. ``send`` puts a text on the data channel."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._count = 0
        self._late: str | None = None
        self._passed = 0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, text: str) -> None:
        """Send an event, with what belongs to it here."""
        self._count += 1
        if self._count % 4 == 0:
            self._send(GARBAGE[self._count // 4 % len(GARBAGE)])
        late = self._count % 5 == 0 and json.loads(text)["type"] in _MAY_BE_LATE
        if late and self._late is None:
            self._late, self._passed = text, 0
            self._timer = asyncio.get_running_loop().call_later(_HOLD_S, self.flush)
            return
        self._send(text)
        if self._count % 3 == 0:
            self._send(text)
        self._passed += 1
        if self._passed >= _PASSED_BY:
            self.flush()

    def flush(self) -> None:
        """Hold nothing back any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._late is not None:
            late, self._late = self._late, None
            self._send(late)

    def close(self) -> None:
        """Forget what is held back."""
        self._late = None
        self.flush()
