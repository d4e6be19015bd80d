"""What stands in a recording of calls, and what never does?

A recording is JSON Lines. The first line says what it is; each other one has `at`, seconds since it began,
and a `direction`:

    {"recording": 1, "voicepilot": "0.4.0", "started": "2026-11-22T16:40:00Z", "service": "..."}
    {"at": 0.1, "direction": "request", "number": 1, "method": "POST", "path": "/openai/v1/...",
     "headers": {"api-key": null, "content-type": "application/json"}, "body": {"session": ...}}
    {"at": 0.4, "direction": "reply", "number": 1, "status": 200, "headers": {...}, "body": {...}}
    {"at": 0.5, "direction": "input", "call": 1, "name": "channel_opened", "args": [1]}
    {"at": 0.9, "direction": "received", "call": 1, "event": {"type": "session.created", ...}}
    {"at": 1.2, "direction": "sent", "call": 1, "event": {"type": "response.create", ...}}
    {"at": 9.9, "direction": "gap"}

`call` counts the calls of the recording from 1. Bodies are JSON or text. Left out are credentials and keys,
sound (`feed`), the secrets of the media connection and the caller's own addresses. What was said and what
tools returned stays: it is what a recording is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..protocol.codec import parse_object
from ..protocol.json_text import parse_json
from ..protocol.readers import Json, as_seconds
from .feed import leave_out_sound

VERSION: Final = 1
LEFT_OUT: Final = "…"

_PLAIN_HEADERS: Final = frozenset(
    {
        *("accept", "content-type", "content-length", "date", "location", "retry-after"),
        *("retry-after-ms", "x-request-id", "apim-request-id", "openai-processing-ms"),
        *("access-control-allow-origin", "x-ms-region", "azureml-model-session"),
    }
)
_SECRET_NAMES: Final = frozenset(
    {"value", "client_secret", "authorization", "api-key", "api_key", "access_token", "key"}
)
_SECRETS: Final = re.compile(r"\bek_[\w-]{8,}|\beyJ[\w.-]{10,}|(?<=\bBearer )[\w.~+/=-]{16,}")
_ICE_SECRETS: Final = re.compile(r"(?m)^(a=(?:ice-ufrag|ice-pwd|fingerprint|crypto):).*?(\r?)$")
_CANDIDATES: Final = re.compile(r"(?m)^a=candidate:.*?\r?\n")
_MARK: Final = "recording"


def opening(version: str, started: str, service: str) -> Json:
    """The first line. `started` is ISO 8601."""
    return {_MARK: VERSION, "voicepilot": version, "started": started, "service": service}


def is_opening(entry: Mapping[str, Any]) -> bool:
    """Whether this is the first line of a recording."""
    return _MARK in entry and "type" not in entry and "direction" not in entry


def is_beside(entry: Mapping[str, Any]) -> bool:
    """Whether this line stands beside the events: what reads only events passes it over."""
    return is_opening(entry) or entry.get("direction") in ("request", "reply", "input", "gap")


def readable_headers(headers: Mapping[str, str]) -> dict[str, str | None]:
    """All names, in small letters; values only where they are known to hold nothing secret."""
    return {
        name.lower(): without_secrets(value) if name.lower() in _PLAIN_HEADERS else None
        for name, value in headers.items()
    }


def readable_body(body: bytes, *, ours: bool) -> Any:
    """A body as JSON or text. `ours`: it is a request's, so addresses in it are the caller's."""
    text = body.decode("utf-8", "replace")
    if text.startswith("v=0"):
        text = _ICE_SECRETS.sub(rf"\1{LEFT_OUT}\2", text)
        return _CANDIDATES.sub("", text) if ours else text
    try:
        return _without_named(parse_json(text))
    except ValueError:
        return without_secrets(text)


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """The text without these secrets, and without what looks like a key or a token."""
    for secret in known:
        text = text.replace(secret, LEFT_OUT)
    return _SECRETS.sub(LEFT_OUT, text)


def _without_named(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_named(each) for each in value]
    if not isinstance(value, dict):
        return without_secrets(value) if isinstance(value, str) else value
    return {
        name: LEFT_OUT
        if name.lower() in _SECRET_NAMES and isinstance(each, str)
        else dict.fromkeys(each, LEFT_OUT)
        if name == "headers" and isinstance(each, dict)
        else _without_named(each)
        for name, each in value.items()
    }


def readable_event(event: Any) -> Any:
    """An event without sound."""
    return leave_out_sound(event)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of a recorded call; `sent` by the client, else by the service."""

    at: float
    sent: bool
    event: Json


@dataclass(slots=True)
class Recording:
    """What a recording holds for who wants to play it again: each call's events, in order."""

    calls: dict[int, list[RecordedEvent]] = field(default_factory=dict)


def read_recording(lines: Iterable[str | bytes]) -> Recording:
    """Read a recording, or a log of one call that the page's inspector made. Skips what is broken."""
    recording = Recording()
    for line in lines:
        entry = parse_object(line) if line.strip() else ""
        if isinstance(entry, str):
            continue
        direction, event = entry.get("direction"), entry.get("event")
        if direction not in ("sent", "received") or not isinstance(event, dict):
            continue
        call, at = entry.get("call", 1), entry.get("at")
        if type(call) is not int or not isinstance(event.get("type"), str):
            continue
        seconds = as_seconds(at) if isinstance(at, int | float) else None
        recorded = RecordedEvent(seconds or 0.0, direction == "sent", event)
        recording.calls.setdefault(call, []).append(recorded)
    return recording
