"""What is the debugging page made of? The call page as it is, and around it what looks into it.

`DebugPage` is the call page's `Page` with the same views, driver and link; it hears what they hear and
draws more of it. While a replay is shown, the same views draw the replay's call.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Final

from voicepilot.debug import browser
from voicepilot.debug.backend import DebugBackend
from voicepilot.debug.charts import Charts
from voicepilot.debug.console import ConsoleView
from voicepilot.debug.recording import Replay
from voicepilot.debug.replay_view import ReplayView
from voicepilot.debug.scenarios_view import ScenariosView
from voicepilot.debug.timeline import Timeline
from voicepilot.debug.timeline_view import TimelineView
from voicepilot.debug.wheels_view import WheelsView
from voicepilot.page import seam
from voicepilot.page.app import Page
from voicepilot.page.event_log import EventLog
from voicepilot.page.sound import Level
from voicepilot.page.views import wording
from voicepilot.session import Call

_AUDIBLE_RMS: Final = 0.01
_BETWEEN_CHARTS: Final = 0.25
"""Seconds between two drawings of the charts; the meters are read twenty times a second."""

_BETWEEN_LANES: Final = 0.1


def start() -> None:
    """Take the page over; called by the script in debug.html, which PyScript runs."""
    # Where Python's memory was made at build time, the state of chance was too.
    random.seed()
    settings = json.loads(browser.boot())
    page = DebugPage(settings["build"], settings["worklets"])
    browser.ready()
    page.open(wording.start(seam.page_age_ms(), browser.started_without()))


class DebugPage(Page):
    """The call page, and what looks into it."""

    def __init__(self, build: str, worklets: Mapping[str, str]) -> None:
        self.timeline = Timeline()
        super().__init__(build, worklets)
        self._seen = 0
        self._drawn_charts = self._drawn_lanes = 0.0
        self._under_way = False
        self._replayed: Replay | None = None
        self._charts = Charts()
        self._lanes = TimelineView()
        self._lanes.show(self.timeline)
        self._replay = ReplayView(self._scope, self)
        backend = DebugBackend(self._link)
        self._scenarios = ScenariosView(self._scope, backend)
        self._wheels = WheelsView(self._scope, backend)
        self._console = ConsoleView(
            self._scope,
            {
                "call": self._driver.call,
                "driver": self._driver,
                "record": self._driver.call.record,
                "page": self,
                "timeline": self.timeline,
                "log": self._driver.event_log,
            },
        )

        @browser.when("toggle", "#scenarios-panel")
        def scenarios(event: object) -> None:
            self._scope.start(self._scenarios.refresh(), "listing the faults")

        @browser.when("toggle", "#wheels-panel")
        def wheels(event: object) -> None:
            self._scope.start(self._wheels.refresh(), "listing the wheels")

        @browser.when("click", "#talk")
        def talk(_event: object) -> None:
            self._replay.leave()

    @property
    def shown_call(self) -> Call:
        """The call that the views draw: the replayed one while a replay is shown."""
        return self._driver.call if self._replayed is None else self._replayed.call

    # ---- replay_view.Stage

    def show_replay(self, replay: Replay, timeline: Timeline) -> None:
        """Draw this in the place of the live call, which ends."""
        self._driver.stop()
        self._replayed = replay
        self._show(replay.log, timeline)

    def show_live(self) -> None:
        """Draw the live call again."""
        self._replayed = None
        self._show(self._driver.event_log, self.timeline)

    # ---- Display

    def user_level(self, level: Level) -> None:
        """How loud the microphone is."""
        now = self._driver.now
        self._charts.user.add(wording.loudness(level.rms) * 100, now)
        self.timeline.heard_user(level.rms >= _AUDIBLE_RMS, now)
        super().user_level(level)

    def reply_level(self, level: Level) -> None:
        """How loud the assistant is."""
        now = self._driver.now
        self._charts.assistant.add(wording.loudness(level.rms) * 100, now)
        if level.began:
            self.timeline.heard_reply(now)
        super().reply_level(level)

    # ---- drawing

    def _draw(self) -> None:
        self._take_events()
        super()._draw()
        live, now = self._driver.call, self._driver.now
        self._charts.sampled(self._driver.statistics, now)
        if now - self._drawn_charts >= _BETWEEN_CHARTS:
            self._drawn_charts = now
            self._charts.draw(now)
        if now - self._drawn_lanes >= _BETWEEN_LANES or not live.under_way:
            self._drawn_lanes = now
            self._lanes.draw(now if self._replayed is None else self._replay.position())

    def _take_events(self) -> None:
        log = self._driver.event_log
        for entry in log.since(self._seen):
            self._seen = entry.number
            at = log.started + entry.at
            if entry.direction == "sent":
                self.timeline.sent(entry.text, at)
            else:
                self.timeline.received(entry.text, at)
        under_way = self._driver.call.under_way
        if self._under_way and not under_way:
            self.timeline.ended(self._driver.now)
        self._under_way = under_way

    def _show(self, log: EventLog, timeline: Timeline) -> None:
        self._lanes.show(timeline)
        self._inspector.show(log)
        self.changed()
