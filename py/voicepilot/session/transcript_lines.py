"""Which lines is a transcript kept in, and what do they add up to?

JSON Lines, only ever added to. The first line says what the file is and when the call began; each other
one says of one entry how it stands, and the last line of an entry is the one that counts. `after` names
the entry before it, since words are often written down later than they were said. Times are seconds since
`began`; where another writer takes up a call without knowing when it began, it says what it counts from in
an opening of its own.

A file that was cut anywhere can be read: a line that is none says nothing. So at most what had not come to
its end is lost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from ..protocol.json_text import parse_json
from .conversation import Status
from .order import Order
from .transcript import Entry, Gap, Said, Transcript, Trouble, Used

FORMAT: Final = 1
_KINDS: Final[dict[str, type[Entry]]] = {
    "said": Said,
    "used": Used,
    "trouble": Trouble,
    "gap": Gap,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def opening(began: float) -> str:
    """The line before all that count from `began`, in Unix seconds; the first one is the call's."""
    return _line({"voicepilot": "transcript", "format": FORMAT, "began": round(began, 3)})


def stands(entry: Entry, began: float, after: str | None = None) -> str:
    """The line that says how an entry stands, and behind which one."""
    fields = {"kind": _NAMES[type(entry)], **asdict(entry), "after": after}
    for name in ("at", "until"):
        if fields.get(name) is not None:
            fields[name] = round(fields[name] - began, 3)
    return _line(fields)


def gone(key: str) -> str:
    """The line that says that an entry has left the conversation."""
    return _line({"kind": "gone", "key": key})


def ended(at: float, began: float) -> str:
    """The line that says when the call ended."""
    return _line({"kind": "ended", "at": round(at - began, 3)})


def read(lines: Iterable[bytes]) -> Transcript | None:
    """What the lines add up to; None where they are no transcript."""
    found = iter(lines)
    head = _parsed(next(found, b""))
    began = _number(head.get("began"))
    if head.get("voicepilot") != "transcript" or head.get("format") != FORMAT or began is None:
        return None
    order = Order()
    entries: dict[str, Entry] = {}
    over: float | None = None
    zero = began
    for line in map(_parsed, found):
        if line.get("voicepilot") == "transcript":
            zero = _number(line.get("began")) or zero
        for name in ("at", "until"):
            seconds = _number(line.get(name))
            line[name] = None if seconds is None else zero + seconds
        key, after = line.get("key"), line.get("after")
        if line.get("kind") == "ended":
            over = line["at"]
        elif isinstance(key, str) and line.get("kind") == "gone":
            entries.pop(key, None)
        elif (entry := _entry(line)) is not None:
            over = None  # what was broken off has been taken up again
            entries[entry.key] = entry
            if isinstance(entry, Said | Used):
                order.place(entry.key, after if isinstance(after, str) else None)
    return Transcript(began, tuple(_in_order(order, entries)), over)


def _in_order(order: Order, entries: Mapping[str, Entry]) -> list[Entry]:
    """Turns and tools in the conversation's order, the rest put between them by its time."""
    found = [entries[key] for key in order if key in entries]
    for entry in entries.values():
        if isinstance(entry, Trouble | Gap):
            later = (
                place
                for place, each in enumerate(found)
                if each.at is not None and entry.at is not None and each.at > entry.at
            )
            found.insert(next(later, len(found)), entry)
    return found


def _entry(line: Mapping[str, Any]) -> Entry | None:
    match line:
        case {"key": str(key), "kind": "said", "role": str(role), "text": str() | None as text}:
            at, until = line["at"], line["until"]
            status = _status(line.get("status"))
            return Said(key=key, role=role, text=text, status=status, at=at, until=until)
        case {
            "key": str(key),
            "kind": "used",
            "name": str(name),
            "arguments": str(arguments),
            "output": str() | None as output,
        }:
            return Used(
                key=key,
                name=name,
                arguments=arguments,
                output=output,
                status=_status(line.get("status")),
                at=line["at"],
                until=line["until"],
            )
        case {"key": str(key), "kind": "trouble", "code": str(code), "says": str(says)}:
            return Trouble(key=key, code=code, says=says, at=line["at"])
        case {"key": str(key), "kind": "gap"}:
            return Gap(key=key, at=line["at"])
    return None


def _status(value: object) -> Status:
    try:
        return Status(str(value))
    except ValueError:
        return Status.COMPLETED


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if abs(value) < 1e11 else None  # beyond the calendar


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = parse_json(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _line(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
