"""How do the core's commands become sound, and what happens become reports to the core?

The core (`voicepilot.session.Call`) decides, the driver does: it carries out commands in order, tells the
core what came of them with the number of the attempt they belong to, and keeps the one timer that the core
asks for. Whatever one attempt opens is owned by that attempt's scope; `CloseCall` ends the scope.

Work that asks the browser or the service for something runs in the *page's* scope although it serves an
attempt: it must live to see its answer, so that what comes too late is given back (see `scope`).
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from voicepilot.bridge.messages import OpenCall, ToolCall
from voicepilot.bridge.mirror_messages import CALL_TAKE
from voicepilot.bridge.settings_messages import Value
from voicepilot.page import seam
from voicepilot.page.attempt import Attempt, Told
from voicepilot.page.backend_link import BackendLink
from voicepilot.page.call_settings import CallSettings
from voicepilot.page.call_socket import CallSocket
from voicepilot.page.devices import DEFAULT, Microphones
from voicepilot.page.event_log import EventLog
from voicepilot.page.feed_line import FeedLine
from voicepilot.page.link_statistics import LinkStatistics
from voicepilot.page.microphone import Microphone, MicrophoneList, open_microphone
from voicepilot.page.pcm import PcmSound
from voicepilot.page.peer import Peer
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.page.signalling import open_call
from voicepilot.page.sound import Hear, Level, Sound
from voicepilot.protocol.problems import Problem, problem
from voicepilot.session import Call, Command
from voicepilot.session.commands import (
    CallTool,
    CloseCall,
    LetReplySound,
    OpenMicrophone,
    OpenPeer,
    OpenSocket,
    PlayAudio,
    Send,
    SetMicrophone,
    SilenceReply,
)
from voicepilot.session.feed import without_sound

if TYPE_CHECKING:
    from voicepilot.page.seam import MediaStreamTrack

_COLLECT_AFTER: Final = 0.25


class Display(Protocol):
    """What shows the call."""

    def changed(self) -> None:
        """Something worth drawing changed."""

    def user_level(self, level: Level) -> None:
        """How loud the microphone is."""

    def reply_level(self, level: Level) -> None:
        """How loud the assistant is."""


class Driver:
    """Carries out what the core commands, in the browser. Implements `views.intents.Intents`."""

    def __init__(
        self,
        scope: Scope,
        call: Call,
        link: BackendLink,
        worklets: Mapping[str, str],
        display: Display,
        clock: Callable[[], float],
    ) -> None:
        self.call = call
        self.event_log = EventLog()
        self.feed = FeedLine(scope, link.feed)
        self.settings = CallSettings(scope, link, display.changed, self._take_along)
        self.microphone_choice = DEFAULT
        self.microphones = MicrophoneList(scope, self._microphones_changed)
        self._scope = scope
        self._link = link
        self._display = display
        self._clock = clock
        self._sound = Sound(scope, worklets["level-meter"], self._sound_blocked)
        self._pcm = PcmSound(scope, worklets["pcm"], worklets["level-meter"])
        self._timer = seam.Timer(scope, self._tick)
        self._deadline: float | None = None
        self._attempt: Attempt | None = None
        self._notices: dict[str, Problem] = {}
        self._pending: deque[Command] = deque()
        self._running = False
        self.microphones.refresh()

    # ---- to draw

    @property
    def problems(self) -> list[Problem]:
        """Everything the person should know of now, the call's own problem first."""
        found = (self.call.problem, self._link.problem, self.call.notice, *self.notices)
        return [each for each in found if each is not None]

    @property
    def notices(self) -> tuple[Problem, ...]:
        """What this page noticed beside the call."""
        return tuple(self._notices.values())

    @property
    def link_state(self) -> str:
        """The state of the peer connection."""
        return self._attempt.link_state if self._attempt is not None else "none"

    @property
    def statistics(self) -> LinkStatistics:
        """The connection over the last second."""
        return self._attempt.statistics if self._attempt is not None else LinkStatistics()

    @property
    def now(self) -> float:
        """The time on the page's monotonic clock, in seconds."""
        return self._clock()

    # ---- what the person wants

    def talk(self) -> None:
        """Begin a call; one that another page has ends."""
        self._link.tell(CALL_TAKE, {})
        self._sound.unlock()
        self.report(Call.expect_push_to_talk, self.settings.push_to_talk)
        self.report(Call.talk)

    def stop(self) -> None:
        """End the call."""
        self.report(Call.stop)

    def mute(self, muted: bool) -> None:
        """Mute or unmute the microphone."""
        self.report(Call.mute, muted)

    def interrupt(self) -> None:
        """Stop the assistant's answer."""
        self.report(Call.interrupt)

    def hold(self) -> None:
        """Begin a turn by push-to-talk."""
        self.report(Call.hold)

    def release(self) -> None:
        """End that turn."""
        self.report(Call.release)

    def say(self, text: str) -> bool:
        """Say something in writing; False where no call runs that could take it."""
        try:
            self.report(Call.say, text)
        except ValueError:
            return False
        return True

    def choose_microphone(self, choice: str) -> None:
        """Use another microphone, in the running call too."""
        self.microphone_choice = choice
        if self._attempt is not None and self._attempt.wire is not None:
            self._scope.start(self._change_microphone(self._attempt), "changing the microphone")

    def change_setting(self, name: str, value: Value) -> None:
        """Let a setting have another value."""
        self.settings.change(name, value)

    def enable_sound(self) -> None:
        """The person pressed a button: ask the browser for sound again."""
        self._sound.unlock()
        self._pcm.unlock()

    def notice(self, found: Problem) -> None:
        """Show a problem beside the call until the next one begins."""
        self._notices[found.code] = found
        self._display.changed()

    def withdraw(self, code: str) -> None:
        """Show this problem beside the call no more."""
        if self._notices.pop(code, None) is not None:
            self._display.changed()

    def _take_along(self, update: dict[str, object]) -> None:
        if self.call.under_way:
            self.report(Call.configure, update)

    # ---- commands

    def _run(self, commands: Iterable[Command]) -> None:
        # Carrying out one command may report something that commands more; those come after the rest.
        self._pending.extend(commands)
        if self._running:
            return
        self._running = True
        try:
            while self._pending:
                self._carry_out(self._pending.popleft())
        finally:
            self._running = False
        self._set_timer(self.call.next_deadline())
        self._display.changed()

    def _set_timer(self, deadline: float | None) -> None:
        if deadline == self._deadline:
            return  # as after most events: two calls of the browser saved
        self._deadline = deadline
        if deadline is None:
            self._timer.clear()
        else:
            self._timer.set(deadline - self._clock())

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, OpenMicrophone):
            attempt = self._begin(command.attempt)
            self._scope.start(self._open_microphone(attempt), "opening the microphone")
            return
        held = self._attempt
        if held is None or held.number != command.attempt:
            return  # of an attempt that has ended
        match command:
            case OpenPeer():
                self._scope.start(self._open_peer(held), "opening the call")
            case OpenSocket(fell_back=fell_back):
                self._open_socket(held, fell_back=fell_back)
            case PlayAudio(item_id=item_id, content_index=content_index, audio=audio):
                if isinstance(held.wire, CallSocket):
                    held.wire.play(item_id, content_index, audio)
            case Send(text=text):
                if held.wire is not None and held.wire.send(text):
                    self.event_log.add("sent", text, self._clock())
            case SilenceReply():
                self._sound.silence_reply()
                if isinstance(held.wire, CallSocket):
                    held.wire.silence()
            case LetReplySound():
                self._sound.let_reply_sound()
            case SetMicrophone(enabled=enabled):
                held.set_microphone(enabled, self._clock())
                self._notices.pop("microphone-silent", None)
            case CallTool(call_id=call_id, name=name, arguments=arguments):
                work = self._run_tool(held, ToolCall(call_id, name, arguments))
                held.scope.start(work, "running a tool")
            case CloseCall():
                self._attempt = None
                held.end()
                self._sound.rest()
                self._scope.start(_collect(), "collecting")

    def _begin(self, number: int) -> Attempt:
        self._notices.clear()
        self._attempt = Attempt(number, self._scope.nest(f"attempt {number}"), self)
        return self._attempt

    def _tick(self) -> None:
        self._deadline = None
        self.report(Call.tick)

    # ---- work for one attempt

    async def _open_microphone(self, attempt: Attempt) -> None:
        scope = attempt.scope.nest("microphone")
        choice = self.microphone_choice
        try:
            microphone = await open_microphone(scope, choice, lambda: self._lost(attempt))
        except Trouble as trouble:
            scope.end()
            self.report(Call.failed, attempt.number, trouble.problem)
            return
        if not scope.ended:
            self._use(attempt, microphone, scope)
        self.report(Call.microphone_opened, attempt.number)

    def _use(self, attempt: Attempt, microphone: Microphone, scope: Scope) -> None:
        attempt.hold(microphone, scope, self.microphones.now, self._clock())
        attempt.set_microphone(self.call.microphone_on, self._clock())

    async def _open_peer(self, attempt: Attempt) -> None:
        microphone, scope = attempt.microphone, attempt.wire_scope
        if scope.ended or microphone is None:
            return
        try:
            peer = attempt.wire = Peer(scope, microphone, attempt)
            sdp = await peer.offer()
            if scope.ended:
                return  # the service is not bothered for nobody
            opened = await open_call(self._link, OpenCall(attempt.number, sdp))
            scope.own(lambda: self._link.call_closed(opened.call_id))
            if scope.ended:
                return
            self.report(Call.agreed, attempt.number, opened.dialect)
            await peer.answer(opened.sdp)
        except Trouble as trouble:
            self.wire_settled()
            if not scope.ended:
                self.report(Call.failed, attempt.number, trouble.problem)
        except seam.BrowserRefusal:
            if not scope.ended:  # a peer that was closed meanwhile refuses everything
                raise
        else:
            self.report(Call.answered, attempt.number, opened.call_id)
            self._catch_up_with_choice(microphone)

    def _open_socket(self, attempt: Attempt, *, fell_back: bool) -> None:
        if attempt.microphone is None:
            return
        tried_webrtc = attempt.wire is not None
        scope = attempt.change_wire()
        attempt.wire = CallSocket(
            scope, attempt.microphone, self._pcm, attempt, tried_webrtc=tried_webrtc
        )
        if fell_back:
            self.notice(problem("websocket-fallback"))
        self._catch_up_with_choice(attempt.microphone)

    def _catch_up_with_choice(self, microphone: Microphone) -> None:
        if microphone.choice != self.microphone_choice:  # chosen anew while the call was opened
            self.choose_microphone(self.microphone_choice)

    async def _run_tool(self, attempt: Attempt, tool: ToolCall) -> None:
        try:
            returned = await self._link.run_tool(tool)
            if returned.answered:
                self.report(Call.tool_answered, attempt.number, tool.call_id)
                return
            output = returned.output
        except Trouble as trouble:
            # The model is told, so that it can say so; without an output it would wait for ever.
            output = f"The tool failed. {trouble.problem.says}"
        self.report(Call.tool_returned, attempt.number, tool.call_id, output)

    async def _change_microphone(self, attempt: Attempt) -> None:
        scope = attempt.scope.nest("microphone")
        choice = self.microphone_choice
        try:
            microphone = await open_microphone(scope, choice, lambda: self._lost(attempt))
        except Trouble as trouble:
            scope.end()
            if attempt.microphone is not None:
                self.microphone_choice = attempt.microphone.choice
            self.notice(trouble.problem)
            return
        if scope.ended or attempt.wire is None or choice != self.microphone_choice:
            scope.end()  # the call ended, or the person has chosen again since
            return
        await attempt.wire.change_microphone(microphone)
        for code in ("microphone-lost", "microphone-silent", "microphone-busy"):
            self._notices.pop(code, None)
        self._use(attempt, microphone, scope)
        self._display.changed()

    def _lost(self, attempt: Attempt) -> None:
        attempt.microphone_lost = True
        self.notice(problem("microphone-lost"))
        self.microphones.refresh()

    def _microphones_changed(self, microphones: Microphones) -> None:
        attempt = self._attempt
        if attempt is not None and attempt.microphone is not None:
            usable = microphones.offers(self.microphone_choice) and len(microphones.choices) > 1
            moved = self.microphone_choice == DEFAULT and microphones.default_moved_since(
                attempt.microphones_then
            )
            if usable and (attempt.microphone_lost or moved):
                attempt.microphone_lost = False
                self.choose_microphone(self.microphone_choice)
        elif not microphones.offers(self.microphone_choice):
            self.microphone_choice = DEFAULT
        self._display.changed()

    def _sound_blocked(self, blocked: bool) -> None:
        if blocked:
            self.notice(problem("sound-blocked"))
        else:
            self.withdraw("sound-blocked")

    # ---- what an attempt reports (attempt.AttemptOwner)

    def report(self, tell: Callable[[Call, *Told, float], list[Command]], *told: *Told) -> None:
        """Tell the core something, now, and carry out what it answers; the feed hears of it too.

        `tell` is a method of `Call` itself. Raises what it raises.
        """
        now = self._clock()
        commands = tell(self.call, *told, now)
        self.feed.add(now, tell.__name__, told)
        self._run(commands)

    def received(self, number: int, text: str) -> None:
        """An event came for attempt `number`."""
        now = self._clock()
        # First the core and its commands (a barge-in is a matter of milliseconds), then the record of it.
        self.report(Call.receive, number, text)
        self.event_log.add("received", without_sound(text), now)

    def play(self, scope: Scope, track: MediaStreamTrack, hear: Hear) -> None:
        """Let a reply's track sound."""
        self._sound.play(scope, track, hear)

    def wire_settled(self) -> None:
        """There is a connection, or there will be none: time for what a call does not wait for."""
        self.microphones.refresh()  # with the permission came the names

    def meter_user(self, scope: Scope, microphone: Microphone, hear: Hear) -> None:
        """Tell how loud the microphone is."""
        self._sound.meter(scope, microphone.stream, hear)

    def user_level(self, level: Level, *, silent: bool) -> None:
        """How loud the microphone is; `silent` when it is so still that it may not work."""
        if silent != ("microphone-silent" in self._notices):
            if silent:
                self.notice(problem("microphone-silent"))
            else:
                del self._notices["microphone-silent"]
        self._display.user_level(level)

    def reply_level(self, level: Level) -> None:
        """How loud the assistant is."""
        self._display.reply_level(level)

    def begin_next_with(self, transport: str) -> None:
        """Begin later calls over this transport."""
        self.report(Call.expect_transport, transport)

    def changed(self) -> None:
        """Something of the attempt changed that is drawn."""
        self._display.changed()


async def _collect() -> None:
    """Let go of what an ended call held in circles.

    Python's collector goes by the number of Python objects; it does not know that one proxy among them
    keeps a peer connection or a stream of the browser alive. So it is told, once the tasks are done.
    """
    await asyncio.sleep(_COLLECT_AFTER)
    gc.collect()
