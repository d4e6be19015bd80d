"""The two dialects of the protocol as tables: `ga`, which everything here speaks, and `preview`.

The preview protocol (api-version 2025-04-01-preview and before) has other event names, a flat session and
both modalities at once. Translation works on JSON objects, both ways, and leaves alone what it does not
know. Sources: Microsoft's preview-to-GA migration guide, 2026-02-23; `openai` 1.109.1,
`types/beta/realtime`.

Names of the preview protocol that GA does not use are understood in either dialect, so that a recording
can be read without being told which it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

from .readers import Json, as_object

Dialect: TypeAlias = Literal["ga", "preview"]
DIALECTS: Final[tuple[str, ...]] = get_args(Dialect)

_PREVIEW_EVENTS: Final[dict[str, str]] = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "transcription_session.created": "session.created",
    "transcription_session.updated": "session.updated",
}
"""Server events: preview name to GA name. `conversation.item.created` is an event of both."""

_GA_EVENTS: Final[dict[str, str]] = {
    ga: preview
    for preview, ga in _PREVIEW_EVENTS.items()
    if not preview.startswith("transcription")
} | {"conversation.item.added": "conversation.item.created"}
"""Server events: GA name to preview name, where they differ."""

_EVENTS_ONLY_GA: Final = frozenset(
    {
        "conversation.item.done",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.dtmf_event_received",
        "input_audio_buffer.timeout_triggered",
    }
)
"""Server events that the preview protocol does not have."""

# Where a flat preview field lives in the GA session.
_SESSION_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "modalities": ("output_modalities",),
    "voice": ("audio", "output", "voice"),
    "speed": ("audio", "output", "speed"),
    "input_audio_format": ("audio", "input", "format"),
    "output_audio_format": ("audio", "output", "format"),
    "input_audio_transcription": ("audio", "input", "transcription"),
    "input_audio_noise_reduction": ("audio", "input", "noise_reduction"),
    "turn_detection": ("audio", "input", "turn_detection"),
    "max_response_output_tokens": ("max_output_tokens",),
}

# Session fields that exist in one dialect only and are left out when writing the other.
_ONLY_GA: Final = frozenset(
    {"type", "truncation", "prompt", "include", "reasoning", "parallel_tool_calls", "object"}
)
_ONLY_PREVIEW: Final = frozenset({"temperature"})

PREVIEW_SESSION_FIELDS: Final = _ONLY_PREVIEW | frozenset(_SESSION_FIELDS)
"""Names of session fields that belong to the preview protocol alone, or stand elsewhere in GA."""

# In a response the modalities and the format are named as in the session, the rest is nearly the same.
_RESPONSE_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "modalities": ("output_modalities",),
    "voice": ("audio", "output", "voice"),
    "output_audio_format": ("audio", "output", "format"),
}

# What a client wishes for a response: as the response, but for the longest output.
_WISH_FIELDS: Final = _RESPONSE_FIELDS | {"max_response_output_tokens": ("max_output_tokens",)}

_FORMATS: Final[dict[str, Json]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}

_PREVIEW_PARTS: Final[dict[str, str]] = {"text": "output_text", "audio": "output_audio"}
_GA_PARTS: Final[dict[str, str]] = {ga: preview for preview, ga in _PREVIEW_PARTS.items()}


def check_dialect(name: str) -> Dialect:
    """Return `name` if it is a dialect; raise ValueError with the known ones otherwise."""
    if name == "ga":
        return "ga"
    if name == "preview":
        return "preview"
    raise ValueError(f"{name!r} is no dialect; known are {', '.join(DIALECTS)}")


def server_event_to_ga(raw: Json) -> Json:
    """Return a server event with GA names, whatever dialect it came in."""
    kind = raw.get("type")
    session_type = "transcription" if str(kind).startswith("transcription_session") else "realtime"
    if isinstance(kind, str) and kind in _PREVIEW_EVENTS:
        raw = raw | {"type": _PREVIEW_EVENTS[kind]}
        kind = raw["type"]
    if kind in ("session.created", "session.updated"):
        return raw | {"session": session_to_ga(as_object(raw.get("session")), session_type)}
    return raw


def server_event_to_dialect(raw: Json, dialect: Dialect) -> Json | None:
    """Return a server event, written with GA names, as a service of `dialect` sends it.

    None where `dialect` has no such event. For services that stand in for the real one; the reverse
    of `server_event_to_ga`.
    """
    if dialect == "ga":
        return raw
    kind = raw.get("type")
    if not isinstance(kind, str):
        return raw
    if kind in _EVENTS_ONLY_GA:
        return None
    event = raw | {"type": _GA_EVENTS.get(kind, kind)}
    match kind:
        case "session.created" | "session.updated":
            event["session"] = session_to_preview(as_object(raw.get("session")))
        case "response.created" | "response.done":
            event["response"] = _response_to_preview(as_object(raw.get("response")))
        case "response.content_part.added" | "response.content_part.done":
            event.pop("content", None)
        case "response.function_call_arguments.done":
            event.pop("name", None)
        case "error":
            error = as_object(raw.get("error"))
            event["error"] = error | {"param": parameter_to_preview(error.get("param"))}
    if isinstance(raw.get("item"), dict):
        event["item"] = _rename_parts(raw["item"], _GA_PARTS)
    return event


def parameter_to_preview(path: Any) -> Any:
    """Return the path of a field in a GA client event as the preview protocol writes it.

    `session.audio.output.voice` is `session.voice` there. What is no such path comes back as it is.
    """
    if not isinstance(path, str):
        return path
    for root, table in (("session", _SESSION_FIELDS), ("response", _WISH_FIELDS)):
        for name, places in table.items():
            nested = ".".join((root, *places))
            if path == nested or path.startswith((f"{nested}.", f"{nested}[")):
                return f"{root}.{name}{path[len(nested) :]}"
    return path


def client_event_to_dialect(raw: Json, dialect: Dialect) -> Json:
    """Return a client event, written with GA names, as `dialect` wants it."""
    if dialect == "ga":
        return raw
    match raw.get("type"):
        case "session.update":
            return raw | {"session": session_to_preview(as_object(raw.get("session")))}
        case "response.create" if "response" in raw:
            return raw | {"response": _flatten(as_object(raw["response"]), _WISH_FIELDS)}
        case "conversation.item.create":
            return raw | {"item": _rename_parts(as_object(raw.get("item")), _GA_PARTS)}
    return raw


def client_event_to_ga(raw: Json) -> Json:
    """Return a client event with GA names, whatever dialect it was written in (for recordings)."""
    kind = raw.get("type")
    match kind:
        case "session.update" | "transcription_session.update":
            session_type = "realtime" if kind == "session.update" else "transcription"
            session = session_to_ga(as_object(raw.get("session")), session_type)
            return raw | {"type": "session.update", "session": session}
        case "response.create" if isinstance(raw.get("response"), dict):
            return raw | {"response": _nest(raw["response"], _WISH_FIELDS)}
        case "conversation.item.create":
            return raw | {"item": _rename_parts(as_object(raw.get("item")), _PREVIEW_PARTS)}
    return raw


def session_to_ga(session: Json, session_type: str = "realtime") -> Json:
    """Return a session object with GA nesting; one that has it already is returned as it is."""
    if "audio" in session or session.get("type") in ("realtime", "transcription"):
        return session
    nested = _nest(session, _SESSION_FIELDS)
    return {"type": session_type} | nested if nested != session else session


def session_to_preview(session: Json) -> Json:
    """Return a GA session object in the flat form of the preview protocol."""
    kept = {name: value for name, value in session.items() if name not in _ONLY_GA}
    return _flatten(kept, _SESSION_FIELDS)


def _response_to_preview(response: Json) -> Json:
    flat = _flatten(response, _RESPONSE_FIELDS)
    if isinstance(flat.get("output"), list):
        flat["output"] = [
            _rename_parts(item, _GA_PARTS) if isinstance(item, dict) else item
            for item in flat["output"]
        ]
    return flat


def _nest(flat: Mapping[str, Any], table: Mapping[str, tuple[str, ...]]) -> Json:
    nested: Json = {}
    for name, value in flat.items():
        if name in _ONLY_PREVIEW:
            continue
        path = table.get(name, (name,))
        if name.endswith("_audio_format"):
            value = _FORMATS.get(value, value) if isinstance(value, str) else value
        elif name == "modalities":
            value = _one_modality(value)
        _put(nested, path, value)
    return nested


def _flatten(nested: Mapping[str, Any], table: Mapping[str, tuple[str, ...]]) -> Json:
    flat = {name: value for name, value in nested.items() if name != "audio"}
    for name, path in table.items():
        found, value = _take(nested, path)
        if not found:
            continue
        if len(path) == 1:
            flat.pop(path[0], None)
        if name.endswith("_audio_format"):
            value = next((short for short, long in _FORMATS.items() if long == value), value)
        elif name == "modalities":
            value = ["audio", "text"] if "audio" in (value or ()) else ["text"]
        flat[name] = value
    return flat


def _one_modality(value: object) -> object:
    """GA takes one output modality, audio with its transcript or text; preview lists both."""
    if isinstance(value, list):
        return ["audio"] if "audio" in value else ["text"]
    return value


def _put(tree: Json, path: tuple[str, ...], value: object) -> None:
    *parents, last = path
    for name in parents:
        below = tree.get(name)
        if not isinstance(below, dict):
            below = tree[name] = {}
        tree = below
    tree[last] = value


def _take(tree: Mapping[str, Any], path: tuple[str, ...]) -> tuple[bool, Any]:
    value: Any = tree
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return False, None
        value = value[name]
    return True, value


def _rename_parts(item: Json, names: Mapping[str, str]) -> Json:
    content = item.get("content")
    if item.get("role") != "assistant" or not isinstance(content, list):
        return item
    renamed = [
        part | {"type": names.get(part.get("type", ""), part.get("type"))}
        if isinstance(part, dict) and isinstance(part.get("type"), str)
        else part
        for part in content
    ]
    return item | {"content": renamed}
