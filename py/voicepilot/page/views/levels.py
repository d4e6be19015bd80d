"""How loud are the two sides?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from voicepilot.page import seam
from voicepilot.page.views import wording

if TYPE_CHECKING:
    from voicepilot.page.seam import Element

_FALL: Final = 0.82  # of the level is left at each reading: the bar falls more slowly than it rises
_AUDIBLE: Final = 0.12
_STEP: Final = 10  # assistive technology is told of changes of a tenth, not of every flicker


class LevelView:
    """One bar and its word: off, muted, silent or audible."""

    def __init__(self, element_id: str) -> None:
        place: Element = seam.find(element_id)
        self._meter, self._word = _parts(place)
        self._fill: Element = next(iter(self._meter.children))
        self._level = 0.0
        self._drawn = 0.0
        self._told: tuple[int, str] = (0, "off")

    def hear(self, rms: float) -> None:
        """Take in a reading; `draw` shows it."""
        self._level = max(wording.loudness(rms), self._level * _FALL)

    def draw(self, *, live: bool, muted: bool) -> None:
        """Show the level."""
        if not live or muted:
            self._level = 0.0
        if abs(self._level - self._drawn) > 0.004:
            self._drawn = self._level
            self._fill.style.transform = f"scaleX({self._level:.3f})"
        word = "off"
        if live:
            word = "muted" if muted else "audible" if self._level > _AUDIBLE else "silent"
        told = (round(self._level * 100 / _STEP) * _STEP, word)
        if told != self._told:
            if word != self._told[1]:
                self._word.textContent = word
            self._told = told
            self._meter.setAttribute("aria-valuenow", str(told[0]))
            self._meter.setAttribute("aria-valuetext", word)


def _parts(place: Element) -> tuple[Element, Element]:
    _name, description = place.children
    meter, word = description.children
    return meter, word
