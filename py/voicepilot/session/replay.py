"""What happened in a recorded call? An event log, fed through the same record as a live call.

A line is `{"direction": "received" | "sent", "event": {...}}`, with `"at"` in seconds if times are known, or
a bare event that was received. Recordings of both dialects and both transports are understood.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ..protocol.codec import decode_object, parse_object
from ..protocol.dialects import client_event_to_ga
from ..protocol.readers import Json, as_seconds
from ..protocol.server_events import Malformed
from .record import CallRecord

_BOM: Final = "\ufeff"
_BOM_UTF8: Final = _BOM.encode()


@dataclass(slots=True)
class ReplayReport:
    """The record of a log, and the lines that could not be read: (number from 1, reason)."""

    record: CallRecord = field(default_factory=CallRecord)
    broken: list[tuple[int, str]] = field(default_factory=list)

    def to_json(self) -> Json:
        """Return the report as `voicepilot replay --json` prints it."""
        record = self.record
        session = record.session
        return {
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
        reason = _read_line(line, report.record)
        if reason:
            report.broken.append((number, reason))
    return report


def _read_line(line: str | bytes, record: CallRecord) -> str:
    """Feed one line to the record; return why it could not be read, "" if it could."""
    entry = parse_object(line)
    if isinstance(entry, str):
        return entry.replace("message", "line")
    direction = entry.get("direction", "received")
    event = entry.get("event", None if "direction" in entry else entry)
    if not isinstance(event, dict):
        return "the line has no event"
    if direction not in ("received", "sent"):
        return f"{direction!r} is no direction; it is received or sent"
    at = entry.get("at") if event is not entry else None
    now = as_seconds(at) if isinstance(at, int | float) else None
    if direction == "sent":
        if not isinstance(event.get("type"), str):
            return "the event has no type"
        record.sent(client_event_to_ga(event), now)
        return ""
    decoded = decode_object(event)
    if isinstance(decoded, Malformed):
        return "the event has no type"
    record.receive(decoded, now)
    return ""
