"""How long did the last answer take to begin, and where did the time go?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicepilot.page import seam
from voicepilot.page.views import wording
from voicepilot.session.latency import TurnLatency

if TYPE_CHECKING:
    from voicepilot.page.seam import Element


class LatencyView:
    """The latency of the last turn: its total, a bar of its parts, and the parts in words."""

    def __init__(self) -> None:
        self._place: Element = seam.find("latency")
        self._total: Element = seam.find("latency-total")
        self._bar: Element = seam.find("latency-bar")
        self._parts: Element = seam.find("latency-parts")
        self._drawn: TurnLatency | None = None

    def draw(self, latency: TurnLatency | None) -> None:
        """Show the latency; nothing while there is none."""
        if latency is self._drawn:
            return
        self._drawn = latency
        self._place.hidden = latency is None
        if latency is None:
            return
        self._total.textContent = wording.duration(latency.total)
        bars, lines = [], []
        for name, milliseconds in latency.parts:
            bar: Element = seam.create("span")
            bar.style.flexGrow = f"{max(milliseconds, 0.0):.1f}"
            bars.append(bar)
            line: Element = seam.create("li")
            line.append(
                seam.create("span", text=name.capitalize()),
                seam.create("span", "figure", wording.duration(milliseconds)),
            )
            lines.append(line)
        self._bar.replaceChildren(*bars)
        self._parts.replaceChildren(*lines)
