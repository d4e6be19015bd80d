"""What is set, as this page knows it, and how does it change?

The backend holds the settings and judges every value; the page keeps the list that it got last, and for each
setting the reason why its newest value was refused. Changes are made one after the other, in the order in
which the person made them. What a running call can take is handed to it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from voicepilot.bridge.settings_messages import SetSetting, SettingInfo, SettingsShown, Value
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope

PUSH_TO_TALK = "push-to-talk"


def meant(kind: str, written: str) -> Value:
    """The value that was written into a field of this kind; the backend judges what is no number."""
    if kind in ("number", "whole"):
        for number in (int, float):
            with contextlib.suppress(ValueError):
                return number(written)
    return written


class SettingsLink(Protocol):
    """Where the settings are. Both raise `Trouble`."""

    async def settings(self) -> SettingsShown:
        """The settings as they are."""

    async def change_setting(self, wish: SetSetting) -> SettingsShown:
        """Change one of them."""


class CallSettings:
    """The settings of this page's calls.

    `changed` is called when there is something else to draw, `take` with what a running call can take of a
    change (the session of a `session.update`).
    """

    def __init__(
        self,
        scope: Scope,
        link: SettingsLink,
        changed: Callable[[], None],
        take: Callable[[dict[str, object]], None],
    ) -> None:
        self.now: tuple[SettingInfo, ...] = ()
        self.refusals: dict[str, str] = {}
        self._scope = scope
        self._link = link
        self._changed = changed
        self._take = take
        self._turn = asyncio.Lock()

    def value(self, name: str) -> Value | None:
        """The value of a setting, None where the page does not know it."""
        return next((each.value for each in self.now if each.name == name), None)

    @property
    def push_to_talk(self) -> bool:
        """Whether the next call begins with push-to-talk."""
        return self.value("turn_detection") == PUSH_TO_TALK

    @property
    def toggles(self) -> bool:
        """Whether one press of the push-to-talk button begins a turn and the next one ends it."""
        return self.value("hold_form") == "toggle"

    def refresh(self) -> None:
        """Read the settings anew: the backend is there, again perhaps."""
        self._scope.start(self._read(), "reading the settings")

    def change(self, name: str, value: Value) -> None:
        """The person wants another value."""
        self._scope.start(self._set(SetSetting(name, value)), "changing a setting")

    async def _read(self) -> None:
        async with self._turn:
            try:
                self.now = (await self._link.settings()).settings
            except Trouble:
                return  # no backend now, or one without a drawer: its next greeting begins again
        self._changed()

    async def _set(self, wish: SetSetting) -> None:
        async with self._turn:
            try:
                shown = await self._link.change_setting(wish)
            except Trouble as trouble:
                self.refusals[wish.name] = trouble.problem.says
            else:
                self.refusals.pop(wish.name, None)
                self.now = shown.settings
                if shown.update is not None:
                    self._take(shown.update)
        self._changed()
