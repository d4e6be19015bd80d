"""What went over the data channel?

A bounded record of the protocol for the inspector and for download, in the form that
`voicepilot replay` reads: one JSON object a line, `{"direction", "at", "event"}`. It holds what was said
and stays in the page unless the person downloads it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from voicepilot.protocol.json_text import parse_json

Direction: TypeAlias = Literal["sent", "received"]

MOST_EVENTS: Final = 5000
MOST_CHARACTERS: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it went over the wire. `number` counts from 1, `at` is in seconds from the start."""

    number: int
    direction: Direction
    at: float
    text: str

    @property
    def kind(self) -> str:
        """Its type. Read only where it is shown: most events are never looked at."""
        return kind_of(self.text)

    def line(self) -> str:
        """The entry as a line of the download."""
        try:
            event = parse_json(self.text)
        except ValueError:
            event = self.text  # what was no JSON is kept as the text that it was
        return json.dumps({"direction": self.direction, "at": round(self.at, 4), "event": event})


def kind_of(text: str) -> str:
    """The type that an event's text says it has; `?` where it says none."""
    try:
        event = parse_json(text)
    except ValueError:
        return "?"
    kind = event.get("type") if isinstance(event, dict) else None
    return kind if isinstance(kind, str) else "?"


class EventLog:
    """The newest events, oldest first; the oldest go when there are too many or they are too long."""

    def __init__(
        self, *, most_events: int = MOST_EVENTS, most_characters: int = MOST_CHARACTERS
    ) -> None:
        self._entries: deque[Entry] = deque()
        self._characters = 0
        self._start: float | None = None
        self._most_events = most_events
        self._most_characters = most_characters
        self.total = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def started(self) -> float:
        """The clock's time that the entries' times count from."""
        return self._start or 0.0

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, direction: Direction, text: str, now: float) -> None:
        """Record one event."""
        if self._start is None:
            self._start = now
        self.total += 1
        self._entries.append(Entry(self.total, direction, now - self._start, text))
        self._characters += len(text)
        while len(self._entries) > self._most_events or (
            self._characters > self._most_characters and len(self._entries) > 1
        ):
            self._characters -= len(self._entries.popleft().text)

    def since(self, number: int) -> list[Entry]:
        """The entries after this number that are still here, oldest first."""
        newer: list[Entry] = []
        for entry in reversed(self._entries):
            if entry.number <= number:
                break
            newer.append(entry)
        newer.reverse()
        return newer

    def clear(self) -> None:
        """Forget the events; numbers go on."""
        self._entries.clear()
        self._characters = 0

    def restart(self) -> None:
        """Forget the events; their times count from the next one."""
        self.clear()
        self._start = None

    def lines(self) -> str:
        """The whole log as JSON Lines."""
        return "".join(entry.line() + "\n" for entry in self._entries)
