"""Every event a client may send, typed, with GA names; strict in what it writes.

A constructor refuses what the service would refuse (ValueError), so a wrong event never leaves. Names and
fields follow `openai.types.realtime.RealtimeClientEvent` (PyPI openai 3.54.0); a test holds them against it.
`event_id` is echoed by the service only in `error.error.event_id`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from .items import Item
from .readers import Json

_ITEM_TYPES = frozenset(
    {"message", "function_call", "function_call_output", "mcp_approval_response"}
)
_ROLES = frozenset({"user", "assistant", "system"})
_LONGEST_ID = 32  # characters; the service refuses longer ids that a client chose


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent:
    """What all events of a client share."""

    TYPE: ClassVar[str] = ""
    event_id: str = ""

    def to_json(self) -> Json:
        """Return the event as the GA protocol writes it."""
        out: dict[str, Any] = {"type": self.TYPE}
        if self.event_id:
            out["event_id"] = self.event_id
        return out | self._fields()

    def _fields(self) -> Json:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdate(ClientEvent):
    """Change the session. Only the fields that are present change; null switches a part off."""

    TYPE: ClassVar[str] = "session.update"
    session: Json

    def __post_init__(self) -> None:
        _require(
            self.session.get("type") in ("realtime", "transcription"),
            "a session needs the type realtime or transcription",
        )

    def _fields(self) -> Json:
        return {"session": self.session}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendAudio(ClientEvent):
    """Send sound as base64 of 16-bit PCM at 24 kHz; WebSocket only."""

    TYPE: ClassVar[str] = "input_audio_buffer.append"
    audio: str

    def __post_init__(self) -> None:
        _require(bool(self.audio), "there is no audio to append")

    def _fields(self) -> Json:
        return {"audio": self.audio}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAudio(ClientEvent):
    """End the user's turn by hand (turn detection off)."""

    TYPE: ClassVar[str] = "input_audio_buffer.commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearInput(ClientEvent):
    """Throw away what was said and not committed."""

    TYPE: ClassVar[str] = "input_audio_buffer.clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearOutput(ClientEvent):
    """Throw away the sound that is not played yet; WebRTC and SIP only. Cancel the response first."""

    TYPE: ClassVar[str] = "output_audio_buffer.clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateItem(ClientEvent):
    """Add an item: at the end, at the root ("root"), or after `previous_item_id`."""

    TYPE: ClassVar[str] = "conversation.item.create"
    item: Item
    previous_item_id: str | None = None

    def __post_init__(self) -> None:
        item = self.item
        _require(item.type in _ITEM_TYPES, f"an item of type {item.type!r} cannot be created")
        _require(len(item.id) <= _LONGEST_ID, f"an item id has at most {_LONGEST_ID} characters")
        if item.type == "message":
            _require(item.role in _ROLES, f"{item.role!r} is no role")
            _require(bool(item.content), "a message needs content")
            for part in item.content:
                _require(
                    part.type in ("input_text", "output_text"),
                    f"a client cannot write content of type {part.type!r}",
                )
        elif item.type.startswith("function_call"):
            _require(bool(item.call_id), "a function call and its output need a call_id")

    def _fields(self) -> Json:
        out: dict[str, Any] = {"item": self.item.to_json()}
        if self.previous_item_id is not None:
            out["previous_item_id"] = self.previous_item_id
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutItem(ClientEvent):
    """What the events about one item share."""

    item_id: str

    def __post_init__(self) -> None:
        _require(bool(self.item_id), "an item id is missing")

    def _fields(self) -> Json:
        return {"item_id": self.item_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveItem(AboutItem):
    """Ask for an item as the service holds it."""

    TYPE: ClassVar[str] = "conversation.item.retrieve"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteItem(AboutItem):
    """Remove an item from the conversation."""

    TYPE: ClassVar[str] = "conversation.item.delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncateItem(AboutItem):
    """Cut an answer to the `audio_end_ms` that were heard. Over WebRTC the service does it itself."""

    TYPE: ClassVar[str] = "conversation.item.truncate"
    audio_end_ms: int
    content_index: int = 0

    def __post_init__(self) -> None:
        AboutItem.__post_init__(self)
        _require(self.audio_end_ms >= 0, "audio_end_ms is negative")

    def _fields(self) -> Json:
        return {
            "item_id": self.item_id,
            "content_index": self.content_index,
            "audio_end_ms": self.audio_end_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResponse(ClientEvent):
    """Ask for a response. `options` overrides the session for this one response."""

    TYPE: ClassVar[str] = "response.create"
    options: Json = field(default_factory=dict)

    def _fields(self) -> Json:
        return {"response": self.options} if self.options else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelResponse(ClientEvent):
    """Stop making a response; the active one where `response_id` is empty."""

    TYPE: ClassVar[str] = "response.cancel"
    response_id: str = ""

    def _fields(self) -> Json:
        return {"response_id": self.response_id} if self.response_id else {}


CLIENT_EVENTS: Final[dict[str, type[ClientEvent]]] = {
    cls.TYPE: cls
    for cls in tuple(globals().values())
    if isinstance(cls, type) and issubclass(cls, ClientEvent) and cls.TYPE
}
"""Every event a client may send by its GA name."""
