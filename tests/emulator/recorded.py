"""What Azure's GA service sends, as its public recordings of 2026-07 show it (azure eastus2, gpt-realtime).

Tables of facts in our own words: which events a turn consists of, in which order, and which fields each has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_ASSISTANT_BEGINS = (
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
)
_ASSISTANT_ENDS = (
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
)
_TYPED = ("conversation.item.added", "conversation.item.done")

TYPED_TEXT = (
    *_TYPED,
    *_ASSISTANT_BEGINS,
    "response.output_text.delta",
    "response.output_text.done",
    *_ASSISTANT_ENDS,
)
"""A typed message and ``response.create``, answered in text. Deltas that follow each other count once."""

TYPED_AUDIO = (
    *_TYPED,
    *_ASSISTANT_BEGINS,
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    *_ASSISTANT_ENDS,
)
"""The same, answered aloud. Words come before their sound, then both alternate until the end."""

TOOL_CALL = (
    *_TYPED,
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
)

SPOKEN = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    *_TYPED,
    *TYPED_AUDIO[2:],
)
"""A spoken turn, answered aloud, without what concerns its transcript, which comes in between anywhere
after ``response.created``."""

_IN_CONTENT = {"response_id", "item_id", "output_index", "content_index"}
_IN_CALL = {"response_id", "item_id", "output_index", "call_id"}

FIELDS: dict[str, set[str]] = {
    "session.created": {"session"},
    "session.updated": {"session"},
    "input_audio_buffer.speech_started": {"audio_start_ms", "item_id"},
    "input_audio_buffer.speech_stopped": {"audio_end_ms", "item_id"},
    "input_audio_buffer.committed": {"item_id", "previous_item_id"},
    "conversation.item.added": {"item", "previous_item_id"},
    "conversation.item.done": {"item", "previous_item_id"},
    "conversation.item.input_audio_transcription.delta": {
        *("item_id", "content_index", "delta", "obfuscation"),
    },
    "conversation.item.input_audio_transcription.completed": {
        *("item_id", "content_index", "transcript", "usage"),
    },
    "conversation.item.input_audio_transcription.failed": {"item_id", "content_index", "error"},
    "response.created": {"response"},
    "response.done": {"response"},
    "response.output_item.added": {"response_id", "output_index", "item"},
    "response.output_item.done": {"response_id", "output_index", "item"},
    "response.content_part.added": _IN_CONTENT | {"part", "content"},
    "response.content_part.done": _IN_CONTENT | {"part", "content"},
    "response.output_text.delta": _IN_CONTENT | {"delta", "obfuscation"},
    "response.output_text.done": _IN_CONTENT | {"text"},
    "response.output_audio_transcript.delta": _IN_CONTENT | {"delta", "obfuscation"},
    "response.output_audio_transcript.done": _IN_CONTENT | {"transcript"},
    "response.output_audio.delta": _IN_CONTENT | {"delta"},
    "response.output_audio.done": _IN_CONTENT,
    "response.function_call_arguments.delta": _IN_CALL | {"delta", "obfuscation"},
    "response.function_call_arguments.done": _IN_CALL | {"name", "arguments"},
}
"""The fields of each event, besides its type and id."""

SESSION_FIELDS = {
    *("type", "object", "id", "model", "output_modalities", "instructions", "tools", "tool_choice"),
    *("max_output_tokens", "tracing", "truncation", "prompt", "expires_at", "audio", "include"),
}
RESPONSE_FIELDS = {
    *("object", "id", "status", "status_details", "output", "conversation_id", "usage"),
    *("output_modalities", "max_output_tokens", "audio", "metadata"),
}
ITEM_FIELDS: dict[str, set[str]] = {
    "message": {"id", "type", "status", "role", "content"},
    "function_call": {"id", "type", "status", "name", "call_id", "arguments"},
    "function_call_output": {"id", "type", "call_id", "output"},
}

NOT_DEPLOYED = {"type": "server_error", "code": "DeploymentNotFound", "param": None}
"""The error of a transcription whose model is no deployment, but for its message."""


def order(types: Iterable[str], *, without: Sequence[str] = ()) -> tuple[str, ...]:
    """The types of a turn as the tables have them: alternating deltas told once, in their first order."""
    told: list[str] = []
    for kind in types:
        if kind.endswith(".delta") and kind in told[-2:]:
            continue
        if not any(part in kind for part in without):
            told.append(kind)
    return tuple(told)


def differences(event: dict[str, Any]) -> list[str]:
    """In what an event is not as recorded; nothing for events that the recordings do not have."""
    kind = event["type"]
    found = _differ(kind, set(event) - {"type", "event_id"}, FIELDS.get(kind))
    if "session" in event:
        found += _differ(f"{kind}: session", set(event["session"]), SESSION_FIELDS)
    if "response" in event:
        found += _differ(f"{kind}: response", set(event["response"]), RESPONSE_FIELDS)
    for item in (event.get("item"), *event.get("response", {}).get("output", ())):
        if item is not None:
            found += _differ(f"{kind}: item", set(item), ITEM_FIELDS[item["type"]])
    return found


def _differ(what: str, fields: set[str], expected: set[str] | None) -> list[str]:
    if expected is None or fields == expected:
        return []
    return [f"{what} has {sorted(fields - expected)} and lacks {sorted(expected - fields)}"]
