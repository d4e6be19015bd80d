"""The time line of one turn, drawn: the newest one, or an earlier one that was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from voicepilot.debug import browser
from voicepilot.debug.timeline import LANES, Bar, Row, Timeline, TurnLanes, picture

_NARROW: Final = 18.0
"""Percent of the width below which a bar's words stand beside it, where there is room."""

_ROOM: Final = 20.0


class TimelineView:
    """Five lanes with an axis, the moments in words, and two buttons to go through the turns."""

    def __init__(self) -> None:
        self._timeline = Timeline()
        self._chosen: int | None = None
        self._drawn: tuple[object, ...] = ()
        self._name = browser.find("turn-name")
        self._moments = browser.find("moments")
        self._before = browser.find("turn-before")
        self._after = browser.find("turn-after")
        self._tracks = {}
        for name in (*LANES, ""):
            row = browser.element("div", "lane" if name else "lane axis")
            row.dataset.lane = name
            self._tracks[name] = browser.element("div", "track")
            row.append(browser.element("span", "lane-name", name), self._tracks[name])
            browser.find("lanes").append(row)

        @browser.when("click", "#turn-before")
        def earlier(_event: object) -> None:
            self._choose(-1)

        @browser.when("click", "#turn-after")
        def later(_event: object) -> None:
            self._choose(1)

    def show(self, timeline: Timeline) -> None:
        """Draw this time line from now on."""
        self._timeline, self._chosen, self._drawn = timeline, None, ()

    def draw(self, now: float) -> None:
        """Draw the turn as it is now."""
        turns = list(self._timeline.turns)
        turn = self._turn(turns)
        state = (turn, len(turns), turn.running and now, turn.end) if turn else (None,)
        if state == self._drawn:
            return
        self._drawn = state
        place = turns.index(turn) if turn else 0
        self._before.disabled = place == 0
        self._after.disabled = turn is None or turn is turns[-1]
        if turn is None:
            self._clear()
            return
        self._name.textContent = f"Turn {turn.number}, {turn.kind}" + (
            ", running" if turn.running else ""
        )
        self._draw_lanes(turn, now)

    def _draw_lanes(self, turn: TurnLanes, now: float) -> None:
        drawn = picture(turn, now)
        for row in drawn.rows:
            children = [node for bar in row.bars for node in _bar(bar, row)]
            for point in row.points:
                words = f"{row.name}: {point.label} {point.at:.0f} ms"
                children.append(_at(point.left, browser.element("div", "moment", title=words)))
            self._tracks[row.name].replaceChildren(*children)
        ticks = [
            _at(tick.left, browser.element("span", "tick", tick.label)) for tick in drawn.ticks
        ]
        self._tracks[""].replaceChildren(*ticks)
        self._moments.textContent = " · ".join(drawn.words)

    def _clear(self) -> None:
        self._name.textContent = "No turn yet"
        self._moments.textContent = "Say or write something in a call, or replay a recording."
        for track in self._tracks.values():
            track.replaceChildren()

    def _turn(self, turns: list[TurnLanes]) -> TurnLanes | None:
        for turn in turns:
            if turn.number == self._chosen:
                return turn
        return turns[-1] if turns else None

    def _choose(self, step: int) -> None:
        turns = list(self._timeline.turns)
        turn = self._turn(turns)
        if turn is None:
            return
        place = min(max(0, turns.index(turn) + step), len(turns) - 1)
        # The newest is followed, the others stay.
        self._chosen = None if place == len(turns) - 1 else turns[place].number
        self.draw(browser.now())


def _bar(bar: Bar, row: Row) -> Iterator[Any]:
    words = f"{bar.label} {bar.lasts:.0f} ms"
    wide = bar.width > _NARROW
    node = _at(bar.left, browser.element("div", "bar", words if wide else ""))
    node.style.width = f"{bar.width:.2f}%"
    node.title = f"{row.name}: {words}"
    if bar.running:
        node.dataset.running = ""
    yield node
    end = bar.left + bar.width
    things = [*(each.left for each in row.bars), *(each.left for each in row.points), 100.0]
    if not wide and min(left for left in things if left > bar.left or left == 100.0) - end > _ROOM:
        yield _at(end, browser.element("span", "beside", words))


def _at(left: float, node: Any) -> Any:
    node.style.left = f"{left:.2f}%"
    return node
