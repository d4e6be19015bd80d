"""What is the page made of?

The composition root of the browser's side: one scope for the page's life, the core, the link to the backend,
the driver between them, and the views. `start` is what `webview/loader.mjs` calls.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from voicepilot.page import seam
from voicepilot.page.backend_link import BackendLink
from voicepilot.page.driver import Driver
from voicepilot.page.lines import EditorLine, ServerLine
from voicepilot.page.mirror import Mirror
from voicepilot.page.outside import Outside
from voicepilot.page.rehearsal import rehearse
from voicepilot.page.scope import Scope
from voicepilot.page.sound import Level
from voicepilot.page.views import wording
from voicepilot.page.views.composer import ComposerView
from voicepilot.page.views.controls import ControlsView
from voicepilot.page.views.figures import FiguresView, connection_figures, usage_figures
from voicepilot.page.views.hold import HoldView
from voicepilot.page.views.inspector import InspectorView
from voicepilot.page.views.latency import LatencyView
from voicepilot.page.views.levels import LevelView
from voicepilot.page.views.notices import NoticesView
from voicepilot.page.views.settings import SettingsView
from voicepilot.page.views.status import StatusView
from voicepilot.page.views.transcript import TranscriptView
from voicepilot.protocol.problems import problem
from voicepilot.session import Call

_log = logging.getLogger(__name__)

_REHEARSE_AFTER: Final = 0.25
"""Seconds: first the page is drawn and greets its backend."""


def start(boot: str, ready: Callable[[], None]) -> None:
    """Take the page over. `boot` is the JSON of index.html's `#boot`; `ready` tells the loader to let go.

    Talk, if it was pressed while Python started, counts now. What was written is in its box still.
    """
    settings = json.loads(boot)
    editor = EditorLine(seam.editor()) if settings.get("host") == "editor" else None
    page = Page(settings["build"], settings["worklets"], editor)
    ready()
    page.open(wording.start(seam.page_age_ms(), settings.get("without", "")))


class Page:
    """Everything the page holds, for as long as it is open. Implements `driver.Display`."""

    def __init__(
        self, build: str, worklets: Mapping[str, str], editor: EditorLine | None = None
    ) -> None:
        """Take the editor where the page is in a webview of it."""
        self._scope = Scope("page", self._fault)
        scope = self._scope
        self._link = BackendLink(
            scope, build, self._link_changed, lambda *told: self._outside.told(*told)
        )
        self._editor = editor
        self._driver: Driver | Mirror
        self._outside: Outside | Mirror
        if editor is not None and not seam.microphone_allowed_here():
            mirror = Mirror(scope, self._link, self, editor.open_elsewhere, time.monotonic)
            self._driver = self._outside = mirror
        else:
            driver = Driver(scope, Call(), self._link, worklets, self, time.monotonic)
            self._driver, self._outside = driver, Outside(scope, driver, self._link)
        self._status = StatusView()
        self._controls = ControlsView(scope, self._driver)
        self._hold = HoldView(scope, self._driver)
        self._notices = NoticesView(scope, self._driver)
        self._user = LevelView("level-user")
        self._assistant = LevelView("level-assistant")
        self._transcript = TranscriptView(scope)
        self._composer = ComposerView(scope, self._driver)
        self._latency = LatencyView()
        self._settings = SettingsView(scope, self._driver)
        self._start = wording.UNKNOWN
        self._details: seam.HTMLDetailsElement = seam.find("details")
        self._connection = FiguresView("connection")
        self._usage = FiguresView("usage")
        self._inspector = InspectorView(scope, self._driver.event_log)
        self._frame = seam.Frame(scope, self._draw)
        seam.listen(scope, self._details, "toggle", lambda _event: self._drawer_toggled())
        drawer: seam.HTMLDetailsElement = seam.find("settings")
        seam.listen(scope, drawer, "toggle", lambda _event: self._drawer_toggled())
        seam.listen_to_window(scope, "pagehide", lambda _event: self._outside.leave())

    @property
    def shown_call(self) -> Call:
        """The call that the views draw."""
        return self._driver.call

    def open(self, start: str = wording.UNKNOWN) -> None:
        """Draw, connect, and begin the call that the person may have asked for already.

        `start` says how the page started, for the details.
        """
        self._start = start
        self._draw()
        self._link.start(self._editor or ServerLine(seam.take_fragment()))
        if seam.take_early_wish() == "talk":
            self._driver.talk()
        self._scope.start(self._rehearse(), "rehearsing")

    async def _rehearse(self) -> None:
        await asyncio.sleep(_REHEARSE_AFTER)
        if not self._driver.call.under_way:
            rehearse()

    # ---- Display

    def changed(self) -> None:
        """Draw in the next frame."""
        self._frame.request()
        if isinstance(self._outside, Outside):
            self._outside.changed()

    def user_level(self, level: Level) -> None:
        """How loud the microphone is."""
        self._user.hear(level.rms)
        self._frame.request()
        if isinstance(self._outside, Outside):
            self._outside.user_level(level)

    def reply_level(self, level: Level) -> None:
        """How loud the assistant is."""
        self._assistant.hear(level.rms)
        self._frame.request()
        if isinstance(self._outside, Outside):
            self._outside.reply_level(level)

    # ---- drawing

    def _draw(self) -> None:
        call, driver = self.shown_call, self._driver
        state, muted = call.phase.value, call.muted
        live = state in wording.LIVE
        welcome = self._link.welcome
        toggles = driver.settings.toggles
        by_hand = call.online and call.by_hand.chosen
        self._status.draw(
            state,
            muted=muted,
            toggles=toggles if by_hand else None,
            service=welcome.service if welcome else "",
        )
        self._hold.draw(offered=by_hand, held=call.by_hand.held, toggles=toggles, muted=muted)
        self._controls.draw(state, muted=muted, can_interrupt=call.can_interrupt)
        self._controls.draw_microphones(driver.microphones.now, driver.microphone_choice)
        self._notices.draw(driver.problems)
        self._user.draw(live=live and (muted or call.microphone_on), muted=muted)
        self._assistant.draw(live=live, muted=False)
        self._transcript.draw(call.conversation)
        self._composer.draw(state)
        self._latency.draw(call.latency.last)
        self._settings.draw(driver.settings.now, driver.settings.refusals)
        if self._details.open:
            self._connection.draw(connection_figures(driver.link_state, driver.statistics))
            self._connection.draw((("Start", self._start),))
            self._usage.draw(usage_figures(call.record.usage))
            self._inspector.draw()

    # ---- what happens beside the call

    def _link_changed(self) -> None:
        welcome = self._link.welcome
        if welcome is not None and self._link.problem is None:
            self._outside.welcomed(welcome)
        self.changed()

    def _drawer_toggled(self) -> None:
        self._transcript.settle()
        self.changed()

    def _fault(self, what: str, error: BaseException) -> None:
        _log.error("%s failed", what, exc_info=error)
        self._driver.notice(problem("internal", detail=f"{what} ({type(error).__name__})"))
