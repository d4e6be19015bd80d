"""What does a stream of events add up to? One reducer for the live call, a mirror of it, and a replay.

`receive` takes the service's events, `sent` this side's; both only change the record. Which commands follow
is decided elsewhere (`call.py`). `now` is None where nothing is known about time (a recording without
times); an interrupted answer is then cut only where the service says how much was heard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from ..protocol import server_events as ev
from ..protocol.client_events import CLIENT_EVENTS
from ..protocol.items import Item
from ..protocol.readers import Json, as_int, as_text, as_text_or_none
from ..protocol.server_events import (
    PCM_BYTES_PER_MS,
    ErrorDetail,
    ServerEvent,
    SessionDescription,
)
from ..protocol.usage import Usage
from .conversation import Conversation, Status, Turn
from .playout import Playout

_OF_RESPONSE: Final[dict[str, Status]] = {
    "completed": Status.COMPLETED,
    "cancelled": Status.INTERRUPTED,
    "incomplete": Status.INTERRUPTED,
    "failed": Status.FAILED,
}


class CallRecord:
    """The conversation and everything that is counted beside it."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self.playout = Playout()
        self.session: SessionDescription | None = None
        self.expires_at = 0
        self.errors: list[ErrorDetail] = []
        self.transcription_failures: list[tuple[str, ErrorDetail]] = []
        self.unknown: Counter[str] = Counter()
        self.malformed = 0
        self._responses: dict[str, list[str]] = {}  # response id -> its items
        self._elsewhere: set[str] = set()  # responses outside the conversation
        self._failed: dict[str, ErrorDetail] = {}
        self._spent: dict[str, Usage] = {}
        self._sent_items: dict[str, str] = {}  # event id -> key of the entry it creates
        self._spoken: set[str] = set()  # items with sound
        self._making = ""  # the response of the conversation that is being made

    @property
    def responses(self) -> int:
        """How many responses the service has made or begun."""
        return len(self._responses)

    @property
    def failed_responses(self) -> list[ErrorDetail]:
        """Why responses failed, in order; also those that were cut short by a limit or a filter."""
        return list(self._failed.values())

    @property
    def usage(self) -> Usage:
        """The tokens of all responses together."""
        return sum(self._spent.values(), Usage())

    @property
    def bytes_per_ms(self) -> int:
        """Bytes in a millisecond of the assistant's sound, where events carry it."""
        return self.session.output_bytes_per_ms if self.session else PCM_BYTES_PER_MS

    @property
    def sounded_turns(self) -> list[Turn]:
        """The turns of the answer that sounds, or was the last one to sound."""
        return self._turns_of(self.playout.response_id)

    def detects(self, what: str) -> bool:
        """Whether turn detection may `create` or `interrupt` responses; it does both by default."""
        if self.session is None:
            return True
        detection = self.session.turn_detection
        return detection is not None and detection.get(f"{what}_response") is not False

    def is_elsewhere(self, response_id: str) -> bool:
        """Whether a response belongs to no conversation."""
        return response_id in self._elsewhere

    def receive(self, event: ServerEvent, now: float | None) -> None:
        """Take in an event of the service."""
        reducer = _REDUCERS.get(type(event))
        if reducer is not None:
            reducer(self, event, now)

    def sent(self, raw: Json, now: float | None) -> None:
        """Take in an event of this side, as a JSON object with GA names."""
        kind = as_text(raw.get("type"))
        match kind:
            case "conversation.item.create":
                item = Item.read(raw.get("item"))
                if item.type:
                    previous = as_text_or_none(raw.get("previous_item_id"))
                    key = self.conversation.sent(item, previous)
                    if event_id := as_text(raw.get("event_id")):
                        self._sent_items[event_id] = key
            case "conversation.item.truncate":
                self.conversation.truncated(
                    as_text(raw.get("item_id")), as_int(raw.get("audio_end_ms"))
                )
            case "output_audio_buffer.clear" if now is not None:
                self.cut_reply(now)
            case _ if kind not in CLIENT_EVENTS:
                self.unknown[kind] += 1

    def cut_reply(self, now: float) -> None:
        """The answer is cut off here and now: the user began to speak or asked for silence.

        One that is still being made and did not sound yet was not heard at all.
        """
        if self.playout.sounding:
            heard = self.playout.silence(now)
            if heard is not None:
                self._cut(self.playout.response_id, heard)
        elif self._making:
            self._cut(self._making, 0.0)

    # --- session ------------------------------------------------------------------------------------

    def _session(self, event: ev.SessionCreated | ev.SessionUpdated, now: float | None) -> None:
        if self.session is not None and self.session.id != event.session.id:
            self.conversation.close()  # a call that ended unseen, in a log of several
        self.session = event.session
        self.conversation.transcribes = event.session.transcribes
        self.expires_at = event.session.expires_at or self.expires_at

    def _error(self, event: ev.Error, now: float | None) -> None:
        self.errors.append(event.error)
        key = self._sent_items.get(event.error.event_id or "")
        if key is not None:
            self.conversation.refuse(key)

    def _unknown(self, event: ev.Unknown, now: float | None) -> None:
        self.unknown[event.type] += 1

    def _malformed(self, event: ev.Malformed, now: float | None) -> None:
        self.malformed += 1

    # --- items --------------------------------------------------------------------------------------

    def _item_added(self, event: ev.ItemEvent, now: float | None) -> None:
        done = isinstance(event, ev.ItemDone)
        self.conversation.added(event.item, event.previous_item_id, done=done)

    def _item_retrieved(self, event: ev.ItemRetrieved, now: float | None) -> None:
        if self.conversation.turn(event.item.id) is not None:
            self.conversation.added(event.item, done=True)

    def _item_deleted(self, event: ev.ItemDeleted, now: float | None) -> None:
        self.conversation.deleted(event.item_id)

    def _item_truncated(self, event: ev.ItemTruncated, now: float | None) -> None:
        self.conversation.truncated(event.item_id, event.audio_end_ms)

    def _idle(self, event: ev.BufferTimeout, now: float | None) -> None:
        self.conversation.hold_place(event.item_id, None)
        self.conversation.unwritten(event.item_id)

    def _speech_started(self, event: ev.SpeechStarted, now: float | None) -> None:
        if now is not None and self.playout.sounding and self.detects("interrupt"):
            self.cut_reply(now)

    def _committed(self, event: ev.BufferCommitted, now: float | None) -> None:
        self.conversation.hold_place(event.item_id, event.previous_item_id)

    def _transcription_delta(self, event: ev.TranscriptionDelta, now: float | None) -> None:
        self.conversation.grow(event.item_id, event.content_index, event.delta, "user")

    def _transcription_done(self, event: ev.TranscriptionCompleted, now: float | None) -> None:
        self.conversation.tell(event.item_id, event.content_index, event.transcript, "user")

    def _transcription_failed(self, event: ev.TranscriptionFailed, now: float | None) -> None:
        self.transcription_failures.append((event.item_id, event.error))
        self.conversation.unwritten(event.item_id)

    # --- responses ----------------------------------------------------------------------------------

    def _response_created(self, event: ev.ResponseCreated, now: float | None) -> None:
        response = event.response
        if response.out_of_band:
            self._elsewhere.add(response.id)
        else:
            self._making = response.id
        self._responses.setdefault(response.id, [])

    def _output_item(
        self, event: ev.OutputItemAdded | ev.OutputItemDone, now: float | None
    ) -> None:
        if not self.is_elsewhere(event.response_id):
            self._belongs(event.response_id, event.item.id)
            done = isinstance(event, ev.OutputItemDone)
            self.conversation.added(event.item, done=done)

    def _words(self, event: ev.TranscriptDelta | ev.TextDelta, now: float | None) -> None:
        if not self.is_elsewhere(event.response_id):
            self._belongs(event.response_id, event.item_id)
            self.conversation.grow(event.item_id, event.content_index, event.delta)
            if isinstance(event, ev.TranscriptDelta):
                self._spoken.add(event.item_id)

    def _text_done(self, event: ev.TextDone, now: float | None) -> None:
        if not self.is_elsewhere(event.response_id):
            self.conversation.tell(event.item_id, event.content_index, event.text)

    def _transcript_done(self, event: ev.TranscriptDone, now: float | None) -> None:
        if not self.is_elsewhere(event.response_id):
            self._spoken.add(event.item_id)
            self.conversation.tell(event.item_id, event.content_index, event.transcript)

    def _audio(self, event: ev.AudioDelta, now: float | None) -> None:
        octets = len(event.delta) * 3 // 4
        self.conversation.sounded(event.item_id, octets / self.bytes_per_ms)

    def _audio_done(self, event: ev.AudioDone, now: float | None) -> None:
        self.conversation.sound_whole(event.item_id)

    def _arguments(self, event: ev.ArgumentsDelta | ev.ArgumentsDone, now: float | None) -> None:
        if self.is_elsewhere(event.response_id):
            return
        self._belongs(event.response_id, event.item_id)
        if isinstance(event, ev.ArgumentsDone):
            self.conversation.arguments(
                event.item_id, event.call_id, event.arguments, name=event.name, whole=True
            )
        else:
            self.conversation.arguments(event.item_id, event.call_id, event.delta, whole=False)

    def _response_done(self, event: ev.ResponseDone, now: float | None) -> None:
        response = event.response
        self._responses.setdefault(response.id, [])
        self._spent[response.id] = response.usage
        if self._making == response.id:
            self._making = ""
        details = response.status_details
        if response.status in ("failed", "incomplete"):
            error = details.error
            if response.status == "incomplete" and not error.code:
                error = ErrorDetail(code=details.reason, message=error.message)
            self._failed[response.id] = error
        if response.out_of_band:
            self._elsewhere.add(response.id)
        if self.is_elsewhere(response.id):
            for item_id in self._responses[
                response.id
            ]:  # seen before it was known where it belongs
                self.conversation.deleted(item_id)
            return
        for item in response.output:
            self._belongs(response.id, item.id)
            self.conversation.added(item, done=True)
        status = _OF_RESPONSE.get(response.status, Status.COMPLETED)
        for item_id in self._responses[response.id]:
            self.conversation.settle(item_id, status)

    # --- the assistant's sound ----------------------------------------------------------------------

    def _playout_started(self, event: ev.PlayoutStarted, now: float | None) -> None:
        self.playout.started(event.response_id, now if now is not None else 0.0)

    def _playout_stopped(self, event: ev.PlayoutStopped, now: float | None) -> None:
        heard = self.playout.ended(now) if now is not None else None
        if heard is not None:
            words = [turn.full_text or "" for turn in self._turns_of(event.response_id)]
            self.conversation.pace.measure("".join(words), heard)

    def _playout_cleared(self, event: ev.PlayoutCleared, now: float | None) -> None:
        heard = self.playout.ended(now) if now is not None else None
        if heard is not None:
            self._cut(event.response_id, heard)
        for turn in self._turns_of(event.response_id):
            self.conversation.interrupt(turn.key)

    # --- inside -------------------------------------------------------------------------------------

    def _belongs(self, response_id: str, item_id: str) -> None:
        items = self._responses.setdefault(response_id, [])
        if item_id and item_id not in items:
            items.append(item_id)

    def _turns_of(self, response_id: str) -> list[Turn]:
        items = self._responses.get(response_id, ())
        return [turn for turn in map(self.conversation.turn, items) if turn is not None]

    def _cut(self, response_id: str, heard_ms: float) -> None:
        """Share what was heard among the spoken items of a response, in their order."""
        for turn in self._turns_of(response_id):
            if turn.key not in self._spoken:
                continue
            length = turn.audio_ms or self.conversation.pace.milliseconds(turn.full_text or "")
            self.conversation.truncated(turn.key, heard_ms)
            heard_ms = max(0.0, heard_ms - length)


