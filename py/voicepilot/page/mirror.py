"""What does the page show and do where it may not use the microphone?

There, in a webview of an editor, it mirrors the call of another page: a core of its own hears the same
inputs (`session.mirror`), and what its commands ask for is left to that page. What the person presses
goes there too. No sound and no microphone is touched here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from voicepilot.bridge import messages, mirror_messages
from voicepilot.bridge.mirror_messages import ConfigureCall, Levels, MirrorFeed, Scene
from voicepilot.bridge.settings_messages import SetSetting, SettingsShown, Value
from voicepilot.page.backend_link import BackendLink
from voicepilot.page.call_settings import CallSettings
from voicepilot.page.devices import DEFAULT, Choice, Microphones
from voicepilot.page.driver import Display
from voicepilot.page.event_log import EventLog
from voicepilot.page.link_statistics import LinkStatistics
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.page.sound import Level
from voicepilot.protocol.dialects import check_dialect
from voicepilot.protocol.problems import Problem, problem
from voicepilot.session import Call, Command
from voicepilot.session.commands import Send
from voicepilot.session.feed import Entry, FeedError, decode
from voicepilot.session.mirror import CallMirror

_HERE: Final = {"sound-blocked": problem("sound-blocked-there")}
"""What is said otherwise here than at the call page."""

_THERE: Final = "talk-there"
_DOUBLE_CLICK_S: Final = 2.0


class FarMicrophones:
    """The microphones that can be chosen at the call page."""

    def __init__(self) -> None:
        self.now = Microphones()


class Mirror:
    """Shows and controls the call of another page. Implements `views.intents.Intents`.

    `open_elsewhere` opens the call page where it may use the microphone.
    """

    def __init__(
        self,
        scope: Scope,
        link: BackendLink,
        display: Display,
        open_elsewhere: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.event_log = EventLog()
        self.settings = CallSettings(scope, _Settings(link), display.changed, lambda _update: None)
        self.microphones = FarMicrophones()
        self.microphone_choice = DEFAULT
        self.link_state = "none"
        self.statistics = LinkStatistics()
        self._scope = scope
        self._link = link
        self._display = display
        self._open_elsewhere = open_elsewhere
        self._clock = clock
        self._calls = CallMirror()
        self._at = 0.0
        self._opened_at = -math.inf
        self._notices: dict[str, Problem] = {}
        self._noticed_there: list[Problem] = []

    # ---- to draw

    @property
    def call(self) -> Call:
        """The call as it is at the call page."""
        return self._calls.call

    @property
    def problems(self) -> list[Problem]:
        """Everything the person should know of now, the call's own problem first."""
        incomplete = None if self._calls.complete else problem("mirror-incomplete")
        found = (self.call.problem, self._link.problem, self.call.notice, incomplete)
        beside = (*self._noticed_there, *self._notices.values())
        return [each for each in (*found, *beside) if each is not None]

    @property
    def now(self) -> float:
        """The time on this page's monotonic clock, in seconds."""
        return self._clock()

    # ---- what the person wants

    def talk(self) -> None:
        """Begin a call at the call page, which is opened where there is none."""
        self._notices.clear()
        self._want("talk")

    def stop(self) -> None:
        """End the call."""
        self._want("stop")

    def mute(self, muted: bool) -> None:
        """Mute or unmute the microphone."""
        self._want("mute" if muted else "unmute")

    def interrupt(self) -> None:
        """Stop the assistant's answer."""
        self._want("interrupt")

    def hold(self) -> None:
        """Begin a turn by push-to-talk."""
        self._want("hold")

    def release(self) -> None:
        """End that turn."""
        self._want("release")

    def say(self, text: str) -> bool:
        """Say something in writing; False where no call runs that could take it."""
        if not self.call.online:
            return False
        self._want("say", text)
        return True

    def choose_microphone(self, choice: str) -> None:
        """Use another microphone there."""
        self.microphone_choice = choice
        self._want("microphone", choice)

    def enable_sound(self) -> None:
        """Nothing sounds here: sound is given to the page that was pressed, and that is another."""

    def change_setting(self, name: str, value: Value) -> None:
        """Let a setting have another value."""
        self.settings.change(name, value)

    def notice(self, found: Problem) -> None:
        """Show a problem beside the call until somebody presses Talk."""
        self._notices[found.code] = found
        self._display.changed()

    def _want(self, action: str, value: str = "") -> None:
        wish = messages.CallControl(action, value)
        self._scope.start(self._ask(wish), "controlling the call page")

    async def _ask(self, wish: messages.CallControl) -> None:
        try:
            await self._link.ask(messages.CALL_CONTROL, wish.to_params())
        except Trouble as trouble:
            found = trouble.problem
            if found.code == "no-call-page" and wish.action == "talk":
                self._open_call_page()
            elif found != self._link.problem:
                self.notice(found)

    def _open_call_page(self) -> None:
        now = self._clock()
        if now - self._opened_at > _DOUBLE_CLICK_S:  # two presses are one wish
            self._opened_at = now
            self._open_elsewhere()
        self.notice(problem(_THERE))

    # ---- what comes from the backend

    def welcomed(self, welcome: messages.Welcome) -> None:
        """The backend has greeted us: it is to show us everything."""
        self._calls.dialect = check_dialect(welcome.dialect)
        self.settings.refresh()
        self._scope.start(self._open(), "opening the mirror")

    def told(self, method: str, params: Mapping[str, object]) -> None:
        """A notification came. Raises MessageError."""
        match method:
            case mirror_messages.MIRROR_FEED:
                self._hear(MirrorFeed.from_params(params))
            case mirror_messages.MIRROR_ALONE:
                self._be_alone()
            case mirror_messages.CALL_LEVELS:
                levels = Levels.from_params(params)
                self._display.user_level(Level(levels.user, 0.0, False))
                self._display.reply_level(Level(levels.reply, 0.0, False))
            case mirror_messages.CALL_SCENE:
                self._show(Scene.from_params(params))

    def leave(self) -> None:
        """This page goes away; the call does not."""

    async def _open(self) -> None:
        try:
            await self._link.ask(mirror_messages.MIRROR_OPEN, {})
        except Trouble:
            return  # no backend now: its next greeting begins again

    def _hear(self, said: MirrorFeed) -> None:
        try:
            entries = [decode(each) for each in said.entries]
        except FeedError as error:
            raise messages.MessageError("entries", f"hold something else: {error}") from error
        shown = self._calls.shown
        for entry, commands in self._calls.take(said.page, said.first, entries):
            if self._calls.shown != shown:
                shown = self._calls.shown
                self.event_log.restart()
            if said.page == shown:
                self._log(entry, commands)
        self._display.changed()

    def _log(self, entry: Entry, commands: list[Command]) -> None:
        self._at = entry.at
        if entry.name == "talk":
            self._notices.clear()
        for command in commands:
            if isinstance(command, Send):
                self.event_log.add("sent", command.text, entry.at)
        if entry.name == "receive":
            self.event_log.add("received", entry.args[1], entry.at)

    def _be_alone(self) -> None:
        # A backend that was there at the page's end has told it as inputs; one begun since knows nothing.
        self._noticed_there, self.link_state = [], "none"
        self.microphones.now, self.statistics = Microphones(), LinkStatistics()
        call = self.call
        if call.under_way:
            call.failed(call.attempt, problem("call-page-closed"), self._at)
            call.stop(self._at)
        self._display.changed()

    def _show(self, scene: Scene) -> None:
        choices = (Choice(str(each["id"]), str(each["label"])) for each in scene.microphones)
        self.microphones.now = Microphones(tuple(choices))
        self.microphone_choice = scene.microphone
        noticed = (Problem.from_json(each) for each in scene.problems)
        self._noticed_there = [_HERE.get(each.code, each) for each in noticed]
        self.link_state = scene.link
        self.statistics = _statistics(scene.statistics)
        self._display.changed()


class _Settings:
    """The settings as a mirror changes them: the call page hears of it (`call_settings.SettingsLink`)."""

    def __init__(self, link: BackendLink) -> None:
        self._link = link

    async def settings(self) -> SettingsShown:
        """The settings as they are. Raises `Trouble`."""
        return await self._link.settings()

    async def change_setting(self, wish: SetSetting) -> SettingsShown:
        """Change one of them. Raises `Trouble`."""
        shown = await self._link.change_setting(wish)
        update = ConfigureCall(shown.update or {})
        try:
            await self._link.ask(mirror_messages.CALL_CONFIGURE, update.to_params())
        except Trouble:
            return shown  # no call page: the next one reads the settings when it opens
        return shown


def _statistics(figures: Mapping[str, object]) -> LinkStatistics:
    known: dict[str, Any] = {}
    for each in fields(LinkStatistics):
        value = figures.get(each.name)
        kind = str if each.name == "transport" else (int, float)
        if isinstance(value, kind) and not isinstance(value, bool):
            known[each.name] = value
    return LinkStatistics(**known)
