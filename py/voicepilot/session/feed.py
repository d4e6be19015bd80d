"""What did the page tell its core? The inputs of a call, in a form that others can replay.

The core is deterministic: who applies the same inputs, in order, to a fresh `Call` has the same call,
conversation, phase, record and commands. So the page tells its backend the inputs and nothing else.

    text = encode(entry)                  # {"at": 12.5, "name": "receive", "args": [1, "{...}"]}
    commands = apply(call, decode(text))  # what the page's core answered

An input is a public method of `Call` that takes the time as its last argument; the annotations say what
else it takes. Sound is left out: a payload of N characters of base64 is written `~N`, and is that much
silence when it is applied, because the core reads how long it was and never how it sounds.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_origin, get_type_hints

from ..protocol.json_text import parse_json
from ..protocol.problems import Problem
from .call import Call
from .commands import Command

_MAY_HAVE_SOUND: Final = re.compile(r'audio\.delta"|buffer\.append"|"audio"\s*:\s*"')
_WITH_SOUND: Final = ("response.output_audio.delta", "response.audio.delta")
_LEFT_OUT: Final = re.compile(r"~(\d{1,8})")


class FeedError(ValueError):
    """What should be an input is none; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: the page's monotonic time in seconds, the method of `Call`, what it was told."""

    at: float
    name: str
    args: tuple[Any, ...]


def encode(entry: Entry) -> dict[str, Any]:
    """The entry as JSON, without sound."""
    args: list[object] = list(entry.args)
    if entry.name == "receive":
        args[1] = without_sound(entry.args[1])
    elif entry.name == "failed":
        args[1] = entry.args[1].to_json()
    return {"at": entry.at, "name": entry.name, "args": args}


def decode(data: object) -> Entry:
    """The entry that crossed the bridge or was written down. Raises FeedError."""
    if not isinstance(data, Mapping) or set(data) != {"at", "name", "args"}:
        raise FeedError("an entry has exactly at, name and args")
    at, name, args = data["at"], data["name"], data["args"]
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise FeedError("an entry's time is no number")
    kinds = inputs().get(name) if isinstance(name, str) else None
    if kinds is None:
        raise FeedError(f"{str(name)[:40]!r} is no input of a call")
    if not isinstance(args, list) or len(args) != len(kinds):
        raise FeedError(f"{name} takes {len(kinds)} arguments beside the time")
    return Entry(float(at), name, tuple(map(_decoded, kinds, args)))


def apply(call: Call, entry: Entry) -> list[Command]:
    """Tell `call` what the page told its own; what it answers. Raises what the input raises."""
    tell: Callable[..., list[Command]] = getattr(call, entry.name)
    told = entry.args
    if entry.name == "receive":
        told = (told[0], with_silence(told[1]))
    return tell(*told, entry.at)


@functools.cache
def inputs() -> dict[str, tuple[type, ...]]:
    """The inputs of a call: what each takes before the time."""
    found = {}
    for name, method in vars(Call).items():
        if name.startswith("_") or not callable(method):
            continue
        takes = list(get_type_hints(method).items())[:-1]  # the last is what it returns
        if takes and takes[-1] == ("now", float):
            found[name] = tuple(get_origin(kind) or kind for _, kind in takes[:-1])
    return found


def without_sound(message: str) -> str:
    """The text of an event with `~N` in the place of N characters of sound."""
    if not _MAY_HAVE_SOUND.search(message):
        return message  # as almost every one
    try:
        event = parse_json(message)
    except ValueError:
        return message if len(message) < 1000 else message[:1000]  # no event, whatever it holds
    return json.dumps(leave_out_sound(event), ensure_ascii=False, separators=(",", ":"))


def leave_out_sound(event: Any) -> Any:
    """The event, or a part of one, with `~N` in the place of N characters of sound."""
    if isinstance(event, list):
        return [leave_out_sound(each) for each in event]
    if not isinstance(event, dict):
        return event
    sound = "delta" if event.get("type") in _WITH_SOUND else "audio"
    return {
        name: f"~{len(value)}"
        if name == sound and isinstance(value, str) and not _LEFT_OUT.fullmatch(value)
        else leave_out_sound(value)
        for name, value in event.items()
    }


def with_silence(message: str) -> str:
    """The text of an event with silence in the place of the sound that was left out."""
    if "~" not in message or not _MAY_HAVE_SOUND.search(message):
        return message
    try:
        event = parse_json(message)
    except ValueError:
        return message
    return json.dumps(put_in_silence(event))


def put_in_silence(event: dict[str, Any]) -> dict[str, Any]:
    """The event with silence in the place of the sound that was left out; only deltas are measured."""
    if event.get("type") in _WITH_SOUND and isinstance(event.get("delta"), str):
        left_out = _LEFT_OUT.fullmatch(event["delta"])
        if left_out:
            return {**event, "delta": "A" * int(left_out[1])}
    return event


def _decoded(kind: type, value: object) -> object:
    if kind is Problem:
        return Problem.from_json(value)
    if kind is float and type(value) is int:
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise FeedError(f"{str(value)[:40]!r} should be {kind.__name__}")
    return value
