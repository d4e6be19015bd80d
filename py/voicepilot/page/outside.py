"""What do other pages want of this page's call, and what do they see of it?

The inputs of the core go to the backend by the feed (`feed_line.py`). Beside it, while a page mirrors the
call, go how loud both sides are and what else this page shows: its microphones, what it noticed by
itself, the figures of its connection. What the person wants of the call at another page comes back.

One page has the call. Another that is open says so, and takes the call when Talk is pressed there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from voicepilot.bridge import messages, mirror_messages
from voicepilot.bridge.mirror_messages import ConfigureCall, Levels, Place, Scene
from voicepilot.page import seam
from voicepilot.page.backend_link import BackendLink
from voicepilot.page.scope import Scope
from voicepilot.page.sound import Level
from voicepilot.protocol.dialects import check_dialect
from voicepilot.protocol.problems import problem
from voicepilot.session import Call

if TYPE_CHECKING:
    from voicepilot.page.driver import Driver

_BETWEEN_LEVELS: Final = 0.1
_BETWEEN_SCENES: Final = 0.25
_ELSEWHERE: Final = "call-elsewhere"


class Outside:
    """The call page as other pages meet it, through the backend."""

    def __init__(self, scope: Scope, driver: Driver, link: BackendLink) -> None:
        self._driver = driver
        self._link = link
        self._watched = False
        self._user = self._reply = self._levels_at = 0.0
        self._scene: Scene | None = None
        self._scene_due = False
        self._timer = seam.Timer(scope, self._show_scene)

    def welcomed(self, welcome: messages.Welcome) -> None:
        """The backend has greeted us."""
        driver, under_way = self._driver, self._driver.call.under_way
        if under_way:
            self._link.tell(mirror_messages.CALL_TAKE, {})
        else:
            driver.call.dialect = check_dialect(welcome.dialect)
        driver.feed.welcomed(wanted=welcome.feed)
        driver.begin_next_with(welcome.transport)
        driver.settings.refresh()

    def leave(self) -> None:
        """The page goes away, and says so: the service need not wait for the silence to tell."""
        self._driver.stop()
        self._link.tell(mirror_messages.CALL_LEAVE, {})

    def told(self, method: str, params: Mapping[str, object]) -> None:
        """A notification came. Raises MessageError."""
        match method:
            case messages.CALL_CONTROL:
                self._controlled(messages.CallControl.from_params(params))
            case mirror_messages.CALL_CONFIGURE:
                self._configured(ConfigureCall.from_params(params))
            case mirror_messages.CALL_PLACE:
                self._placed(Place.from_params(params))

    # ---- what others see

    def changed(self) -> None:
        """Something worth drawing changed."""
        if self._watched and not self._scene_due:
            self._scene_due = True
            self._timer.set(_BETWEEN_SCENES)

    def user_level(self, level: Level) -> None:
        """How loud the microphone is."""
        self._user = max(self._user, level.rms)
        self._show_levels()

    def reply_level(self, level: Level) -> None:
        """How loud the assistant is."""
        self._reply = max(self._reply, level.rms)
        self._show_levels()

    def _show_levels(self) -> None:
        now = self._driver.now
        if not self._watched:
            self._user = self._reply = 0.0
        elif now - self._levels_at >= _BETWEEN_LEVELS:
            self._levels_at = now
            levels = Levels(self._user, self._reply)
            self._user = self._reply = 0.0
            self._link.tell(mirror_messages.CALL_LEVELS, levels.to_params())

    def _show_scene(self) -> None:
        self._scene_due = False
        driver = self._driver
        scene = Scene(
            microphones=tuple(asdict(each) for each in driver.microphones.now.choices),
            microphone=driver.microphone_choice,
            problems=tuple(each.to_json() for each in driver.notices if each.code != _ELSEWHERE),
            link=driver.link_state,
            statistics=asdict(driver.statistics),
        )
        if self._watched and scene != self._scene:
            self._scene = scene
            self._link.tell(mirror_messages.CALL_SCENE, scene.to_params())

    # ---- what others want

    def _placed(self, place: Place) -> None:
        if place.watched and not self._watched:
            self._scene = None
        self._watched = place.watched
        self.changed()
        if not place.elsewhere:
            self._driver.withdraw(_ELSEWHERE)
        elif not self._driver.call.under_way:
            self._driver.notice(problem(_ELSEWHERE))

    def _configured(self, wish: ConfigureCall) -> None:
        self._driver.settings.refresh()
        if wish.session and self._driver.call.under_way:
            with contextlib.suppress(ValueError):
                self._driver.report(Call.configure, dict(wish.session))

    def _controlled(self, wish: messages.CallControl) -> None:
        driver, under_way = self._driver, self._driver.call.under_way
        match wish.action:
            case "talk" if not under_way:
                driver.talk()
            case "stop":
                driver.stop()
            case "mute" | "unmute" if under_way:
                driver.mute(wish.action == "mute")
            case "interrupt" if under_way:
                driver.interrupt()
            case "hold" if under_way:
                driver.hold()
            case "release" if under_way:
                driver.release()
            case "say":
                driver.say(wish.value)
            case "microphone" if driver.microphones.now.offers(wish.value):
                driver.choose_microphone(wish.value)
