"""The settings as the page knows them: asked for, changed one after the other, refused with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from voicepilot.backend.configuration import Configuration
from voicepilot.backend.failure import Failure
from voicepilot.backend.settings_desk import SettingsDesk
from voicepilot.bridge.settings_messages import SetSetting, SettingsShown
from voicepilot.page.call_settings import CallSettings
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.protocol import problem
from voicepilot.settings.layers import table


class Link:
    """The backend's own desk, as far away as a bridge."""

    def __init__(self) -> None:
        self.desk = SettingsDesk(Configuration((table({"deployment": "voice"}, "here"),)))
        self.reachable = True
        self.asked: list[SetSetting] = []

    async def settings(self) -> SettingsShown:
        return await self._answer(self.desk.shown)

    async def change_setting(self, wish: SetSetting) -> SettingsShown:
        self.asked.append(wish)
        return await self._answer(lambda: self.desk.change(wish))

    async def _answer(self, ask: Callable[[], SettingsShown]) -> SettingsShown:
        await asyncio.sleep(0)
        if not self.reachable:
            raise Trouble(problem("backend-unreachable"))
        try:
            return SettingsShown.from_params(ask().to_params())
        except Failure as failure:
            raise Trouble(failure.problem) from failure


class Drawer:
    """A page's settings and what came of them."""

    def __init__(self, scope: Scope) -> None:
        self.link = Link()
        self.updates: list[dict[str, Any]] = []
        self.drawn = asyncio.Event()
        self.settings = CallSettings(scope, self.link, self.drawn.set, self.updates.append)

    async def after(self, act: Callable[[], None]) -> None:
        self.drawn.clear()
        act()
        async with asyncio.timeout(5):
            await self.drawn.wait()


@asynccontextmanager
async def drawer() -> AsyncIterator[Drawer]:
    faults: list[tuple[str, BaseException]] = []
    scope = Scope("test", lambda what, error: faults.append((what, error)))
    yield Drawer(scope)
    scope.end()
    assert faults == []


def story(tell: Callable[[Drawer], Awaitable[None]]) -> None:
    async def run() -> None:
        async with drawer() as opened:
            await tell(opened)

    asyncio.run(run())


def test_nothing_is_known_before_the_backend_has_said_it() -> None:
    async def tell(drawer: Drawer) -> None:
        settings = drawer.settings
        assert settings.value("voice") is None
        assert not settings.push_to_talk
        await drawer.after(settings.refresh)
        assert settings.value("voice") == "marin"
        assert not settings.toggles

    story(tell)


def test_changes_are_made_in_order_and_handed_to_the_call() -> None:
    async def tell(drawer: Drawer) -> None:
        settings = drawer.settings
        await drawer.after(settings.refresh)
        settings.change("speed", 1.2)
        settings.change("voice", "cedar")
        settings.change("hold_form", "toggle")
        settings.change("turn_detection", "push-to-talk")
        async with asyncio.timeout(5):
            while not settings.push_to_talk:
                drawer.drawn.clear()
                await drawer.drawn.wait()
        assert [wish.name for wish in drawer.link.asked] == [
            *("speed", "voice", "hold_form", "turn_detection")
        ]
        assert drawer.updates == [
            {"type": "realtime", "audio": {"output": {"speed": 1.2}}},
            {"type": "realtime", "audio": {"input": {"turn_detection": None}}},
        ]
        assert settings.toggles

    story(tell)


@pytest.mark.parametrize("reachable", [True, False])
def test_a_refusal_stays_until_a_value_is_taken(reachable: bool) -> None:
    async def tell(drawer: Drawer) -> None:
        settings = drawer.settings
        await drawer.after(settings.refresh)
        drawer.link.reachable = reachable
        await drawer.after(lambda: settings.change("speed", 9.0))
        reason = "Speed is a number" if reachable else "The page lost its connection"
        assert settings.refusals["speed"].startswith(reason)
        assert settings.value("speed") == 1.0
        drawer.link.reachable = True
        await drawer.after(lambda: settings.change("voice", "cedar"))
        assert set(settings.refusals) == {"speed"}
        await drawer.after(lambda: settings.change("speed", 1.5))
        assert settings.refusals == {}

    story(tell)
