"""Are events what the ``openai`` package says they are, with no field more?"""

from __future__ import annotations

from typing import Any

from openai import BaseModel
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

_ADAPTER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)

_SESSION_EXTRAS = {"session.object", "session.id", "session.expires_at"}

RECORDED_EXTRAS = {
    "session.created": _SESSION_EXTRAS,
    "session.updated": _SESSION_EXTRAS,
    "response.content_part.added": {"content"},
    "response.content_part.done": {"content"},
    "response.function_call_arguments.delta": {"obfuscation"},
    "response.output_audio_transcript.delta": {"obfuscation"},
    "response.output_text.delta": {"obfuscation"},
    "conversation.item.input_audio_transcription.delta": {"obfuscation"},
}
"""Fields that Azure sends (recorded 2026-07) and the package does not know."""


def complaints(event: dict[str, Any]) -> list[str]:
    """Fields of an event that the package does not know and Azure does not send.

    Raises:
        pydantic.ValidationError: it is no server event, or a field is missing or of the wrong type.
    """
    kind = event["type"]
    parsed = _ADAPTER.validate_python(event)
    return [
        f"{kind}: {path}"
        for path in unknown_fields(parsed)
        if path not in RECORDED_EXTRAS.get(kind, ())
    ]


def unknown_fields(value: Any, path: str = "") -> list[str]:
    """The paths of what was read into a model of the package that has no such field."""
    if isinstance(value, BaseModel):
        found = [f"{path}{name}" for name in (value.model_extra or {})]
        for name in type(value).model_fields:
            found += unknown_fields(getattr(value, name), f"{path}{name}.")
        return found
    if isinstance(value, list):
        return [extra for entry in value for extra in unknown_fields(entry, path)]
    return []
