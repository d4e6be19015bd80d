"""Which events went over the data channel?

The newest events that match the filter, one line each; a line opens to the whole event. Nothing is drawn
while the drawer is closed or the list is paused; the log goes on meanwhile.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from voicepilot.page import seam
from voicepilot.page.event_log import Entry, EventLog
from voicepilot.page.scope import Scope
from voicepilot.protocol.json_text import parse_json

if TYPE_CHECKING:
    from voicepilot.page.seam import Element, Event, HTMLButtonElement, HTMLInputElement

_MOST_LINES: Final = 300
_NEAR_THE_END: Final = 24.0  # pixels


class InspectorView:
    """The event list with its filter, Pause, Clear and Download."""

    def __init__(self, scope: Scope, log: EventLog) -> None:
        self._log = log
        self._list: Element = seam.find("events")
        self._count: Element = seam.find("events-count")
        self._filter: HTMLInputElement = seam.find("events-filter")
        self._pause: HTMLButtonElement = seam.find("events-pause")
        self._lines: dict[int, tuple[Entry, Element]] = {}
        self._seen = 0
        self._paused = False
        self._told = -1
        seam.listen(scope, self._filter, "input", lambda _event: self._draw_anew())
        seam.listen(scope, self._pause, "click", lambda _event: self._toggle_pause())
        seam.listen(scope, seam.find("events-clear"), "click", lambda _event: self._clear())
        seam.listen(scope, seam.find("events-download"), "click", lambda _event: self._download())
        # `toggle` does not bubble, but it is captured on its way down: one listener for all lines.
        seam.listen(scope, self._list, "toggle", self._open, capture=True)

    def show(self, log: EventLog) -> None:
        """List the events of this log from now on."""
        self._log, self._told = log, -1
        self._draw_anew()

    def draw(self) -> None:
        """Add the events that came since the last time."""
        if self._told != self._log.total:
            self._told = self._log.total
            self._count.textContent = f"{len(self._log)} kept of {self._log.total}"
        if self._paused:
            return
        newer = self._log.since(self._seen)
        if not newer:
            return
        self._seen = newer[-1].number
        follow = self._at_end()
        wanted = self._filter.value.strip().lower()
        matching = [entry for entry in newer if wanted in entry.kind.lower()][-_MOST_LINES:]
        lines = [self._line(entry) for entry in matching]
        if lines:
            self._list.append(*lines)
            self._trim()
            if follow:
                self._list.scrollTop = self._list.scrollHeight

    def _line(self, entry: Entry) -> Element:
        line: Element = seam.create("details")
        line.dataset.number = str(entry.number)
        line.dataset.direction = entry.direction
        line.dataset.type = entry.kind
        summary: Element = seam.create("summary")
        summary.append(
            seam.create("span", "at", f"{entry.at:.3f} s"),
            seam.create("span", "way", entry.direction),
            seam.create("span", "kind", entry.kind),
        )
        line.append(summary, seam.create("pre"))
        self._lines[entry.number] = (entry, line)
        return line

    def _open(self, event: Event) -> None:
        line: Any = event.target
        found = self._lines.get(int(line.dataset.number))
        if found is not None and line.open:
            _summary, whole = line.children
            whole.textContent = _indented(found[0].text)

    def _trim(self) -> None:
        while len(self._lines) > _MOST_LINES:
            _entry, line = self._lines.pop(next(iter(self._lines)))
            line.remove()

    def _draw_anew(self) -> None:
        self._lines.clear()
        self._list.replaceChildren()
        self._seen = 0
        paused, self._paused = self._paused, False
        self.draw()
        self._paused = paused

    def _toggle_pause(self) -> None:
        self._paused = not self._paused
        self._pause.textContent = "Resume" if self._paused else "Pause"
        self.draw()

    def _clear(self) -> None:
        self._log.clear()
        self._told = -1
        self._draw_anew()

    def _download(self) -> None:
        seam.download("voicepilot-events.jsonl", self._log.lines(), "application/x-ndjson")

    def _at_end(self) -> bool:
        shown = self._list
        return shown.scrollHeight - shown.scrollTop - shown.clientHeight < _NEAR_THE_END


def _indented(text: str) -> str:
    try:
        return json.dumps(parse_json(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