_REDUCERS: Final[dict[type[ServerEvent], Callable[[CallRecord, Any, float | None], None]]] = {
    ev.TranscriptDelta: CallRecord._words,
    ev.TextDelta: CallRecord._words,
    ev.TranscriptDone: CallRecord._transcript_done,
    ev.TextDone: CallRecord._text_done,
    ev.AudioDelta: CallRecord._audio,
    ev.AudioDone: CallRecord._audio_done,
    ev.ArgumentsDelta: CallRecord._arguments,
    ev.ArgumentsDone: CallRecord._arguments,
    ev.TranscriptionDelta: CallRecord._transcription_delta,
    ev.TranscriptionCompleted: CallRecord._transcription_done,
    ev.TranscriptionFailed: CallRecord._transcription_failed,
    ev.BufferCommitted: CallRecord._committed,
    ev.ItemAdded: CallRecord._item_added,
    ev.ItemCreated: CallRecord._item_added,
    ev.ItemDone: CallRecord._item_added,
    ev.ItemDeleted: CallRecord._item_deleted,
    ev.ItemTruncated: CallRecord._item_truncated,
    ev.ItemRetrieved: CallRecord._item_retrieved,
    ev.BufferTimeout: CallRecord._idle,
    ev.SpeechStarted: CallRecord._speech_started,
    ev.OutputItemAdded: CallRecord._output_item,
    ev.OutputItemDone: CallRecord._output_item,
    ev.ResponseCreated: CallRecord._response_created,
    ev.ResponseDone: CallRecord._response_done,
    ev.PlayoutStarted: CallRecord._playout_started,
    ev.PlayoutStopped: CallRecord._playout_stopped,
    ev.PlayoutCleared: CallRecord._playout_cleared,
    ev.SessionCreated: CallRecord._session,
    ev.SessionUpdated: CallRecord._session,
    ev.Error: CallRecord._error,
    ev.Unknown: CallRecord._unknown,
    ev.Malformed: CallRecord._malformed,
}
"""Events that change the record; the others are known and change nothing."""
