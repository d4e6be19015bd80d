"""Which declared tool is this request about, and with which arguments?

A tool is meant when every word of its name was said, or half of them and two words of its
description; "show me the files" says "list" in other words, see :data:`_ALSO_SAID`. Among several the
one with most of its words said wins, then the one whose arguments could be found, then the first.

Arguments are looked for by their JSON schema (:mod:`.arguments`). If a required one cannot be found,
the answer says which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicepilot.emulator.mind import arguments
from voicepilot.emulator.mind.replies import Say, UseTool
from voicepilot.emulator.mind.retelling import spoken_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALSO_SAID: dict[str, frozenset[str]] = {
    "list": frozenset({"show", "which", "what", "see", "name"}),
    "read": frozenset({"open", "show", "what", "see", "content", "say"}),
    "search": frozenset({"find", "look"}),
    "find": frozenset({"search", "look", "where"}),
    "create": frozenset({"make", "new", "add", "write"}),
    "delete": frozenset({"remove", "erase"}),
    "send": frozenset({"write"}),
    "set": frozenset({"change", "put", "turn", "make"}),
    "file": frozenset({"document"}),
    "folder": frozenset({"directory"}),
    "directory": frozenset({"folder"}),
}
"""Other words people use for a word of a tool's name."""

_EMPTY = frozenset(
    """
    a an the of in on to for from by at with and or is are be it its this that these those one
    some all any as was were can you your me my i do does please get fetch run call use tool
    function current given which what how not never return returns
    """.split()  # noqa: SIM905 - a word a line would read worse
)
"""Words that say nothing about which tool is meant."""

_HALF = 0.5
_ENOUGH_OF_DESCRIPTION = 2


@dataclass(frozen=True, slots=True)
class Function:
    """A tool of the kind ``function``, as the session declares it."""

    name: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...]

    @property
    def spoken_name(self) -> str:
        """The name as a person says it."""
        return spoken_name(self.name)


def functions(tools: Sequence[Mapping[str, Any]]) -> list[Function]:
    """The function tools among ``tools``; other kinds and malformed ones are left out."""
    found = []
    for tool in tools:
        name = tool.get("name")
        if tool.get("type", "function") != "function" or not isinstance(name, str) or not name:
            continue
        schema = tool.get("parameters")
        schema = schema if isinstance(schema, Mapping) else {}
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        kept = {
            key: inner
            for key, inner in properties.items()
            if isinstance(key, str) and isinstance(inner, Mapping)
        }
        required = schema.get("required")
        required = required if isinstance(required, (list, tuple)) else ()
        found.append(
            Function(
                name,
                str(tool.get("description") or ""),
                kept,
                tuple(key for key in required if isinstance(key, str)),
            )
        )
    return found


def use(said: str, candidates: Sequence[Function]) -> Say | UseTool | None:
    """Call the function that ``said`` is about, or say what is missing; None if it is about none."""
    best: tuple[float, Function, dict[str, Any]] | None = None
    for function in candidates:
        score = _closeness(said, function)
        if score == 0:
            continue
        found = arguments.found(said, function)
        score += 0.5 * all(name in found for name in function.required) + 0.25 * len(found)
        if best is None or score > best[0]:
            best = (score, function, found)
    if best is None:
        return None
    _, function, found = best
    missing = [spoken_name(name) for name in function.required if name not in found]
    if missing:
        return Say(
            f"I can use {function.spoken_name} for that, but I did not hear the "
            f"{' and the '.join(missing)}. Please say it again with that."
        )
    return UseTool(function.name, json.dumps(found, ensure_ascii=False))


def _closeness(said: str, function: Function) -> float:
    """How much of the function's name and description was said; 0 if it is not meant."""
    heard = {stem(word) for word in re.findall(r"[^\W_]+", said.lower())}
    if arguments.path_in(said):
        heard.add("file")
    name = [stem(word) for word in function.spoken_name.split() if word not in _EMPTY]
    if not name:
        return 0
    by_name = sum(
        1.0 if word in heard else 0.75 if heard & _ALSO_SAID.get(word, frozenset()) else 0.0
        for word in name
    )
    told = {
        stem(word)
        for word in re.findall(r"[^\W_]+", function.description.lower())
        if word not in _EMPTY and stem(word) not in name
    }
    by_description = len(told & heard)
    share = by_name / len(name)
    matched = sum(word in heard for word in name)
    whole = share >= 0.75 and matched >= 1
    partly = share >= _HALF and by_description >= _ENOUGH_OF_DESCRIPTION
    if not (whole or partly):
        return 0
    return by_name + 0.25 * by_description


def stem(word: str) -> str:
    """``word`` without the endings that make "files" of "file" and "searching" of "search"."""
    for ending, least in (("ing", 6), ("s", 4)):
        if len(word) >= least and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)]
    return word
