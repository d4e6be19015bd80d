"""Every event the service sends, typed, with GA names.

One frozen dataclass an event; `TYPE` is its name on the wire and the fields carry their own readers
(`readers.py`), so that whatever arrives becomes a value of the declared types. Names and fields follow
`openai.types.realtime.RealtimeServerEvent` (PyPI openai 3.54.0); a test holds them against it. Events that
are not in this file become `Unknown` and are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from . import readers as read
from .items import ContentPart, Item
from .readers import Json
from .usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """What all events of the service share."""

    TYPE: ClassVar[str] = ""
    event_id: str = read.text()


# --- what did not fit ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(ServerEvent):
    """An event of a type that this version does not know, whole."""

    type: str = read.text()
    raw: Json = read.json_object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed(ServerEvent):
    """A message that is no event at all: not JSON, not an object, or without a type."""

    reason: str = read.text()


# --- errors ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetail:
    """The inner object of an `error` event, of a failed transcription and of a failed response."""

    type: str = read.text()
    code: str = read.text()
    message: str = read.text()
    param: str | None = read.text_or_none()
    event_id: str | None = read.text_or_none()

    @classmethod
    def read(cls, raw: object) -> ErrorDetail:
        """Read an error from foreign JSON; a plain string is taken as the message. Never raises."""
        if isinstance(raw, str):
            return cls(message=raw)
        return cls(**read.read_fields(cls, read.as_object(raw)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Error(ServerEvent):
    """The service refuses a client event or reports trouble; the session mostly stays open."""

    TYPE: ClassVar[str] = "error"
    error: ErrorDetail = read.read_with(ErrorDetail.read)


# --- session ---------------------------------------------------------------------------------------


PCM_BYTES_PER_MS: Final = 48
"""16-bit samples at 24 kHz."""

_G711_BYTES_PER_MS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDescription:
    """The session as the service echoes it. `raw` is the whole object, with GA nesting.

    `expires_at` is in Unix seconds; 0 where the service does not say (a minting reply says 0).
    """

    id: str = read.text()
    model: str = read.text()
    expires_at: int = read.whole_number()
    raw: Json = read.json_object()

    @classmethod
    def read(cls, raw: object) -> SessionDescription:
        """Read a session from foreign JSON; never raises."""
        source = read.as_object(raw)
        return cls(**(read.read_fields(cls, source) | {"raw": source}))

    @property
    def turn_detection(self) -> Json | None:
        """How the service finds the end of a turn; None where the client does (push-to-talk)."""
        detection = self._input.get("turn_detection")
        return detection if isinstance(detection, dict) else None

    @property
    def push_to_talk(self) -> bool | None:
        """Whether the client ends the turns; None where the description does not say."""
        said = "turn_detection" in self._input
        return self._input["turn_detection"] is None if said else None

    @property
    def transcribes(self) -> bool:
        """Whether what the user says is written down."""
        return isinstance(self._input.get("transcription"), dict)

    @property
    def output_bytes_per_ms(self) -> int:
        """Bytes in a millisecond of the assistant's sound, where a WebSocket carries it."""
        output = read.as_object(read.as_object(self.raw.get("audio")).get("output"))
        kind = read.as_object(output.get("format")).get("type")
        return _G711_BYTES_PER_MS if kind in ("audio/pcmu", "audio/pcma") else PCM_BYTES_PER_MS

    @property
    def _input(self) -> Json:
        return read.as_object(read.as_object(self.raw.get("audio")).get("input"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated(ServerEvent):
    """The first event of a session."""

    TYPE: ClassVar[str] = "session.created"
    session: SessionDescription = read.read_with(SessionDescription.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdated(ServerEvent):
    """The session after a `session.update`, whole."""

    TYPE: ClassVar[str] = "session.updated"
    session: SessionDescription = read.read_with(SessionDescription.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationCreated(ServerEvent):
    """The conversation exists; Azure's GA service does not send it."""

    TYPE: ClassVar[str] = "conversation.created"
    conversation: Json = read.json_object()


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitsUpdated(ServerEvent):
    """What is left of the quota; sent by OpenAI, not in recordings of Azure."""

    TYPE: ClassVar[str] = "rate_limits.updated"
    rate_limits: tuple[Json, ...] = read.json_objects()


# --- conversation items ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEvent(ServerEvent):
    """An event about a whole item. `previous_item_id` is None for the first and where it is unknown."""

    item: Item = read.read_with(Item.read)
    previous_item_id: str | None = read.text_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAdded(ItemEvent):
    """An item took its place; its content may still be growing."""

    TYPE: ClassVar[str] = "conversation.item.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCreated(ItemEvent):
    """An item took its place, in the words of the preview protocol."""

    TYPE: ClassVar[str] = "conversation.item.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDone(ItemEvent):
    """An item is complete (a transcript may still come)."""

    TYPE: ClassVar[str] = "conversation.item.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRetrieved(ServerEvent):
    """The answer to `conversation.item.retrieve`."""

    TYPE: ClassVar[str] = "conversation.item.retrieved"
    item: Item = read.read_with(Item.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDeleted(ServerEvent):
    """An item is no longer part of the conversation."""

    TYPE: ClassVar[str] = "conversation.item.deleted"
    item_id: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTruncated(ServerEvent):
    """An answer was cut: only its first `audio_end_ms` were heard."""

    TYPE: ClassVar[str] = "conversation.item.truncated"
    item_id: str = read.text()
    content_index: int = read.whole_number()
    audio_end_ms: int = read.whole_number()


# --- the user's words ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionDelta(ServerEvent):
    """A further piece of what the user said."""

    TYPE: ClassVar[str] = "conversation.item.input_audio_transcription.delta"
    item_id: str = read.text()
    content_index: int = read.whole_number()
    delta: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionSegment(ServerEvent):
    """A piece of a diarised transcript; times in seconds."""

    TYPE: ClassVar[str] = "conversation.item.input_audio_transcription.segment"
    item_id: str = read.text()
    content_index: int = read.whole_number()
    id: str = read.text()
    text: str = read.text()
    speaker: str = read.text()
    start: float = read.seconds()
    end: float = read.seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionCompleted(ServerEvent):
    """What the user said, final. It may come long after the answer began."""

    TYPE: ClassVar[str] = "conversation.item.input_audio_transcription.completed"
    item_id: str = read.text()
    content_index: int = read.whole_number()
    transcript: str = read.text()
    usage: Json = read.json_object()


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionFailed(ServerEvent):
    """What the user said could not be written down; the answer may come all the same."""

    TYPE: ClassVar[str] = "conversation.item.input_audio_transcription.failed"
    item_id: str = read.text()
    content_index: int = read.whole_number()
    error: ErrorDetail = read.read_with(ErrorDetail.read)


# --- the user's sound ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted(ServerEvent):
    """The user began to speak. `audio_start_ms` counts from the session's first sound, padding included."""

    TYPE: ClassVar[str] = "input_audio_buffer.speech_started"
    item_id: str = read.text()
    audio_start_ms: int = read.whole_number()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStopped(ServerEvent):
    """The user stopped; sent when the silence has lasted its configured time."""

    TYPE: ClassVar[str] = "input_audio_buffer.speech_stopped"
    item_id: str = read.text()
    audio_end_ms: int = read.whole_number()


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferCommitted(ServerEvent):
    """What was said will be the user item `item_id`, after `previous_item_id`."""

    TYPE: ClassVar[str] = "input_audio_buffer.committed"
    item_id: str = read.text()
    previous_item_id: str | None = read.text_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferCleared(ServerEvent):
    """What was said but not committed is thrown away."""

    TYPE: ClassVar[str] = "input_audio_buffer.cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferTimeout(ServerEvent):
    """Nobody spoke for `idle_timeout_ms`; the service speaks up by itself."""

    TYPE: ClassVar[str] = "input_audio_buffer.timeout_triggered"
    item_id: str = read.text()
    audio_start_ms: int = read.whole_number()
    audio_end_ms: int = read.whole_number()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeypadPressed(ServerEvent):
    """A telephone key (DTMF) was pressed; SIP calls only. `received_at` in Unix seconds."""

    TYPE: ClassVar[str] = "input_audio_buffer.dtmf_event_received"
    event: str = read.text()
    received_at: int = read.whole_number()


# --- the assistant's sound (WebRTC and SIP) ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayoutStarted(ServerEvent):
    """The service begins to send the sound of a response."""

    TYPE: ClassVar[str] = "output_audio_buffer.started"
    response_id: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayoutStopped(ServerEvent):
    """The sound of a response is sent to its end; comes after `response.done`."""

    TYPE: ClassVar[str] = "output_audio_buffer.stopped"
    response_id: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayoutCleared(ServerEvent):
    """The rest of the sound is thrown away: the user interrupted, or the client asked for it."""

    TYPE: ClassVar[str] = "output_audio_buffer.cleared"
    response_id: str = read.text()


# --- responses -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDetails:
    """Why a response ended as it did. `reason` for cancelled and incomplete, `error` for failed."""

    type: str = read.text()
    reason: str = read.text()
    error: ErrorDetail = read.read_with(ErrorDetail.read)

    @classmethod
    def read(cls, raw: object) -> StatusDetails:
        """Read from foreign JSON; a plain string, which has been seen, is the error's message."""
        if isinstance(raw, str):
            return cls(error=ErrorDetail(message=raw))
        return cls(**read.read_fields(cls, read.as_object(raw)))


def _output(value: object) -> tuple[Item, ...]:
    return tuple(Item.read(raw) for raw in read.as_objects(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response as `response.created` and `response.done` describe it.

    `out_of_band` is true where the service says that it belongs to no conversation.
    """

    id: str = read.text()
    status: str = read.text()
    status_details: StatusDetails = read.read_with(StatusDetails.read)
    output: tuple[Item, ...] = read.read_with(_output)
    usage: Usage = read.read_with(Usage.read)
    out_of_band: bool = False

    @classmethod
    def read(cls, raw: object) -> Response:
        """Read a response from foreign JSON; never raises."""
        source = read.as_object(raw)
        known: dict[str, Any] = read.read_fields(cls, source)
        known["out_of_band"] = "conversation_id" in source and source["conversation_id"] is None
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCreated(ServerEvent):
    """A response begins."""

    TYPE: ClassVar[str] = "response.created"
    response: Response = read.read_with(Response.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDone(ServerEvent):
    """A response ended, well or not: its `status` says (completed, cancelled, failed, incomplete)."""

    TYPE: ClassVar[str] = "response.done"
    response: Response = read.read_with(Response.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceOfResponse(ServerEvent):
    """What the events inside a response share."""

    response_id: str = read.text()
    output_index: int = read.whole_number()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputItemAdded(PieceOfResponse):
    """The response begins a new item."""

    TYPE: ClassVar[str] = "response.output_item.added"
    item: Item = read.read_with(Item.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputItemDone(PieceOfResponse):
    """An item of the response is complete, or was cut off (`item.status` is then incomplete)."""

    TYPE: ClassVar[str] = "response.output_item.done"
    item: Item = read.read_with(Item.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceOfItem(PieceOfResponse):
    """What the events inside a response's item share."""

    item_id: str = read.text()
    content_index: int = read.whole_number()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPartAdded(PieceOfItem):
    """A part of an item begins."""

    TYPE: ClassVar[str] = "response.content_part.added"
    part: ContentPart = read.read_with(ContentPart.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPartDone(PieceOfItem):
    """A part of an item is complete."""

    TYPE: ClassVar[str] = "response.content_part.done"
    part: ContentPart = read.read_with(ContentPart.read)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(PieceOfItem):
    """A further piece of a written answer."""

    TYPE: ClassVar[str] = "response.output_text.delta"
    delta: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDone(PieceOfItem):
    """A written answer, whole."""

    TYPE: ClassVar[str] = "response.output_text.done"
    text: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptDelta(PieceOfItem):
    """A further piece of a spoken answer in words; it runs ahead of the sound."""

    TYPE: ClassVar[str] = "response.output_audio_transcript.delta"
    delta: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptDone(PieceOfItem):
    """A spoken answer in words, whole."""

    TYPE: ClassVar[str] = "response.output_audio_transcript.done"
    transcript: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioDelta(PieceOfItem):
    """A piece of sound, base64 of 16-bit PCM at 24 kHz; WebSocket only."""

    TYPE: ClassVar[str] = "response.output_audio.delta"
    delta: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioDone(PieceOfItem):
    """The sound of an item is made (not yet played)."""

    TYPE: ClassVar[str] = "response.output_audio.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentsDelta(PieceOfResponse):
    """A further piece of a function call's arguments."""

    TYPE: ClassVar[str] = "response.function_call_arguments.delta"
    item_id: str = read.text()
    call_id: str = read.text()
    delta: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentsDone(PieceOfResponse):
    """A function call is complete. The preview protocol leaves `name` out."""

    TYPE: ClassVar[str] = "response.function_call_arguments.done"
    item_id: str = read.text()
    call_id: str = read.text()
    name: str = read.text()
    arguments: str = read.text()


# --- MCP tools, which the service calls itself -------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class McpArgumentsDelta(PieceOfResponse):
    """A further piece of an MCP call's arguments."""

    TYPE: ClassVar[str] = "response.mcp_call_arguments.delta"
    item_id: str = read.text()
    delta: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class McpArgumentsDone(PieceOfResponse):
    """An MCP call's arguments are complete."""

    TYPE: ClassVar[str] = "response.mcp_call_arguments.done"
    item_id: str = read.text()
    arguments: str = read.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class McpProgress(ServerEvent):
    """An MCP call or a listing of MCP tools moved on; `item_id` names it."""

    item_id: str = read.text()
    output_index: int = read.whole_number()


@dataclass(frozen=True, slots=True, kw_only=True)
class McpCallInProgress(McpProgress):
    """The service calls an MCP tool."""

    TYPE: ClassVar[str] = "response.mcp_call.in_progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpCallCompleted(McpProgress):
    """The MCP tool answered."""

    TYPE: ClassVar[str] = "response.mcp_call.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpCallFailed(McpProgress):
    """The MCP tool failed."""

    TYPE: ClassVar[str] = "response.mcp_call.failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpListInProgress(McpProgress):
    """The service asks an MCP server for its tools."""

    TYPE: ClassVar[str] = "mcp_list_tools.in_progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpListCompleted(McpProgress):
    """The MCP server told its tools."""

    TYPE: ClassVar[str] = "mcp_list_tools.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpListFailed(McpProgress):
    """The MCP server did not tell its tools."""

    TYPE: ClassVar[str] = "mcp_list_tools.failed"


# Read from the module, not from __subclasses__(): a slotted dataclass leaves its first form behind there.
SERVER_EVENTS: Final[dict[str, type[ServerEvent]]] = {
    cls.TYPE: cls
    for cls in tuple(globals().values())
    if isinstance(cls, type) and issubclass(cls, ServerEvent) and cls.TYPE
}
"""Every known event by its GA name."""
