"""The call: everything a shell needs to hold one, without a socket, a clock or a sound of its own.

A shell tells what happened (each method takes `now`, seconds on a monotonic clock) and carries out the
commands it gets back, in order. What it reports about an attempt carries that attempt's number; a late
report of an old attempt changes nothing, except that what it opened is closed again.

    call = Call()
    shell.run(call.talk(now))                       # [OpenMicrophone(1)]
    shell.run(call.microphone_opened(1, now))       # [OpenPeer(1)]
    shell.run(call.receive(1, text, now))           # whatever the event asks for

After every call, `phase`, `problem`, `notice` and `record` say what to draw, and `next_deadline()` when
`tick(now)` is due.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..protocol import codec
from ..protocol import server_events as ev
from ..protocol.client_events import (
    ClientEvent,
    CreateItem,
    CreateResponse,
    SessionUpdate,
)
from ..protocol.dialects import Dialect, check_dialect
from ..protocol.items import function_output, typed_message
from ..protocol.problems import Problem, problem
from ..protocol.readers import Json, as_int
from ..protocol.server_events import ServerEvent
from ..protocol.service_errors import (
    ALREADY_ACTIVE,
    judge,
    response_problem,
    transcription_problem,
)
from .commands import (
    CallTool,
    CloseCall,
    Command,
    LetReplySound,
    OpenMicrophone,
    OpenPeer,
    OpenSocket,
    PlayAudio,
    Send,
    SetMicrophone,
    SilenceReply,
)
from .configuring import Configuring
from .connection import ONLINE, RESTING, Connection, Input, State
from .conversation import Conversation
from .latency import LatencyLedger
from .phase import Phase, phase_of
from .push_to_talk import PushToTalk
from .record import CallRecord
from .reply_sound import ReplySound
from .response_gate import ResponseGate, Stage
from .tool_calls import ToolCalls, fitting
from .transport import Transport, Way, check_preference
from .turn_taking import Report, TurnTaking

LONGEST_MESSAGE: Final = 32_000
"""Characters of typed words: a data channel closes over messages of some 256 KiB."""

_OF_TRANSCRIPTION: Final = ("transcription-failed", "transcription-missing")
_LASTING: Final = (*_OF_TRANSCRIPTION, "settings-next-call")
"""Notices that an answer does not make untrue."""


class Call:
    """One page's calls, one after the other; the conversation goes on from call to call."""

    def __init__(self, dialect: Dialect = "ga") -> None:
        self.dialect: Dialect = dialect
        self.connection = Connection()
        self.transport = Transport()
        self.record = CallRecord()
        self.latency = LatencyLedger()
        self.problem: Problem | None = None
        self.notice: Problem | None = None
        self.muted = False
        self.call_id = ""
        self._ids = 0
        self._begin_anew(push_to_talk=False)

    # --- to draw ------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """The state of the call in one word."""
        return phase_of(self.connection.state, self._turns.floor)

    @property
    def conversation(self) -> Conversation:
        """What was said."""
        return self.record.conversation

    @property
    def attempt(self) -> int:
        """The number of the newest attempt."""
        return self.connection.attempt

    @property
    def under_way(self) -> bool:
        """Whether an attempt is under way, from Talk to Stop."""
        return self.connection.state not in RESTING

    @property
    def online(self) -> bool:
        """Whether events go back and forth."""
        return self.connection.state in ONLINE

    @property
    def microphone_on(self) -> bool:
        """Whether the microphone's sound is let through."""
        return not self.muted and self.by_hand.opens_microphone

    @property
    def can_interrupt(self) -> bool:
        """Whether there is an answer to interrupt."""
        return self.online and self._reply.can_be_cut

    # --- what the user does -------------------------------------------------------------------------

    def talk(self, now: float) -> list[Command]:
        """Begin a call; nothing happens while one is under way (a double click)."""
        if not self.connection.allows(Input.TALK):
            return []
        self.connection.apply(Input.TALK, now)
        self.problem = self.notice = None
        self.call_id = ""
        self._begin_anew(push_to_talk=self.by_hand.chosen)
        return [OpenMicrophone(self.attempt)]

    def stop(self, now: float) -> list[Command]:
        """End the call; nothing happens while none is under way."""
        return self._end(Input.STOP, now)

    def mute(self, muted: bool, now: float) -> list[Command]:
        """Send silence instead of the microphone's sound, or its sound again. Holds for later calls."""
        self.muted = muted
        return [self._set_microphone()] if self.under_way else []

    def expect_transport(self, preference: str, now: float) -> list[Command]:
        """Say which way later calls begin with (`transport.py`). Raises ValueError for an unknown one."""
        self.transport.prefer(check_preference(preference))
        return []

    def expect_push_to_talk(self, chosen: bool, now: float) -> list[Command]:
        """Say how turns are taken in the next call, before the service says it of the session."""
        if not self.under_way:
            self.by_hand.choose(chosen)
        return []

    def hold(self, now: float) -> list[Command]:
        """The person presses to talk: a turn begins, and an answer that is made or heard ends.

        Nothing happens where the service finds the turns, where the microphone is muted, and while the link
        is lost: nobody would hear the words.
        """
        live = self.connection.state is State.LIVE
        if not live or self.muted or not self.by_hand.begins_with(now):
            return []
        return [*self.interrupt(now), *self.by_hand.begin(now), self._set_microphone()]

    def release(self, now: float) -> list[Command]:
        """The person lets go: the turn ends after a moment (`push_to_talk.py`), a slip at once."""
        if not self.by_hand.held:
            return []
        commands = self.by_hand.release(now)
        return [self._set_microphone(), *commands, *self._create_if_free(now)]

    def configure(self, session: Json, now: float) -> list[Command]:
        """Change the session of this call by the GA body of a `session.update`, now or once it is live.

        What the service does not take is said in a notice. Raises ValueError without a call, and for a body
        that is none.
        """
        update = SessionUpdate(session=session)
        if not self.under_way:
            raise ValueError("a session can be changed only during a call")
        if not self.online:
            self._configuring.keep(session)
            return []
        sent = self._send(update, now)
        self._configuring.asked(sent.event.event_id, session, now)
        return [sent]

    def say(self, text: str, now: float) -> list[Command]:
        """Send typed words and ask for an answer. Raises ValueError for empty words or without a call."""
        words = text.strip()
        if not words:
            raise ValueError("there are no words to send")
        if len(words) > LONGEST_MESSAGE:
            raise ValueError(f"a message has at most {LONGEST_MESSAGE} characters")
        if not self.online:
            raise ValueError("words can be sent only during a call")
        self.latency.turn_ended(now, busy=self.gate.busy or self.record.playout.sounding)
        sent = self._send(CreateItem(item=typed_message("user", words, self._item_id())), now)
        self._turns.apply(Report.ANSWER_AWAITED)
        self.gate.wish()
        return [sent, *self._create_if_free(now)]

    def interrupt(self, now: float) -> list[Command]:
        """Stop the answer that is being made or heard; nothing happens where there is none."""
        if not self.can_interrupt:
            return []
        commands = self._silence(self._reply.stop(now), now)
        self._turns.apply(Report.SOUND_ENDS)
        self._turns.apply(Report.ANSWER_ENDS)
        return commands

    # --- what the shell reports ---------------------------------------------------------------------

    def microphone_opened(self, attempt: int, now: float) -> list[Command]:
        """The microphone was granted. Granted too late, it is closed again."""
        if attempt != self.attempt or not self.connection.allows(Input.MICROPHONE_GRANTED):
            return [CloseCall(attempt)] if attempt != self.attempt or not self.under_way else []
        self.connection.apply(Input.MICROPHONE_GRANTED, now)
        if self.transport.begin() is Way.WEBSOCKET:
            return [self._set_microphone(), OpenSocket(attempt, self.transport.fell_back)]
        return [self._set_microphone(), OpenPeer(attempt)]

    def agreed(self, attempt: int, dialect: str, now: float) -> list[Command]:
        """The service opened the call in this dialect; told before its SDP answer is applied.

        Raises ValueError for an unknown one.
        """
        spoken = check_dialect(dialect)
        if self._goes(Way.WEBRTC, attempt):
            self.dialect = spoken
        return []

    def answered(self, attempt: int, call_id: str, now: float) -> list[Command]:
        """The service's SDP answer was applied."""
        if self._goes(Way.WEBRTC, attempt):
            self.call_id = call_id
            if self.connection.allows(Input.ANSWERED):
                self.connection.apply(Input.ANSWERED, now, self.transport.patience)
        return []

    def channel_opened(self, attempt: int, now: float) -> list[Command]:
        """The data channel is open: the call is live."""
        return self._begin(now) if self._goes(Way.WEBRTC, attempt) else []

    def socket_opened(self, attempt: int, dialect: str, now: float) -> list[Command]:
        """The call's WebSocket reaches the service, which speaks `dialect`: the call is live."""
        if not self._goes(Way.WEBSOCKET, attempt):
            return []
        self.dialect = check_dialect(dialect)
        return self._begin(now)

    def socket_closed(self, attempt: int, now: float) -> list[Command]:
        """The call's WebSocket closed without Stop."""
        if not self._goes(Way.WEBSOCKET, attempt):
            return []
        code = "connection-lost" if self.online else "service-unreachable"
        return self.failed(attempt, problem(code), now)

    def channel_closed(self, attempt: int, now: float) -> list[Command]:
        """The data channel closed without Stop."""
        return self.link_changed(attempt, "closed", now)

    def link_changed(self, attempt: int, link: str, now: float) -> list[Command]:
        """The peer connection's `connectionState` is now `link`."""
        if not self._goes(Way.WEBRTC, attempt):
            return []
        match link:
            case "disconnected" if self.connection.allows(Input.LINK_LOST):
                self.connection.apply(Input.LINK_LOST, now)
            case "connected" if self.connection.allows(Input.LINK_BACK):
                self.connection.apply(Input.LINK_BACK, now)
            case "failed" | "closed":
                return self._fall_back(now) or self.failed(attempt, self.connection.lost, now)
        return []

    def failed(self, attempt: int, what: Problem, now: float) -> list[Command]:
        """Something failed for this attempt. What is not fatal is only shown."""
        if attempt != self.attempt or not self.under_way:
            return []
        if not what.fatal:
            self.notice = what
            return []
        self.problem = what
        return self._end(Input.FAIL, now)

    def tool_returned(self, attempt: int, call_id: str, output: str, now: float) -> list[Command]:
        """A function returned `output`; it is sent at once, the request for an answer when it may be."""
        if self._has_output(call_id):
            return self.tool_answered(attempt, call_id, now)
        if attempt != self.attempt or not self.online or not self._tools.ends(call_id):
            return []
        output = fitting(output)
        sent = self._send(CreateItem(item=function_output(call_id, output, self._item_id())), now)
        self.gate.answered(call_id)
        return [sent, *self._create_if_free(now)]

    def tool_answered(self, attempt: int, call_id: str, now: float) -> list[Command]:
        """A function returned, and somebody else has put its output into the conversation."""
        if attempt != self.attempt or not self.online or not self._tools.ends(call_id):
            return []
        self.gate.answered(call_id)
        return self._create_if_free(now)

    def reply_heard(self, attempt: int, now: float) -> list[Command]:
        """The page's meter hears the assistant begin to speak."""
        if attempt == self.attempt and self.online:
            self.latency.sound_heard(now)
        return []

    def played(
        self, attempt: int, item_id: str, content_index: int, milliseconds: float, now: float
    ) -> list[Command]:
        """The page has played so much of a sound that `PlayAudio` brought, from its beginning."""
        if not self._goes(Way.WEBSOCKET, attempt) or not self.online:
            return []
        self._reply.played(item_id, content_index, milliseconds)
        return [*self._playout_changed(now), *self._create_if_free(now)]

    def receive(self, attempt: int, message: str, now: float) -> list[Command]:
        """A message came over the data channel or the WebSocket. Never raises, whatever it holds."""
        if attempt != self.attempt or not self.under_way:
            return []
        event = codec.decode(message)
        cut_first = self._barge_in(event, now)
        self.record.receive(event, now)
        commands = [*cut_first, *self._react(event, now), *self._sound(event, now)]
        return [*commands, *self._create_if_free(now)]

    # --- time ---------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `tick` is due, None where nothing is awaited."""
        parts = (self.connection, self.gate, self.by_hand, self._configuring)
        waits = [part.deadline for part in parts if part.deadline is not None]
        return min(waits) if waits and self.under_way else None

    def tick(self, now: float) -> list[Command]:
        """Give up what has been waited for too long."""
        if not self.under_way:
            return []
        overdue = self.connection.overdue(now)
        if overdue is not None:
            answered = self.connection.state is State.CONNECTING
            fallen_back = self._fall_back(now) if answered else []
            return fallen_back or self.failed(self.attempt, overdue, now)
        if self._configuring.tick(now):
            self.notice = problem("settings-next-call")
        commands = self.by_hand.tick(now)
        if commands:
            commands.insert(0, self._set_microphone())
        sounding = self.record.playout.sounding
        if sounding:
            self.gate.heard(self.gate.response_id, now)
        silence = self.gate.tick(now)
        if silence is not None and not sounding:
            self._turns.apply(Report.ANSWER_ENDS)
            if silence:
                self.notice = problem("no-answer", seconds=round(silence))
        return [*commands, *self._create_if_free(now)]

    # --- inside: what an event asks for -----------------------------------------------------------------

    def _barge_in(self, event: ServerEvent, now: float) -> list[Command]:
        """The user's voice silences the assistant, if the service lets it interrupt."""
        if (
            isinstance(event, ev.SpeechStarted)
            and self.can_interrupt
            and self.record.detects("interrupt")
        ):
            return self._silence(self._reply.cut(now), now)
        return []

    def _sound(self, event: ServerEvent, now: float) -> list[Command]:
        piece = self._reply.brings(event)
        if piece is None:
            return self._playout_changed(now)
        play = PlayAudio(self.attempt, piece.item_id, piece.content_index, piece.delta)
        return [play, *self._playout_changed(now)]

    def _playout_changed(self, now: float) -> list[Command]:
        commands: list[Command] = []
        for event in self._reply.news():
            self.record.receive(event, now)
            commands += self._react(event, now)
        return commands

    def _react(self, event: ServerEvent, now: float) -> list[Command]:
        self.gate.heard(getattr(event, "response_id", ""), now)
        match event:
            case ev.TranscriptDelta() | ev.TextDelta():
                if not self.record.is_elsewhere(event.response_id):
                    self.latency.words_came(now)
            case ev.SpeechStarted():
                self._turns.apply(Report.USER_BEGINS)
            case ev.SpeechStopped():
                self._user_stopped(now)
            case ev.ResponseCreated() if not event.response.out_of_band:
                self.gate.created(event.response.id, now)
                self.latency.answer_began()
                self._retract("no-answer")
                if self.by_hand.speaking:
                    return self.interrupt(now)  # of an earlier wish: the person has the word
                self._turns.apply(Report.ANSWER_AWAITED)
                return [LetReplySound(self.attempt)]
            case ev.SessionCreated() | ev.SessionUpdated():
                return self._session_told(event.session)
            case ev.PlayoutStarted() if not self._reply.was_cut(event.response_id):
                self.latency.sound_sent(now)
                self._retract("no-answer")
                self._turns.apply(Report.SOUND_BEGINS)
                return [LetReplySound(self.attempt)]
            case ev.PlayoutStopped() | ev.PlayoutCleared():
                self._turns.apply(Report.SOUND_ENDS)
                if self.gate.busy:
                    self._turns.apply(Report.ANSWER_AWAITED)
            case ev.ArgumentsDone() if not self.record.is_elsewhere(event.response_id):
                return self._call_tool(event.response_id, event.call_id)
            case ev.ResponseDone() if not self.record.is_elsewhere(event.response.id):
                return self._response_done(event.response)
            case ev.Error():
                return self._service_error(event, now)
            case ev.TranscriptionFailed():
                self.notice = transcription_problem(event.error)
            case ev.TranscriptionCompleted():
                self._retract(*_OF_TRANSCRIPTION)
        return []

    def _session_told(self, session: ev.SessionDescription) -> list[Command]:
        if self._configuring.echoed(session.raw):
            self._retract("settings-next-call")
        if session.push_to_talk in (None, self.by_hand.chosen):
            return []
        self.by_hand.choose(bool(session.push_to_talk))
        return [self._set_microphone()]

    def _user_stopped(self, now: float) -> None:
        self._turns.apply(Report.USER_ENDS)
        if self.record.detects("create"):
            session = self.record.session
            detection = (session.turn_detection if session else None) or {}
            silence = as_int(detection.get("silence_duration_ms"))
            busy = self.gate.stage is Stage.ACTIVE or self.record.playout.sounding
            self.latency.turn_ended(now, silence, busy=busy)
            self.gate.user_turn_ended(now)
            self._turns.apply(Report.ANSWER_AWAITED)

    def _response_done(self, response: ev.Response) -> list[Command]:
        cancelled = response.status == "cancelled"
        commands: list[Command] = []
        if response.status == "completed":
            if self.notice is not None and self.notice.code not in _LASTING:
                self.notice = None
            for item in response.output:
                if item.type == "function_call":
                    commands += self._call_tool(response.id, item.call_id)
        elif response.status in ("failed", "incomplete"):
            self.notice = response_problem(self.record.failed_responses[-1])
        self.gate.done(response.id, cancelled=cancelled)
        if cancelled:
            self.latency.drop()
        if not self.gate.busy and not self.record.playout.sounding:
            self._turns.apply(Report.ANSWER_ENDS)
        return commands

    def _call_tool(self, response_id: str, call_id: str) -> list[Command]:
        use = self._tools.begins(self.conversation, call_id)
        if use is None:
            return []
        self.gate.called(call_id, response_id)
        return [CallTool(self.attempt, call_id, use.name, use.arguments)]

    def _service_error(self, event: ev.Error, now: float) -> list[Command]:
        error = event.error
        commands = self.by_hand.failed(error, now)
        already_active = error.code == ALREADY_ACTIVE
        if already_active or (self._create_id and error.event_id == self._create_id):
            if self.gate.refused(now, other_active=already_active):
                self.notice = problem("response-failed", detail="another answer never ended")
            if not self.gate.busy and not self.record.playout.sounding:
                self._turns.apply(Report.ANSWER_ENDS)
        what = judge(error)
        if self._configuring.refused(error.event_id or ""):
            what = problem("settings-next-call")
        return commands + (self.failed(self.attempt, what, now) if what is not None else [])

    # --- inside: what is sent -----------------------------------------------------------------------

    def _create_if_free(self, now: float) -> list[Command]:
        # While the person speaks nothing is asked for: the answer would speak over them.
        if not self.online or self.by_hand.speaking or not self.gate.grant(now):
            return []
        sent = self._send(CreateResponse(), now)
        self._create_id = sent.event.event_id
        self._turns.apply(Report.ANSWER_AWAITED)
        return [sent]

    def _set_microphone(self) -> SetMicrophone:
        return SetMicrophone(self.attempt, self.microphone_on)

    def _silence(self, told: list[ClientEvent], now: float) -> list[Command]:
        return [SilenceReply(self.attempt), *(self._send(event, now) for event in told)]

    def _send(self, event: ClientEvent, now: float) -> Send:
        event = replace(event, event_id=f"vp_{self.attempt}_{self._next_id()}")
        self.record.sent(event.to_json(), now)
        return Send(self.attempt, event, codec.encode(event, self.dialect))

    def _has_output(self, call_id: str) -> bool:
        use = self.conversation.tool_use(call_id)
        return use is not None and use.output is not None

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids

    def _item_id(self) -> str:
        return f"vp-{self.attempt}-{self._next_id()}"

    # --- inside: the rest ---------------------------------------------------------------------------

    def _retract(self, *codes: str) -> None:
        """Show no more what has turned out well."""
        if self.notice is not None and self.notice.code in codes:
            self.notice = None

    def _goes(self, way: Way, attempt: int) -> bool:
        """Whether this is the attempt that is under way, and goes this way."""
        return attempt == self.attempt and self.under_way and way is self.transport.way

    def _begin(self, now: float) -> list[Command]:
        if not self.connection.allows(Input.CHANNEL_OPENED):
            return []
        self.connection.apply(Input.CHANNEL_OPENED, now)
        early = self._configuring.take_kept()
        return [command for session in early for command in self.configure(session, now)]

    def _fall_back(self, now: float) -> list[Command]:
        """Go on over WebSocket, where there is that way and no sound connection yet."""
        if self.online or not self.transport.may_fall_back:
            return []
        self.transport.fall_back()
        self.connection.apply(Input.FELL_BACK, now)
        self.call_id = ""
        return [OpenSocket(self.attempt, fell_back=True)]

    def _end(self, how: Input, now: float) -> list[Command]:
        if not self.connection.allows(how):
            return []
        attempt = self.attempt
        self.connection.apply(how, now)
        if self.record.playout.sounding:
            self.record.cut_reply(now)
        self.conversation.close()
        self._begin_anew(push_to_talk=self.by_hand.chosen)
        return [CloseCall(attempt)]

    def _begin_anew(self, *, push_to_talk: bool) -> None:
        """Forget what belongs to one attempt only."""
        self.record.playout.ended(0.0)
        self.latency.drop()
        self.gate = ResponseGate()
        self._turns = TurnTaking()
        self._configuring = Configuring()
        self._tools = ToolCalls()
        self._reply = ReplySound(self.record, self.gate, self.latency, self.transport)
        self.by_hand = PushToTalk(
            self.gate, self._turns, self.latency, self._send, chosen=push_to_talk
        )
        self._create_id = ""
