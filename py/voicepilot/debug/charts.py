"""Round trip, jitter buffer and levels over the last minute, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from voicepilot.debug import browser
from voicepilot.debug.series import Series, scale_for
from voicepilot.page.link_statistics import LinkStatistics

_WIDTH: Final = 300.0
_HEIGHT: Final = 60.0
_CLASSES: Final = ("first", "second")


class Chart:
    """Up to two lines in one scale, with a name, the newest values and the scale's top."""

    def __init__(
        self, element_id: str, name: str, series: Sequence[tuple[str, Series]], least: float
    ) -> None:
        self._series = series
        self._least = least
        self._name = name
        self._now = browser.element("span", "now")
        self._top = browser.element("span", "top")
        caption = browser.element("figcaption")
        caption.append(browser.element("span", "", name), self._top, self._now)
        self._picture = browser.svg(
            "svg", viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}", preserveAspectRatio="none", role="img"
        )
        self._groups: list[Any] = []
        for number in range(len(series)):
            style = {"class": _CLASSES[number]} if len(series) > 1 else {}
            self._groups.append(browser.svg("g", **style))
        self._picture.append(*self._groups)
        browser.find(element_id).append(caption, self._picture)

    def draw(self, now: float) -> None:
        """Draw the last minute."""
        top = scale_for([series for _, series in self._series], self._least)
        words = []
        for (name, series), group in zip(self._series, self._groups, strict=True):
            lines = series.lines(now, _WIDTH, _HEIGHT, top)
            group.replaceChildren(*(browser.svg("polyline", points=line) for line in lines))
            if series.last is not None:
                words.append(f"{name} {series.last:.0f} {series.unit}".strip())
        unit = self._series[0][1].unit
        said = ", ".join(words) or "nothing yet"
        self._now.textContent = said
        self._top.textContent = f"{top:.0f} {unit}"
        self._picture.setAttribute("aria-label", f"{self._name}: {said}")


class Charts:
    """The three charts and the series that they draw."""

    def __init__(self) -> None:
        self.round_trip = Series("ms")
        self.jitter_buffer = Series("ms")
        self.user = Series("%")
        self.assistant = Series("%")
        self._statistics: LinkStatistics | None = None
        self._charts = (
            Chart("chart-round-trip", "Round trip", [("", self.round_trip)], 5),
            Chart("chart-jitter-buffer", "Jitter buffer", [("", self.jitter_buffer)], 50),
            Chart("chart-levels", "Levels", [("you", self.user), ("it", self.assistant)], 100),
        )

    def sampled(self, statistics: LinkStatistics, now: float) -> None:
        """The connection's statistics; the same ones again add nothing."""
        if statistics is not self._statistics:
            self._statistics = statistics
            self.round_trip.add(statistics.round_trip, now)
            self.jitter_buffer.add(statistics.jitter_buffer, now)

    def draw(self, now: float) -> None:
        """Draw all of them."""
        for chart in self._charts:
            chart.draw(now)
