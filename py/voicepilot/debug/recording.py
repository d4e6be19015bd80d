"""How does a recorded call run again, at its own speed?

`read_recording` takes an event log as the inspector downloads it and `voicepilot replay` reads it: one
JSON object a line, `{"direction", "at", "event"}`; what a recording (`session.recording`) has beside that is
passed over. `Player` says which of its events are due; `Replay`
feeds them to a `Call` of its own, under the log's own times, and keeps the log that the inspector shows.
What the core commands on the way is not carried out: what was sent then is in the recording.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from voicepilot.page.event_log import Direction, EventLog
from voicepilot.protocol.codec import parse_object
from voicepilot.protocol.dialects import client_event_to_ga
from voicepilot.session import Call
from voicepilot.session.feed import put_in_silence
from voicepilot.session.recording import is_beside

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 5.0, 20.0)

_ATTEMPT: Final = 1
_UNTIMED_STEP: Final = 0.1
"""Seconds between events of a log without times."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of a recording; `at` is in seconds from its start."""

    direction: Direction
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Recording:
    """The events of a log in order of time, and the lines that could not be read, with the reason."""

    events: tuple[Recorded, ...]
    broken: tuple[tuple[int, str], ...] = ()

    @property
    def length(self) -> float:
        """Seconds from the first event to the last."""
        return self.events[-1].at if self.events else 0.0


def read_recording(lines: Iterable[str]) -> Recording:
    """Read a log; a broken line is reported and the rest still read."""
    events: list[Recorded] = []
    broken: list[tuple[int, str]] = []
    first: float | None = None
    latest = 0.0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entry = parse_object(line)
        if isinstance(entry, str):
            broken.append((number, entry.replace("message", "line")))
            continue
        if is_beside(entry):
            continue
        event = entry.get("event", None if "direction" in entry else entry)
        direction = entry.get("direction", "received")
        if direction not in ("sent", "received") or not isinstance(event, dict | str):
            broken.append((number, "the line has no event"))
            continue
        at = entry.get("at") if event is not entry else None
        if isinstance(at, int | float) and not isinstance(at, bool):
            first = at if first is None else first
            latest = max(latest, at - first)  # a clock that was set back must not hold up the rest
        elif events:
            latest += _UNTIMED_STEP
        text = event if isinstance(event, str) else json.dumps(put_in_silence(event))
        events.append(Recorded(direction, latest, text))
    return Recording(tuple(events), tuple(broken))


class Player:
    """Where a recording is, and how fast it goes. `now` is in seconds on any monotonic clock."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.speed = 1.0
        self._next = 0
        self._position = 0.0
        self._since: float | None = None

    @property
    def playing(self) -> bool:
        """Whether time goes on."""
        return self._since is not None

    @property
    def over(self) -> bool:
        """Whether every event was handed out."""
        return self._next >= len(self.recording.events)

    def position(self, now: float) -> float:
        """Seconds from the recording's start."""
        if self._since is None:
            return self._position
        return min(self.recording.length, self._position + (now - self._since) * self.speed)

    def play(self, now: float) -> None:
        """Let time go on."""
        if self._since is None and not self.over:
            self._since = now

    def pause(self, now: float) -> None:
        """Let time stand still."""
        self._position, self._since = self.position(now), None

    def change_speed(self, speed: float, now: float) -> None:
        """Go on `speed` times as fast as it was. Raises ValueError unless it is more than 0."""
        if speed <= 0:
            raise ValueError("time goes forward only")
        self._position = self.position(now)
        self._since = now if self.playing else None
        self.speed = speed

    def due(self, now: float) -> list[Recorded]:
        """The events whose time has come since the last call; after the last one it pauses."""
        position = self.position(now)
        found: list[Recorded] = []
        events = self.recording.events
        while self.playing and not self.over and events[self._next].at <= position:
            found.append(events[self._next])
            self._next += 1
        if self.over:
            self.pause(now)
        return found

    def next_in(self, now: float) -> float | None:
        """Seconds until the next event is due; None while nothing will be."""
        if not self.playing or self.over:
            return None
        return max(0.0, (self.recording.events[self._next].at - self.position(now)) / self.speed)


class Replay:
    """A call that is made of a recording."""

    def __init__(self) -> None:
        self.call = Call()
        self.log = EventLog()
        self.call.talk(0.0)
        self.call.microphone_opened(_ATTEMPT, 0.0)
        self.call.answered(_ATTEMPT, "", 0.0)
        self.call.channel_opened(_ATTEMPT, 0.0)

    def take(self, event: Recorded) -> None:
        """The next event of the recording happens."""
        self.log.add(event.direction, event.text, event.at)
        if event.direction == "received":
            self.call.receive(_ATTEMPT, event.text, event.at)
            return
        sent = parse_object(event.text)
        if isinstance(sent, dict):
            self.call.record.sent(client_event_to_ga(sent), event.at)

    def end(self, at: float) -> None:
        """The recording is over, and so is the call."""
        self.call.stop(at)
