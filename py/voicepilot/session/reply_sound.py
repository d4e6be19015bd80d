"""Is there an answer to interrupt, and what must the service be told when it is?

Over WebRTC the service has the sound: it cuts what was not heard by itself when the user begins to speak, and
is asked to (`output_audio_buffer.clear`) when a button was pressed. Over WebSocket the sound is played here
(`playback.py`), and the service is told how much of it was heard. Either way the captions end where the sound
did.
"""

from __future__ import annotations

from ..protocol.client_events import CancelResponse, ClearOutput, ClientEvent
from ..protocol.server_events import AudioDelta, ServerEvent
from .latency import LatencyLedger
from .playback import Playback, PlayoutEvent
from .record import CallRecord
from .response_gate import ResponseGate, Stage
from .transport import Transport, Way


class ReplySound:
    """The sound of the answers of one attempt."""

    def __init__(
        self, record: CallRecord, gate: ResponseGate, latency: LatencyLedger, transport: Transport
    ) -> None:
        self._record = record
        self._gate = gate
        self._latency = latency
        self._transport = transport
        self._playback = Playback()
        self._silenced = ""  # the response that was cut last

    @property
    def can_be_cut(self) -> bool:
        """Whether an answer is being made or heard, and was not cut yet."""
        playout = self._record.playout
        making = self._gate.stage is Stage.ACTIVE and self._gate.response_id != self._silenced
        return making or (playout.sounding and not playout.silenced)

    def was_cut(self, response_id: str) -> bool:
        """Whether this answer was cut; its sound may be announced all the same."""
        return response_id == self._silenced

    def cut(self, now: float) -> list[ClientEvent]:
        """The user speaks over it, and the service knows; return what it must be told all the same."""
        self._silenced = self._gate.response_id
        self._latency.drop()
        if self._transport.way is Way.WEBRTC:
            self._record.cut_reply(now)
            return []
        told, ended = self._playback.cut(self._silenced)
        if self._record.playout.silence(now) is None:
            self._record.cut_reply(now)  # nothing was heard at all
        for event in ended:
            self._record.receive(event, now)
        return told

    def stop(self, now: float) -> list[ClientEvent]:
        """A button was pressed, and the service does not know; return what it must be told."""
        told = self.cut(now)
        if self._transport.way is Way.WEBRTC:
            told.append(ClearOutput())
        if self._gate.stage is Stage.ACTIVE:
            # Before the rest: an answer that is still being made cannot be cut.
            told.insert(0, CancelResponse(response_id=self._gate.response_id))
        return told

    def brings(self, event: ServerEvent) -> AudioDelta | None:
        """The sound in this event that is to be played here, if there is any."""
        if self._transport.way is Way.WEBRTC:
            return None
        plays = self._playback.take(event, self._record.bytes_per_ms)
        return event if plays and isinstance(event, AudioDelta) else None

    def played(self, item_id: str, content_index: int, milliseconds: float) -> None:
        """So much of a sound has been played here, from its beginning."""
        self._playback.played(item_id, content_index, milliseconds)

    def news(self) -> list[PlayoutEvent]:
        """What over WebRTC the service says itself: an answer begins to be heard, or has been."""
        return self._playback.news()
