"""What may a client say on the data channel?"""

from __future__ import annotations

from typing import Any

from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.schema import Anything, Nullable, Number, Record, Shape, Text
from voicepilot.protocol.json_text import parse_json


def _event(required: tuple[str, ...] = (), **fields: Any) -> Record:
    common: dict[str, Shape] = {"type": Anything(), "event_id": Nullable(Text(longest=512))}
    return Record({**common, **fields}, required=required)


_ITEM_ID = ("item_id",)
EVENTS: dict[str, Record] = {
    "session.update": _event(("session",), session=Anything()),
    "input_audio_buffer.append": _event(audio=Anything()),
    "input_audio_buffer.commit": _event(),
    "input_audio_buffer.clear": _event(),
    "output_audio_buffer.clear": _event(),
    "conversation.item.create": _event(
        ("item",), item=Anything(), previous_item_id=Nullable(Text())
    ),
    "conversation.item.retrieve": _event(_ITEM_ID, item_id=Text()),
    "conversation.item.delete": _event(_ITEM_ID, item_id=Text()),
    "conversation.item.truncate": _event(
        ("item_id", "content_index", "audio_end_ms"),
        item_id=Text(),
        content_index=Number(0, 0, whole=True),
        audio_end_ms=Number(0, 2**31, whole=True),
    ),
    "response.create": _event(response=Nullable(Anything())),
    "response.cancel": _event(response_id=Nullable(Text())),
}
"""The events and their fields. What is inside items, sessions and responses has shapes of its own."""


def parsed(text: str) -> dict[str, Any]:
    """The event in a text, whatever is in it.

    Raises:
        Rejected: it is not a JSON object.
    """
    try:
        event = parse_json(text)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise Rejected("invalid_json", "The event is not a JSON object.")
    return event


def checked(event: dict[str, Any]) -> dict[str, Any]:
    """The event, of a known type and with the fields that belong to it.

    Raises:
        Rejected: it is not.
    """
    kind = event.get("type")
    if kind is None:
        raise Rejected("missing_required_parameter", "Missing required parameter: 'type'.", "type")
    shape = EVENTS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        named = ", ".join(f"'{name}'" for name in EVENTS)
        raise Rejected(
            "invalid_value",
            f"Invalid value: {str(kind)[:100]!r}. Supported values are: {named}.",
            "type",
        )
    return shape.read(event, "")
