"""In which state is the call?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicepilot.page import seam
from voicepilot.page.views import wording

if TYPE_CHECKING:
    from voicepilot.page.seam import Element


class StatusView:
    """`<main data-state>`, the state's name and hint, and the name of the service."""

    def __init__(self) -> None:
        self._main: Element = seam.find("call")
        self._name: Element = seam.find("state-name")
        self._hint: Element = seam.find("state-hint")
        self._service: Element = seam.find("service")
        self._drawn: tuple[str, bool, bool | None, str] | None = None

    def draw(self, state: str, *, muted: bool, toggles: bool | None, service: str) -> None:
        """Show the state. `toggles`: whether the push-to-talk button does, None where there is none."""
        if self._drawn == (state, muted, toggles, service):
            return
        self._drawn = (state, muted, toggles, service)
        words = wording.state_words(state, muted=muted, toggles=toggles)
        self._main.dataset.state = state
        self._name.textContent = words.name
        self._hint.textContent = words.hint
        self._service.textContent = service
