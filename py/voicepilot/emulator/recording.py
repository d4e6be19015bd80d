"""How is a recorded call served again?

Its events are sent with the times between them as they were, over the client's data channel or WebSocket.
What the service only does when it is asked waits until the client asks: each ``sent`` event of the
recording of one of these types lets one of the client's pass, and the clock goes on from there. Other
things that the client sent then (an interruption) are not waited for. Nothing is heard: recordings hold no
sound.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from typing import Any, Final

from voicepilot.protocol.json_text import parse_json
from voicepilot.session.feed import put_in_silence
from voicepilot.session.recording import RecordedEvent, read_recording

WAITED_FOR: Final = frozenset(
    {
        "conversation.item.create",
        "input_audio_buffer.commit",
        "response.create",
        "session.update",
    }
)
"""What a client asks for, so that the events after it are the answer."""

_SESSION_LIFE_S: Final = 3600


class EmptyRecordingError(ValueError):
    """The file has no call with events in it."""


class RecordedCalls:
    """The calls of one recording, served one after the other, from the beginning again after the last."""

    def __init__(self, calls: Sequence[Sequence[RecordedEvent]]) -> None:
        if not calls:
            raise EmptyRecordingError("the recording has no call with events in it")
        self._next: Iterator[Sequence[RecordedEvent]] = cycle(calls)

    @classmethod
    def read(cls, lines: Iterable[str | bytes]) -> RecordedCalls:
        """Read a recording.

        Raises:
            EmptyRecordingError: nothing in it can be served.
        """
        calls = read_recording(lines).calls
        served = [events for events in calls.values() if not all(each.sent for each in events)]
        return cls(served)

    def next(self) -> Sequence[RecordedEvent]:
        """The events of the call that is opened now."""
        return next(self._next)


class Player:
    """Plays one recorded call to one client.

    Args:
        events: as recorded.
        send: takes each event of the service.
    """

    def __init__(
        self, events: Sequence[RecordedEvent], send: Callable[[dict[str, Any]], None]
    ) -> None:
        self._events = events
        self._send = send
        self._asked: Counter[str] = Counter()
        self._news = asyncio.Event()

    def receive(self, text: str) -> None:
        """Take a text of the client."""
        try:
            event = parse_json(text)
        except ValueError:
            return
        kind = event.get("type") if isinstance(event, dict) else None
        if isinstance(kind, str):
            self._asked[kind] += 1
            self._news.set()

    async def run(self) -> None:
        """Play it to its end."""
        loop = asyncio.get_running_loop()
        start = next((each.at for each in self._events if not each.sent), 0.0)
        zero = loop.time() - start
        for each in self._events:
            kind = each.event["type"]
            if not each.sent:
                await asyncio.sleep(max(0.0, zero + each.at - loop.time()))
                self._send(_of_now(put_in_silence(each.event)))
            elif kind in WAITED_FOR:
                await self._be_asked(kind)
                zero = loop.time() - each.at

    async def _be_asked(self, kind: str) -> None:
        while not self._asked[kind]:
            self._news.clear()
            await self._news.wait()
        self._asked[kind] -= 1


def as_text(event: dict[str, Any]) -> str:
    """An event as it goes over the wire."""
    return json.dumps(event, ensure_ascii=False)


def _of_now(event: dict[str, Any]) -> dict[str, Any]:
    """The event, with a session in it that has not expired since it was recorded."""
    session = event.get("session")
    if isinstance(session, dict) and session.get("expires_at"):
        expires_at = int(time.time()) + _SESSION_LIFE_S
        return {**event, "session": {**session, "expires_at": expires_at}}
    return event
