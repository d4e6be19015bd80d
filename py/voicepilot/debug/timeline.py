"""When did what happen in a turn? Five lanes side by side, from the events and what the meters heard.

A turn begins with the service's first word of the user's speech, or with a typed message, and ends
where the next one begins. What belongs to it (a transcript, a response, its sound) may come later than
that and still stands in the turn that caused it, by the ids of items and responses.

Times are in seconds on the caller's clock, the moment that an event arrived here; durations shown are
milliseconds. The service's own account of time (`audio_start_ms`) is left out: it has another zero.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from voicepilot.protocol import server_events as ev
from voicepilot.protocol.codec import decode
from voicepilot.protocol.json_text import parse_json

LANES: Final = ("Microphone", "VAD", "Transcript", "Response", "Audio")

_MOST_TURNS: Final = 50
_MOST_SOUNDS: Final = 200
_LEAD: Final = 1.0
"""Seconds before a turn in which the microphone's sound still belongs to it."""

_PAUSE: Final = 0.25
"""A silence of less than so many seconds does not end a span of the microphone."""

_STEPS_MS: Final = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000)
_MOST_TICKS: Final = 10


@dataclass(slots=True)
class Span:
    """Something that lasted from `start` to `end`; None while it goes on."""

    start: float
    label: str
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one moment."""

    at: float
    label: str


@dataclass(slots=True)
class Lane:
    """The spans and marks of one kind."""

    spans: list[Span] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def open(self, now: float, label: str) -> None:
        """A span begins."""
        self.spans.append(Span(now, label))

    def close(self, now: float) -> None:
        """The newest span ends, if it goes on."""
        if self.spans and self.spans[-1].end is None:
            self.spans[-1].end = now


@dataclass(slots=True)
class TurnLanes:
    """One turn. `kind` says how the user took it: spoken, typed."""

    number: int
    start: float
    kind: str
    lanes: dict[str, Lane] = field(default_factory=lambda: {name: Lane() for name in LANES})

    @property
    def end(self) -> float:
        """The last moment that is known of it; what only the microphone hears does not prolong it."""
        moments = [self.start]
        for lane in self._but_the_microphone:
            moments += [mark.at for mark in lane.marks]
            moments += [span.start if span.end is None else span.end for span in lane.spans]
        return max(moments)

    @property
    def running(self) -> bool:
        """Whether something of it goes on."""
        lanes = self._but_the_microphone
        return any(span.end is None for lane in lanes for span in lane.spans)

    @property
    def _but_the_microphone(self) -> list[Lane]:
        return [lane for name, lane in self.lanes.items() if name != "Microphone"]


class Timeline:
    """Takes in what happens, and keeps the lanes of the newest turns."""

    def __init__(self) -> None:
        self.turns: deque[TurnLanes] = deque(maxlen=_MOST_TURNS)
        self._sounds: deque[Span] = deque(maxlen=_MOST_SOUNDS)
        self._items: dict[str, TurnLanes] = {}
        self._responses: dict[str, TurnLanes] = {}
        self._numbers = 0

    def heard_user(self, audible: bool, now: float) -> None:
        """The page's meter of the microphone was read."""
        last = self._sounds[-1] if self._sounds else None
        if audible:
            if last is not None and (last.end is None or now - last.end < _PAUSE):
                last.end = None
            else:
                span = Span(now, "sound")
                self._sounds.append(span)
                if self.turns and self.turns[-1].running:
                    self.turns[-1].lanes["Microphone"].spans.append(span)
        elif last is not None and last.end is None:
            last.end = now

    def heard_reply(self, now: float) -> None:
        """The page's meter heard the reply begin."""
        if self.turns:
            self.turns[-1].lanes["Audio"].marks.append(Mark(now, "heard"))

    def sent(self, text: str, now: float) -> None:
        """An event was sent."""
        try:
            event = parse_json(text)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        item = event.get("item")
        match event.get("type"):
            case "conversation.item.create" if isinstance(item, dict):
                if item.get("type") == "message":
                    turn = self._begin("typed", now)
                    turn.lanes["Transcript"].marks.append(Mark(now, "typed"))
                elif self.turns:
                    self.turns[-1].lanes["Response"].marks.append(Mark(now, "tool"))
            case "response.create" if self.turns:
                self.turns[-1].lanes["Response"].marks.append(Mark(now, "asked"))
            case "response.cancel" if self.turns:
                self.turns[-1].lanes["Response"].marks.append(Mark(now, "cancel"))

    def received(self, text: str, now: float) -> None:
        """An event came."""
        event = decode(text)
        match event:
            case ev.SpeechStarted():
                turn = self._begin("spoken", now)
                self._keep(self._items, event.item_id, turn)
                turn.lanes["VAD"].open(now, "speech")
            case ev.SpeechStopped():
                self._of_item(event.item_id, now).lanes["VAD"].close(now)
            case ev.BufferCommitted():
                turn = self._of_item(event.item_id, now)
                turn.lanes["VAD"].marks.append(Mark(now, "committed"))
                turn.lanes["Transcript"].open(now, "your words")
            case ev.TranscriptionCompleted() | ev.TranscriptionFailed():
                turn = self._of_item(event.item_id, now)
                self._close_labelled(turn.lanes["Transcript"], "your words", now)
                if isinstance(event, ev.TranscriptionFailed):
                    turn.lanes["Transcript"].marks.append(Mark(now, "failed"))
            case ev.ResponseCreated():
                turn = self._newest(now)
                self._keep(self._responses, event.response.id, turn)
                turn.lanes["Response"].open(now, "response")
            case ev.ResponseDone():
                turn = self._of_response(event.response.id, now)
                turn.lanes["Response"].close(now)
                if event.response.status not in ("", "completed"):
                    turn.lanes["Response"].marks.append(Mark(now, event.response.status))
            case ev.TranscriptDelta() | ev.TextDelta():
                lane = self._of_response(event.response_id, now).lanes["Transcript"]
                if not any(span.label == "answer" and span.end is None for span in lane.spans):
                    lane.open(now, "answer")
            case ev.TranscriptDone() | ev.TextDone():
                lane = self._of_response(event.response_id, now).lanes["Transcript"]
                self._close_labelled(lane, "answer", now)
            case ev.PlayoutStarted():
                self._of_response(event.response_id, now).lanes["Audio"].open(now, "audio")
            case ev.PlayoutStopped() | ev.PlayoutCleared():
                turn = self._of_response(event.response_id, now)
                turn.lanes["Audio"].close(now)
                if isinstance(event, ev.PlayoutCleared):
                    turn.lanes["Audio"].marks.append(Mark(now, "cleared"))
            case ev.Error() if self.turns:
                self.turns[-1].lanes["Response"].marks.append(Mark(now, "error"))

    def ended(self, now: float) -> None:
        """The call ended: nothing goes on."""
        self.heard_user(False, now)
        for turn in self.turns:
            for lane in turn.lanes.values():
                for span in lane.spans:
                    if span.end is None:
                        span.end = now

    def sounds(self, since: float, until: float) -> Iterator[Span]:
        """The spans of the microphone's sound that reach into this time."""
        for span in self._sounds:
            if span.start < until and (span.end is None or span.end > since):
                yield span

    # ---- inside

    def _begin(self, kind: str, now: float) -> TurnLanes:
        self._numbers += 1
        turn = TurnLanes(self._numbers, now, kind)
        # The same spans, not copies: one that goes on will end here too.
        turn.lanes["Microphone"].spans = list(self.sounds(now - _LEAD, now))
        self.turns.append(turn)
        return turn

    def _newest(self, now: float) -> TurnLanes:
        return self.turns[-1] if self.turns else self._begin("unasked", now)

    def _of_item(self, item_id: str, now: float) -> TurnLanes:
        return self._items.get(item_id) or self._newest(now)

    def _of_response(self, response_id: str, now: float) -> TurnLanes:
        return self._responses.get(response_id) or self._newest(now)

    @staticmethod
    def _close_labelled(lane: Lane, label: str, now: float) -> None:
        for span in lane.spans:
            if span.label == label and span.end is None:
                span.end = now

    @staticmethod
    def _keep(places: dict[str, TurnLanes], key: str, turn: TurnLanes) -> None:
        places[key] = turn
        while len(places) > 4 * _MOST_TURNS:
            del places[next(iter(places))]


