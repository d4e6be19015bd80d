"""A recording is chosen, played, held, and left."""

from __future__ import annotations

from typing import Any, Final, Protocol

from voicepilot.debug import browser
from voicepilot.debug.recording import SPEEDS, Player, Recording, Replay, read_recording
from voicepilot.debug.timeline import Timeline
from voicepilot.page import seam
from voicepilot.page.scope import Scope

_LARGEST_BYTES: Final = 64_000_000
_LONGEST_WAIT: Final = 0.25
"""Seconds after which the place is shown anew, even where no event is due."""


class Stage(Protocol):
    """Where a replay is shown."""

    def show_replay(self, replay: Replay, timeline: Timeline) -> None:
        """Draw this in the place of the live call."""

    def show_live(self) -> None:
        """Draw the live call again."""

    def changed(self) -> None:
        """Something that is drawn changed."""


class ReplayView:
    """The file picker, Play, Leave and the speed. `timeline` is the replay's own."""

    def __init__(self, scope: Scope, stage: Stage) -> None:
        self._scope = scope
        self._stage = stage
        self._timer = seam.Timer(scope, self._advance)
        self._recording: Recording | None = None
        self._player: Player | None = None
        self._replay = Replay()
        self.timeline = Timeline()
        self._file: Any = browser.find("replay-file")
        self._play: Any = browser.find("replay-play")
        self._leave: Any = browser.find("replay-leave")
        self._speed: Any = browser.find("replay-speed")
        self._place: Any = browser.find("replay-place")
        self._said: Any = browser.find("replay-said")
        self._told = ""
        for speed in SPEEDS:
            self._speed.append(browser.element("option", "", f"{speed:g} times", value=str(speed)))
        self._speed.value = "1.0"

        @browser.when("change", "#replay-file")
        async def chosen(_event: object) -> None:
            await self._read()

        @browser.when("click", "#replay-play")
        def play(_event: object) -> None:
            self._toggle()

        @browser.when("click", "#replay-leave")
        def stop(_event: object) -> None:
            self.leave()

        @browser.when("change", "#replay-speed")
        def faster(_event: object) -> None:
            if self._player is not None:
                self._player.change_speed(float(self._speed.value), browser.now())
                self._advance()

    @property
    def shown(self) -> bool:
        """Whether a replay is shown in the place of the live call."""
        return self._player is not None

    def position(self) -> float:
        """Seconds from the recording's start."""
        return self._player.position(browser.now()) if self._player is not None else 0.0

    def leave(self) -> None:
        """Show the live call again."""
        if self._player is not None:
            self._player = None
            self._timer.clear()
            self._stage.show_live()
            self._draw()

    async def _read(self) -> None:
        chosen = self._file.files.item(0)
        if not chosen:
            return
        self.leave()
        if chosen.size > _LARGEST_BYTES:
            self._said.textContent = "This file is too large for a page; cut it into calls."
            return
        self._recording = read_recording(str(await chosen.text()).split("\n"))
        self._draw()

    def _toggle(self) -> None:
        now = browser.now()
        if self._player is not None and self._player.playing:
            self._player.pause(now)
        elif self._recording is not None and self._recording.events:
            if self._player is None or self._player.over:
                self._begin(self._recording)
            if self._player is not None:
                self._player.play(now)
        self._advance()

    def _begin(self, recording: Recording) -> None:
        self._player = Player(recording)
        self._player.speed = float(self._speed.value)
        self._replay, self.timeline = Replay(), Timeline()
        self._stage.show_replay(self._replay, self.timeline)

    def _advance(self) -> None:
        player = self._player
        if player is None:
            return
        now = browser.now()
        for event in player.due(now):
            self._replay.take(event)
            if event.direction == "sent":
                self.timeline.sent(event.text, event.at)
            else:
                self.timeline.received(event.text, event.at)
        if player.over:
            self._replay.end(player.recording.length)
            self.timeline.ended(player.recording.length)
            self._timer.clear()
        wait = player.next_in(now)
        if wait is not None:
            self._timer.set(min(wait, _LONGEST_WAIT))
        self._draw()
        self._stage.changed()

    def _draw(self) -> None:
        player = self._player
        self._play.disabled = self._recording is None or not self._recording.events
        self._leave.disabled = player is None
        playing = player is not None and player.playing
        self._play.textContent = "Hold" if playing else "Play"
        if player is None:
            self._place.textContent = ""
        else:
            length = player.recording.length
            self._place.textContent = f"{self.position():.1f} of {length:.1f} s"
        if self._recording is not None:
            self._say(self._recording)

    def _say(self, recording: Recording) -> None:
        words = f"{len(recording.events)} events over {recording.length:.1f} s."
        if recording.broken:
            number, reason = recording.broken[0]
            words += f" {len(recording.broken)} lines could not be read; line {number}: {reason}."
        if self.shown:
            words += " The replay stands in the place of the live call; Leave or Talk ends that."
        if words != self._told:
            self._told = words
            self._said.textContent = words
