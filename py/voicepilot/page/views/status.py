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
        self._drawn: tuple[str, bool, str] | None = None

    def draw(self, state: str, *, muted: bool, service: str) -> None:
        """Show the state."""
        if self._drawn == (state, muted, service):
            return
        self._drawn = (state, muted, service)
        self._main.dataset.state = state
        self._name.textContent = wording.STATES[state].name
        self._hint.textContent = wording.state_hint(state, muted=muted)
        self._service.textContent = service
