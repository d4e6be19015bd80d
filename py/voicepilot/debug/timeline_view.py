"""The time line of one turn, drawn: the newest one, or an earlier one that was chosen."""

from __future__ import annotations

from typing import Final

from voicepilot.debug import browser
from voicepilot.debug.timeline import LANES, Timeline, TurnLanes, picture

_NARROW: Final = 6.0
"""Percent of the width below which a bar has no words in it; they stand in the list below."""


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
        told = []
        for name, bars, marks in drawn.rows:
            children = []
            for bar in bars:
                words = f"{bar.label} {bar.milliseconds:.0f} ms"
                node = browser.element("div", "bar", words if bar.width > _NARROW else "")
                node.style.left, node.style.width = f"{bar.left:.2f}%", f"{bar.width:.2f}%"
                node.title = f"{name}: {words}"
                if bar.running:
                    node.dataset.running = ""
                if name != "Microphone":
                    told.append(words)
                children.append(node)
            for mark in marks:
                node = browser.element("div", "moment", title=f"{name}: {mark.label}")
                node.style.left = f"{mark.left:.2f}%"
                told.append(
                    f"{mark.label.rsplit(' ', 2)[0]} at {' '.join(mark.label.split()[-2:])}"
                )
                children.append(node)
            self._tracks[name].replaceChildren(*children)
        ticks = []
        for tick in drawn.ticks:
            node = browser.element("span", "tick", tick.label)
            node.style.left = f"{tick.left:.2f}%"
            ticks.append(node)
        self._tracks[""].replaceChildren(*ticks)
        self._moments.textContent = " · ".join(told)

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
