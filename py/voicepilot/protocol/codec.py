"""Text to events and back. Reading never raises; writing is strict."""

from __future__ import annotations

import json

from .client_events import ClientEvent
from .dialects import Dialect, client_event_to_dialect, server_event_to_ga
from .json_text import parse_json
from .readers import Json, read_fields
from .server_events import SERVER_EVENTS, Malformed, ServerEvent, Unknown


def decode(message: str | bytes) -> ServerEvent:
    """Return the event in a message from the data channel or the WebSocket; never raises.

    What is no event at all becomes `Malformed`, an event of an unknown type `Unknown`.
    """
    raw = parse_object(message)
    return Malformed(reason=raw) if isinstance(raw, str) else decode_object(raw)


def decode_object(raw: Json) -> ServerEvent:
    """Return the event in a JSON object, of either dialect; never raises."""
    kind = raw.get("type")
    if not isinstance(kind, str) or not kind:
        return Malformed(reason="the message has no type")
    raw = server_event_to_ga(raw)
    cls = SERVER_EVENTS.get(raw["type"])
    if cls is None:
        event_id = raw.get("event_id")
        return Unknown(type=kind, event_id=event_id if isinstance(event_id, str) else "", raw=raw)
    return cls(**read_fields(cls, raw))


def encode(event: ClientEvent, dialect: Dialect = "ga") -> str:
    """Return `event` as the text that goes over the wire."""
    raw = client_event_to_dialect(event.to_json(), dialect)
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))


def parse_object(message: str | bytes) -> Json | str:
    """Return the JSON object in `message`, or the reason why there is none, as a sentence."""
    try:
        raw = parse_json(message)
    except ValueError as error:  # a UnicodeDecodeError is one too
        return f"the message is not JSON: {type(error).__name__}"
    return raw if isinstance(raw, dict) else "the message is not a JSON object"
