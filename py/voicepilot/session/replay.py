"""What happened in a recorded call? An event log, fed through the same record as a live call.

A line is `{"direction": "received" | "sent", "event": {...}}`, with `"at"` in seconds if times are known, or
a bare event that was received; a recording (`recording`) has the requests to the service beside them.
Recordings of both dialects and both transports are understood.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ..protocol.codec import decode_object, parse_object
from ..protocol.dialects import client_event_to_ga
from ..protocol.readers import Json, as_seconds
from ..protocol.server_events import Malformed
from .feed import put_in_silence
from .record import CallRecord
from .recording import is_opening

_BOM: Final = "\ufeff"
_BOM_UTF8: Final = _BOM.encode()


@dataclass(slots=True)
class RequestMade:
    """A request to the service. `status` is None, and `ms`, where no answer came."""

    method: str
    path: str
    asked_at: float
    status: int | None = None
    ms: float | None = None


@dataclass(slots=True)
class ReplayReport:
    """The record of a log, the requests, and the lines that could not be read: (number from 1, reason)."""

    record: CallRecord = field(default_factory=CallRecord)
    requests: list[RequestMade] = field(default_factory=list)
    gaps: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)

    def to_json(self) -> Json:
        """Return the report as `voicepilot replay --json` prints it."""
        record = self.record
        session = record.session
        return {
            "requests": [
                {
                    "method": each.method,
                    "path": each.path,
                    "status": each.status,
                    "ms": None if each.ms is None else round(each.ms),
                }
                for each in self.requests
            ],
            "gaps": self.gaps,
            "session": {
                "id": (session.id or None) if session else None,
                "model": (session.model or None) if session else None,
                "expires_at": record.expires_at or None,
            },
            "turns": [
                {
                    "role": turn.role,
                    "item_id": turn.item_id,
                    "text": turn.text,
                    "status": turn.status.value,
                }
                for turn in record.conversation.turns
            ],
            "tool_calls": [
                {
                    "call_id": use.call_id,
                    "name": use.name,
                    "arguments": use.arguments,
                    "output": use.output,
                }
                for use in record.conversation.tool_uses
            ],
            "responses": record.responses,
            "failed_responses": [
                {"code": error.code or None, "message": error.message or None}
                for error in record.failed_responses
            ],
            "errors": [
                {"code": error.code or None, "message": error.message or None}
                for error in record.errors
            ],
            "transcription_failures": [
                {"item_id": item_id, "code": error.code or None, "message": error.message or None}
                for item_id, error in record.transcription_failures
            ],
            "usage": record.usage.to_json(),
            "unknown": dict(record.unknown),
        }


def read_log(lines: Iterable[str | bytes]) -> ReplayReport:
    """Read a log line by line; a broken line is reported and the rest still read."""
    report = ReplayReport()
    for number, line in enumerate(lines, start=1):
        if number == 1:  # some editors put a byte order mark before it
            line = (
                line.removeprefix(_BOM) if isinstance(line, str) else line.removeprefix(_BOM_UTF8)
            )
        if not line.strip():
            continue
        reason = _read_line(line, report)
        if reason:
            report.broken.append((number, reason))
    return report


def _read_line(line: str | bytes, report: ReplayReport) -> str:
    """Take one line into the report; return why it could not be read, "" if it could."""
    entry = parse_object(line)
    if isinstance(entry, str):
        return entry.replace("message", "line")
    if is_opening(entry):
        return ""
    direction = entry.get("direction", "received")
    at = entry.get("at") if "direction" in entry or "event" in entry else None
    now = as_seconds(at) if isinstance(at, int | float) else None
    match direction:
        case "received" | "sent":
            event = entry.get("event", None if "direction" in entry else entry)
            if not isinstance(event, dict):
                return "the line has no event"
            return _read_event(event, now, report.record, sent=direction == "sent")
        case "request" | "reply":
            return _read_exchange(entry, now or 0.0, report.requests)
        case "input":
            return ""  # what it led to has lines of its own
        case "gap":
            report.gaps += 1
            return ""
    return f"{direction!r} is no direction; it is received or sent"


def _read_event(event: Json, now: float | None, record: CallRecord, *, sent: bool) -> str:
    if sent:
        if not isinstance(event.get("type"), str):
            return "the event has no type"
        record.sent(client_event_to_ga(event), now)
        return ""
    decoded = decode_object(put_in_silence(event))
    if isinstance(decoded, Malformed):
        return "the event has no type"
    record.receive(decoded, now)
    return ""


def _read_exchange(entry: Json, now: float, requests: list[RequestMade]) -> str:
    number = entry.get("number")
    if entry["direction"] == "request":
        method, path = entry.get("method"), entry.get("path")
        if number != len(requests) + 1 or not (isinstance(method, str) and isinstance(path, str)):
            return "the request has no method, path or number of its own"
        requests.append(RequestMade(method, path, now))
        return ""
    if type(number) is not int or not 0 < number <= len(requests):
        return "the reply is to no request"
    status = entry.get("status")
    if type(status) is int:
        made = requests[number - 1]
        made.status, made.ms = status, (now - made.asked_at) * 1000
    return ""
