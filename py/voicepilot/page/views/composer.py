"""How does a person write instead of speaking?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from voicepilot.page import seam
from voicepilot.page.scope import Scope
from voicepilot.page.views import wording
from voicepilot.page.views.intents import Intents

if TYPE_CHECKING:
    from voicepilot.page.seam import Element, HTMLButtonElement, HTMLInputElement, KeyboardEvent

_HINT_LIVE: Final = "Enter sends, Shift+Enter starts a new line."
_HINT_AT_REST: Final = "Messages go into a running call. Press Talk to start one."
_HINT_SOON: Final = "You can write already; send when the call is connected."


class ComposerView:
    """The message box. What was written stays until it is sent."""

    def __init__(self, scope: Scope, intents: Intents) -> None:
        self._intents = intents
        self._message: HTMLInputElement = seam.find("message")
        self._send: HTMLButtonElement = seam.find("send")
        self._hint: Element = seam.find("message-hint")
        self._state: str | None = None
        seam.listen(scope, self._send, "click", lambda _event: self._say())
        seam.listen(scope, self._message, "keydown", self._key)

    def draw(self, state: str) -> None:
        """Let messages be sent where a call runs that can take them."""
        if state == self._state:
            return
        self._state = state
        live = state in wording.LIVE
        self._send.disabled = not live
        self._hint.textContent = (
            _HINT_LIVE if live else _HINT_SOON if state in wording.ACTIVE else _HINT_AT_REST
        )

    def _key(self, event: KeyboardEvent) -> None:
        # While an input method composes, Enter chooses a word and sends nothing.
        if event.key == "Enter" and not event.shiftKey and not event.isComposing:
            event.preventDefault()
            self._say()

    def _say(self) -> None:
        text = self._message.value.strip()
        if text and not self._send.disabled and self._intents.say(text):
            self._message.value = ""