@dataclass(frozen=True, slots=True)
class Bar:
    """A span as it is drawn: where it begins and how wide it is, in percent; its words; its times.

    `begins` is in milliseconds from the turn's start (what the microphone heard before is negative),
    `lasts` from its own.
    """

    left: float
    width: float
    label: str
    begins: float
    lasts: float
    running: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A mark or a tick as it is drawn: where, in percent, its words, milliseconds from the turn's start."""

    left: float
    label: str
    at: float


@dataclass(frozen=True, slots=True)
class Row:
    """What is drawn in one lane."""

    name: str
    bars: tuple[Bar, ...]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A turn as it is drawn: its lanes, and the ticks of the time axis below."""

    rows: tuple[Row, ...]
    ticks: tuple[Point, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Everything in it but the microphone, in order of time."""
        told = []
        for row in self.rows:
            if row.name != "Microphone":
                told += [
                    (bar.begins, f"{bar.label} {bar.begins:.0f} to {bar.begins + bar.lasts:.0f} ms")
                    for bar in row.bars
                ]
            told += [(point.at, f"{point.label} {point.at:.0f} ms") for point in row.points]
        return tuple(words for _, words in sorted(told, key=lambda each: each[0]))


def picture(turn: TurnLanes, now: float) -> Picture:
    """Lay a turn out over the whole width, from the first thing in it to its last, or to now."""
    spans = [span for lane in turn.lanes.values() for span in lane.spans]
    first = min([turn.start, *(span.start for span in spans)])
    last = max(now, turn.end) if turn.running else turn.end
    whole = max(last - first, 0.05) * 1.02  # what is at the very end is still seen

    def place(at: float) -> float:
        return (at - first) / whole * 100

    def bar(span: Span) -> Bar:
        end = last if span.end is None else min(span.end, last)
        lasts = max(0.0, end - span.start)
        begins = (span.start - turn.start) * 1000
        running = span.end is None
        return Bar(
            place(span.start), lasts / whole * 100, span.label, begins, lasts * 1000, running
        )

    def point(mark: Mark) -> Point:
        return Point(place(mark.at), mark.label, (mark.at - turn.start) * 1000)

    rows = (
        Row(
            name,
            tuple(bar(span) for span in lane.spans if span.start <= last),
            tuple(map(point, lane.marks)),
        )
        for name, lane in turn.lanes.items()
    )
    return Picture(tuple(rows), tuple(_ticks(turn.start - first, whole)))


def _ticks(before: float, whole: float) -> Iterator[Point]:
    """Round times from the turn's start, which is `before` seconds from the left edge."""
    fitting = (step for step in _STEPS_MS if whole * 1000 / step <= _MOST_TICKS)
    step = next(fitting, _STEPS_MS[-1])
    # None where its words would stand beyond the right edge.
    for number in range(int((whole * 0.93 - before) * 1000 / step) + 1):
        at = number * step
        words = f"{at} ms" if at < 1000 else f"{at / 1000:g} s"
        yield Point((before + at / 1000) / whole * 100, words, at)
