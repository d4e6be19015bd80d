"""What can be pressed now? Talk or Stop, Mute, Interrupt, and the choice of microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicepilot.page import seam
from voicepilot.page.devices import Microphones
from voicepilot.page.scope import Scope
from voicepilot.page.views import wording
from voicepilot.page.views.intents import Intents

if TYPE_CHECKING:
    from voicepilot.page.seam import HTMLButtonElement, HTMLInputElement, KeyboardEvent


class ControlsView:
    """The buttons under the state. A button is named by what pressing it does now."""

    def __init__(self, scope: Scope, intents: Intents) -> None:
        self._intents = intents
        self._talk: HTMLButtonElement = seam.find("talk")
        self._mute: HTMLButtonElement = seam.find("mute")
        self._interrupt: HTMLButtonElement = seam.find("interrupt")
        self._microphone: HTMLInputElement = seam.find("microphone")
        self._drawn: tuple[str, bool, bool] | None = None
        self._active = self._muted = False
        self._listed: tuple[Microphones, str] | None = None
        seam.listen(scope, self._talk, "click", self._toggle_call)
        seam.listen(scope, self._mute, "click", self._toggle_mute)
        seam.listen(scope, self._interrupt, "click", lambda _event: intents.interrupt())
        seam.listen(scope, self._microphone, "change", self._choose)
        seam.listen_to_document(scope, "keydown", self._key)

    def draw(self, state: str, *, muted: bool, can_interrupt: bool) -> None:
        """Name and enable the buttons for this state."""
        if self._drawn == (state, muted, can_interrupt):
            return
        self._drawn = (state, muted, can_interrupt)
        self._active, self._muted = state in wording.ACTIVE, muted
        self._talk.textContent = "Stop" if self._active else "Talk"
        self._talk.dataset.action = "stop" if self._active else "talk"
        self._mute.textContent = "Unmute" if muted else "Mute"
        self._mute.disabled = not self._active
        if muted:
            self._mute.dataset.muted = ""
        else:
            self._mute.removeAttribute("data-muted")
        self._interrupt.disabled = not can_interrupt

    def draw_microphones(self, microphones: Microphones, chosen: str) -> None:
        """List the microphones and select the one in use."""
        if self._listed is None or self._listed[0] != microphones:
            lines = []
            for choice in microphones.choices:
                line = seam.create("option", text=choice.label)
                line.value = choice.id
                lines.append(line)
            self._microphone.replaceChildren(*lines)
            self._microphone.value = chosen
        elif self._listed[1] != chosen:
            self._microphone.value = chosen
        self._listed = (microphones, chosen)

    def _toggle_call(self, _event: object) -> None:
        if self._active:
            self._intents.stop()
        else:
            self._intents.talk()

    def _toggle_mute(self, _event: object) -> None:
        self._intents.mute(not self._muted)

    def _choose(self, _event: object) -> None:
        # Until it is open the list shows what was chosen, so it must be drawn again if that fails.
        self._listed = None
        self._intents.choose_microphone(self._microphone.value)

    def _key(self, event: KeyboardEvent) -> None:
        if event.key == "Escape" and not self._interrupt.disabled and not event.defaultPrevented:
            self._intents.interrupt()
