"""How does a person say when they speak? The push-to-talk button, and the space bar for it.

Two forms. *Hold*: the turn lasts while pointer or key is down. *Toggle*: one press begins it, the next ends
it. The space bar counts anywhere in the page, except where it has a use of its own (a text, a button, a
list); on the button Enter counts too. Who cannot hold (an assistive technology that only clicks) toggles in
either form.

Whatever keeps the button down is let go of when nobody could notice that it came up: the window lost the
focus, the page was hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from voicepilot.page import seam
from voicepilot.page.scope import Scope
from voicepilot.page.views import wording
from voicepilot.page.views.intents import Intents

if TYPE_CHECKING:
    from voicepilot.page.seam import Element, HTMLButtonElement, KeyboardEvent, PointerEvent

_SPACE: Final = " "
_USES_SPACE: Final = "a, button, input, select, textarea, summary, [contenteditable], [role=button]"
_POINTER: Final = "pointer"


class HoldView:
    """The button, there only in a call with push-to-talk."""

    def __init__(self, scope: Scope, intents: Intents) -> None:
        self._intents = intents
        self._button: HTMLButtonElement = seam.find("hold")
        self._hint: Element = seam.find("hold-hint")
        self._talk: HTMLButtonElement = seam.find("talk")
        self._drawn: tuple[bool, bool, bool, bool] | None = None
        self._offered = self._held = self._toggles = False
        self._down = ""  # what keeps the button down: the pointer or a key
        self._by_pointer = False  # a click that comes now is the pointer's own
        for event in ("pointerup", "pointercancel", "lostpointercapture"):
            seam.listen(scope, self._button, event, lambda _event: self._up(_POINTER))
        seam.listen(scope, self._button, "pointerdown", self._pointer_down)
        seam.listen(scope, self._button, "click", lambda _event: self._click())
        # A long press on a touch screen would open a menu.
        seam.listen(scope, self._button, "contextmenu", lambda event: event.preventDefault())
        seam.listen_to_document(scope, "keydown", self._key_down)
        seam.listen_to_document(scope, "keyup", self._key_up)
        seam.listen_to_document(scope, "visibilitychange", lambda _event: self._up(self._down))
        seam.listen_to_window(scope, "blur", lambda _event: self._up(self._down))

    def draw(self, *, offered: bool, held: bool, toggles: bool, muted: bool) -> None:
        """Show the button where it is `offered`; `held` is what the call knows of it."""
        drawn = (offered, held, toggles, muted)
        if self._drawn == drawn:
            return
        self._drawn = drawn
        came, left = offered and not self._offered, self._offered and not offered
        self._offered, self._held, self._toggles = offered, held, toggles
        if left:
            self._down = ""
            if seam.has_focus(self._button):
                self._talk.focus()
        self._button.hidden = self._hint.hidden = not offered
        self._button.textContent = wording.HOLD_NAMES[toggles]
        self._button.setAttribute("aria-pressed", "true" if held else "false")
        self._hint.textContent = wording.hold_hint(toggles=toggles, held=held, muted=muted)
        if came and seam.has_focus(self._talk):
            # It was pressed just now and means Stop from here on: the space bar must not end the call.
            self._button.focus()

    # ---- pointer

    def _pointer_down(self, event: PointerEvent) -> None:
        if event.button != 0 or not event.isPrimary:
            return
        self._by_pointer = True
        if not self._toggles:
            # From here on the button hears of this pointer wherever it goes.
            self._button.setPointerCapture(event.pointerId)
            self._press(_POINTER)

    def _click(self) -> None:
        by_pointer, self._by_pointer = self._by_pointer, False
        if self._toggles or not by_pointer:
            self._toggle()

    # ---- keys

    def _key_down(self, event: KeyboardEvent) -> None:
        if not self._offered or not self._counts(event):
            return
        event.preventDefault()  # a page that scrolls, a click when the key comes up
        if event.repeat:
            return
        if self._toggles:
            self._toggle()
        else:
            self._press(event.key)

    def _key_up(self, event: KeyboardEvent) -> None:
        if self._down and event.key == self._down:
            event.preventDefault()
            self._up(event.key)

    def _counts(self, event: KeyboardEvent) -> bool:
        if event.defaultPrevented or event.isComposing:
            return False
        if event.ctrlKey or event.altKey or event.metaKey or event.shiftKey:
            return False
        if seam.within(event.target, "#hold"):
            return event.key in (_SPACE, "Enter")
        return event.key == _SPACE and not seam.within(event.target, _USES_SPACE)

    # ---- what comes of it

    def _press(self, what: str) -> None:
        if not self._down:
            self._down = what
            self._intents.hold()

    def _up(self, what: str) -> None:
        if what and what == self._down:
            self._down = ""
            self._intents.release()

    def _toggle(self) -> None:
        if self._held:
            self._intents.release()
        else:
            self._intents.hold()
