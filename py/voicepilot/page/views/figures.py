"""How good is the connection, and what did the call cost in tokens?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from voicepilot.page import seam
from voicepilot.page.link_statistics import LinkStatistics
from voicepilot.page.views import wording
from voicepilot.page.views.wording import figure
from voicepilot.protocol.usage import Usage

if TYPE_CHECKING:
    from voicepilot.page.seam import Element

Figures: TypeAlias = Sequence[tuple[str, str]]


class FiguresView:
    """A list of names and values; the names stay, the values change."""

    def __init__(self, element_id: str) -> None:
        self._list: Element = seam.find(element_id)
        self._values: dict[str, Element] = {}
        self._drawn: dict[str, str] = {}

    def draw(self, figures: Figures) -> None:
        """Show these values."""
        for name, value in figures:
            if name not in self._values:
                self._values[name] = seam.create("dd")
                self._list.append(seam.create("dt", text=name), self._values[name])
            if self._drawn.get(name) != value:
                self._drawn[name] = value
                self._values[name].textContent = value


def connection_figures(link: str, statistics: LinkStatistics) -> Figures:
    """The connection in words. `link` is the state of the peer connection."""
    return (
        ("Link", link),
        ("Round trip", figure(statistics.round_trip, "ms")),
        ("Jitter buffer", figure(statistics.jitter_buffer, "ms")),
        ("Packets lost", figure(statistics.loss, "%", decimals=1)),
        ("Received", figure(statistics.received_rate, "kbit/s")),
        ("Sent", figure(statistics.sent_rate, "kbit/s")),
        ("Transport", statistics.transport or wording.UNKNOWN),
    )


def usage_figures(usage: Usage) -> Figures:
    """The tokens of the call."""
    return (
        ("Input", f"{usage.input_tokens:,}"),
        ("Input, audio", f"{usage.input_audio_tokens:,}"),
        ("Input, cached", f"{usage.cached_tokens:,}"),
        ("Output", f"{usage.output_tokens:,}"),
        ("Output, audio", f"{usage.output_audio_tokens:,}"),
        ("Total", f"{usage.total_tokens:,}"),
    )
