"""What happens in one session, from ``session.created`` to the end of the call?

Three things meet here: what the client asks for (:meth:`Session.receive`), what the user says
(:meth:`Session.hear`), and what becomes of the responses. How texts, events and sound get to the client and
back is not known here: a call (:mod:`.call`) or a WebSocket (:mod:`.socket_session`) brings them. The rules:

* One response at a time speaks to the conversation; those outside it (``conversation: "none"``) may
  run beside it.
* When the user begins to speak and interruptions are allowed, the response is cancelled and everything
  not yet heard of it is forgotten, by the listener's page and by the conversation.
* A turn that the user has finished is written down once, whether or not the client wants transcripts,
  because the answer needs the words.
* What is refused changes nothing and is answered with an ``error`` event.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicepilot.emulator import events, usage
from voicepilot.emulator.client_audio import AppendedAudio, client_audio
from voicepilot.emulator.client_events import checked, parsed
from voicepilot.emulator.conversation import Conversation, Item, typed
from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.hearing import INPUT_RATE
from voicepilot.emulator.ids import identifier
from voicepilot.emulator.items import ITEM
from voicepilot.emulator.listening import Listener
from voicepilot.emulator.responses import Response, cancelled
from voicepilot.emulator.scenarios import LATE_TRANSCRIPT_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from voicepilot.emulator.configuration import Configuration
    from voicepilot.emulator.deployments import Deployments
    from voicepilot.emulator.hearing import Hearing
    from voicepilot.emulator.listening import Heard, Turn
    from voicepilot.emulator.mind import Mind
    from voicepilot.emulator.models import Models
    from voicepilot.emulator.reply import Outlet, Reply
    from voicepilot.emulator.scenarios import Faults

logger = logging.getLogger(__name__)

LONGEST_SESSION_S = 3600
"""Measured at Azure: ``expires_at`` is one hour after the start."""

_MOST_UNHEARD = 500
"""Packets of 20 ms that wait for the voice activity model, which is loaded while the page connects."""

_WORDS = re.compile(r"\s*\S+(?:\s+$)?")


@dataclass(frozen=True, slots=True)
class Means:
    """What the service has for all its sessions.

    ``models`` gives the models once they are loaded, ``mind`` decides what to say, ``faults`` what goes
    wrong.
    """

    models: Callable[[], Awaitable[Models]]
    mind: Mind
    deployments: Deployments
    faults: Faults


class Session:
    """One session.

    Args:
        configuration: as minted with the key, or the defaults.
        means: what it is held with.
        outlet: where the assistant's sound goes.
        send: takes each event for the client.
        hang_up: ends the connection because the session is over.
        sound_in_events: whether the client appends its sound in events and gets the assistant's in
            events (WebSocket), instead of on tracks (WebRTC).
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        means: Means,
        outlet: Outlet,
        send: Callable[[events.Event], None],
        hang_up: Callable[[], None],
        sound_in_events: bool = False,
    ) -> None:
        self.id = identifier("sess")
        self._configuration = configuration
        self._means = means
        self._faults = means.faults
        self._outlet = outlet
        self._send = send
        self._hang_up = hang_up
        self._appended = AppendedAudio() if sound_in_events else None
        self._conversation = Conversation()
        self._conversation_id = identifier("conv")
        self._listener: Listener | None = None
        self._unheard: deque[NDArray[np.float32]] = deque(maxlen=_MOST_UNHEARD)
        self._began_at = 0.0
        self._expires_at = 0
        self._unwatch: Callable[[], None] = lambda: None
        self._active: Response | None = None
        self._beside: dict[str, Response] = {}
        self._making: dict[str, asyncio.Task[None]] = {}
        self._recognising: dict[str, asyncio.Task[None]] = {}
        self._transcribing: dict[str, asyncio.Task[None]] = {}
        self._expiry: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._idle_since_ms = 0
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear_input,
            "output_audio_buffer.clear": self._clear_output,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.truncate": self._truncate_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    # -- the call's side ------------------------------------------------------------------------

    def open(self) -> None:
        """The client can be told: begin."""
        self._began_at = time.time()
        self._plan_expiry()
        self._unwatch = self._faults.watch(self._plan_expiry)
        self.announce(events.session_created(self._shown()))

    def listen(self, hearing: Hearing) -> None:
        """Hear the user from now on, and what was said since the session began."""
        self._listener = Listener(hearing, self._configuration, self)
        while self._unheard:
            self._listener.feed(self._unheard.popleft())

    def hear(self, samples: NDArray[np.float32]) -> None:
        """What the microphone heard: 16 kHz mono. Lost before the session is open."""
        if not self._expires_at:
            return
        if self._listener is None:
            self._unheard.append(samples)
        else:
            self._listener.feed(samples)

    def receive(self, text: str, read: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """An event from the client. Never raises: what is wrong with it is answered.

        ``read`` gives the event as GA has it; a :class:`~.errors.Rejected` that it raises is answered too.
        """
        event_id = None
        try:
            event = parsed(text)
            given = event.get("event_id")
            event_id = given if isinstance(given, str) else None
            event = checked(read(event))
            self._handlers[event["type"]](event)
        except Rejected as rejected:
            self.announce(events.error(rejected.error(event_id)))

    async def close(self) -> None:
        """End everything that the session has begun."""
        self._unwatch()
        for timer in (self._expiry, self._idle):
            if timer is not None:
                timer.cancel()
        tasks = [
            *self._making.values(),
            *self._recognising.values(),
            *self._transcribing.values(),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._outlet.stop()
        # It holds a model and its threads, and must not wait for the collector of cycles.
        self._listener = None

    # -- the user's side ------------------------------------------------------------------------

    def turn_began(self, turn: Turn) -> None:
        """The user began to speak."""
        self._stop_idling()
        self.announce(events.speech_started(turn.item_id, turn.start_ms))
        detection = self._configuration.turn_detection
        if detection is not None and detection.get("interrupt_response", True):
            if self._active is not None:
                self._end_active("turn_detected")
            self._cut_sound()

    def turn_ended(self, heard: Heard) -> None:
        """The user has finished."""
        self.announce(events.speech_stopped(heard.item_id, heard.end_ms))
        self._take_in(heard)
        detection = self._configuration.turn_detection
        if self._configuration.responds and detection is not None and detection["create_response"]:
            self._respond_unasked()

    def _take_in(self, heard: Heard) -> None:
        item = self._add_user_audio(heard.item_id, len(heard.samples) * 1000 // INPUT_RATE)
        self._start(self._recognising, item.id, self._recognise(item, heard.samples))

    def _add_user_audio(self, item_id: str, audio_ms: int) -> Item:
        body = {
            "id": item_id,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        item = Item(body, audio_ms=audio_ms)
        self.announce(events.input_committed(item.id, self._conversation.last_id))
        self._add(item)
        return item

    def _add(self, item: Item, after: str | None = None) -> None:
        before = self._conversation.insert(item, after)
        self.announce(events.item_added(item.shown(), before))
        self.announce(events.item_done(item.shown(), before))

    async def _recognise(self, item: Item, samples: NDArray[np.float32]) -> None:
        transcription = self._configuration.transcription
        deployments = self._means.deployments
        deployed = transcription is None or deployments.transcribes(transcription["model"])
        if not deployed:
            self.announce(events.transcription_failed(item.id, "DeploymentNotFound"))
        try:
            models = await self._means.models()
            item.said = await models.transcribe(samples)
        except Exception as error:
            # Not the whole of it: a message may quote what was said.
            logger.error("A turn could not be recognised (%s).", type(error).__name__)
            item.said = ""
            if deployed and self._configuration.transcription is not None:
                self.announce(events.transcription_failed(item.id))
            return
        if deployed and self._configuration.transcription is not None:
            # The answer waits for the words, not for their way to the client.
            self._start(self._transcribing, item.id, self._transcribe(item))

    async def _transcribe(self, item: Item) -> None:
        if "transcript-late" in self._faults:
            await asyncio.sleep(LATE_TRANSCRIPT_S)
        if "transcription-failed" in self._faults:
            self.announce(events.transcription_failed(item.id, "DeploymentNotFound"))
            return
        transcription, said = self._configuration.transcription, item.said or ""
        if transcription is None:
            return
        for part in item.body["content"]:
            if part["type"] == "input_audio":
                part["transcript"] = said
        for word in _WORDS.findall(said):
            self.announce(events.transcription_delta(item.id, word))
        cost = usage.transcription_usage(transcription["model"], said, item.audio_ms)
        self.announce(events.transcription_completed(item.id, said, cost))

    async def _understood(self, context: Sequence[Item]) -> None:
        waiting = [self._recognising[i.id] for i in context if i.id in self._recognising]
        if waiting:
            await asyncio.wait(waiting)

    # -- responses ------------------------------------------------------------------------------

    def _respond(self, wishes: Any = None) -> None:
        if not self._configuration.responds:
            raise Rejected(
                "invalid_value", "Responses are not supported in transcription sessions.", "type"
            )
        order = self._configuration.ordered(wishes)
        if order.in_conversation and self._active is not None:
            raise Rejected(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self._active.id}. "
                "Wait until the response is finished before creating a new one.",
            )
        if "silent-model" in self._faults:
            return
        context = list(self._conversation)
        if order.input is not None:
            context = [self._referred(body) for body in order.input]
        response = Response(
            order,
            conversation=self._conversation,
            conversation_id=self._conversation_id,
            context=context,
            outlet=self._outlet,
            announce=self.announce,
        )
        self._stop_idling()
        if order.in_conversation:
            self._active = response
        else:
            self._beside[response.id] = response
        response.begin()
        self._start(self._making, response.id, self._make(response))

    def _respond_unasked(self) -> None:
        try:
            self._respond()
        except Rejected as rejected:
            self.announce(events.error(rejected.error(None)))

    async def _make(self, response: Response) -> None:
        end = self._faults.response_end()
        if end is None:
            await response.run(self._means.models, self._means.mind, self._understood)
        else:
            response.end(*end)
        self._let_go(response)

    def _let_go(self, response: Response) -> None:
        self._beside.pop(response.id, None)
        if self._active is response:
            self._active = None
            if not self._outlet.playing:
                self._start_idling()

    def _end_active(self, reason: str) -> None:
        if self._active is not None:
            self._end(self._active, reason)

    def _end(self, response: Response, reason: str) -> None:
        response.end(*cancelled(reason))
        self._let_go(response)
        if (task := self._making.get(response.id)) is not None:
            task.cancel()

    def _referred(self, body: dict[str, Any]) -> Item:
        if body["type"] == "item_reference":
            return self._conversation.expect(body["id"], "reference")
        return typed({"id": identifier("item"), **body})

    # -- sound ----------------------------------------------------------------------------------

    def sound_started(self, reply: Reply) -> None:
        """The first sound of a reply is on its way to the page."""
        self.announce(events.output_buffer("started", reply.response_id))

    def sound_stopped(self, reply: Reply) -> None:
        """The last sound of a reply has left."""
        self.announce(events.output_buffer("stopped", reply.response_id))
        if self._active is None and not self._outlet.playing:
            self._start_idling()

    def _cut_sound(self) -> None:
        for reply in self._outlet.clear():
            if not reply.started:
                continue
            self.announce(events.output_buffer("cleared", reply.response_id))
            item = self._conversation.find(reply.item_id)
            if item is not None and item.spoken is not None:
                heard_ms = min(reply.played_ms, item.spoken.duration_ms)
                self._conversation.truncate(item.id, heard_ms)
                self.announce(events.item_truncated(item.id, heard_ms))

    # -- silence --------------------------------------------------------------------------------

    def _start_idling(self) -> None:
        self._stop_idling()
        detection = self._configuration.turn_detection
        timeout_ms = detection.get("idle_timeout_ms") if detection is not None else None
        in_turn = self._listener is not None and self._listener.in_turn
        if timeout_ms is None or in_turn:
            return
        self._idle_since_ms = self._position_ms()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(timeout_ms / 1000, self._idled)

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _idled(self) -> None:
        self._idle = None
        now_ms = self._position_ms()
        item_id = identifier("item")
        self.announce(events.input_timed_out(item_id, self._idle_since_ms, now_ms))
        # The silence itself becomes the user's turn.
        self._add_user_audio(item_id, now_ms - self._idle_since_ms).said = ""
        self._respond_unasked()

    def _position_ms(self) -> int:
        return self._listener.position_ms if self._listener is not None else 0

    def _plan_expiry(self) -> None:
        lifetime = self._faults.session_seconds or LONGEST_SESSION_S
        if self._expiry is not None:
            self._expiry.cancel()
        self._expires_at = int(self._began_at) + lifetime
        rest = max(0.0, self._began_at + lifetime - time.time())
        self._expiry = asyncio.get_running_loop().call_later(rest, self._expire)

    def _expire(self) -> None:
        body = Rejected(
            "session_expired", "Your session hit the maximum duration of 60 minutes."
        ).error(None)
        self.announce(events.error(body))
        self._hang_up()

    # -- what the client asks for ---------------------------------------------------------------

    def _update(self, event: dict[str, Any]) -> None:
        if "ignore-session-update" in self._faults:
            return
        has_spoken = any(item.spoken is not None for item in self._conversation)
        self._configuration = self._configuration.updated(event["session"], has_spoken=has_spoken)
        if self._listener is not None:
            self._listener.configure(self._configuration)
        self.announce(events.session_updated(self._shown()))

    def _append(self, event: dict[str, Any]) -> None:
        if self._appended is None:
            raise Rejected(
                "invalid_value",
                "input_audio_buffer.append is not supported over WebRTC: audio comes in on the track.",
                "type",
            )
        self.hear(self._appended.samples(event.get("audio")))

    def _commit(self, _: dict[str, Any]) -> None:
        if self._listener is None:
            raise Rejected(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: there has been no audio yet.",
            )
        self._take_in(self._listener.commit())

    def _clear_input(self, _: dict[str, Any]) -> None:
        if self._listener is not None:
            self._listener.clear()
        self.announce(events.input_cleared())

    def _clear_output(self, _: dict[str, Any]) -> None:
        if self._appended is not None:
            raise Rejected(
                "invalid_value",
                "output_audio_buffer.clear is supported over WebRTC only: stop your own playback.",
                "type",
            )
        self._cut_sound()

    def _create_item(self, event: dict[str, Any]) -> None:
        given = ITEM.read(event["item"], "item")
        body = {"id": identifier("item"), **given}
        body.pop("object", None)
        if body["type"] == "function_call":
            body = {"call_id": identifier("call"), **body}
        if body["type"] != "function_call_output":
            body = {**body, "status": "completed"}
        item = typed(body)
        samples = client_audio(body)
        item.audio_ms = len(samples) * 1000 // INPUT_RATE
        self._add(item, event.get("previous_item_id"))
        if len(samples):
            self._start(self._recognising, item.id, self._recognise(item, samples))

    def _retrieve_item(self, event: dict[str, Any]) -> None:
        item = self._conversation.expect(event["item_id"], "retrieve")
        self.announce(events.item_retrieved(item.shown()))

    def _delete_item(self, event: dict[str, Any]) -> None:
        self._conversation.delete(event["item_id"])
        self.announce(events.item_deleted(event["item_id"]))

    def _truncate_item(self, event: dict[str, Any]) -> None:
        item = self._conversation.truncate(event["item_id"], event["audio_end_ms"])
        self.announce(events.item_truncated(item.id, event["audio_end_ms"]))

    def _create_response(self, event: dict[str, Any]) -> None:
        self._respond(event.get("response"))

    def _cancel_response(self, event: dict[str, Any]) -> None:
        wanted = event.get("response_id")
        response = self._active
        if wanted is not None and (response is None or response.id != wanted):
            response = self._beside.get(wanted)
        if response is None:
            raise Rejected(
                "response_cancel_not_active", "Cancellation failed: no active response found."
            )
        self._end(response, "client_cancelled")

    # -- the rest -------------------------------------------------------------------------------

    def _shown(self) -> dict[str, Any]:
        return self._configuration.echoed(self.id, self._expires_at)

    def announce(self, event: events.Event) -> None:
        """Tell the client."""
        rest = {name: value for name, value in event.items() if name != "type"}
        self._send({"type": event["type"], "event_id": identifier("event"), **rest})

    def _start(
        self,
        tasks: dict[str, asyncio.Task[None]],
        key: str,
        work: Coroutine[Any, Any, None],
    ) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks[key] = task
        task.add_done_callback(lambda _: tasks.pop(key, None))
