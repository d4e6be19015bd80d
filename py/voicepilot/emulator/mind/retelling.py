"""How is the result of a tool told in a sentence or two?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voicepilot.protocol.json_text import parse_json

if TYPE_CHECKING:
    from voicepilot.emulator.mind.replies import ToolOutcome

_MOST_ITEMS = 6
_MOST_CHARACTERS = 300
_DEEPEST = 2
_NAMING_KEYS = ("name", "title", "path", "file", "label", "id")
_ERROR_KEYS = ("error", "err")
_TEXT_KEYS = ("content", "text", "output", "result", "answer", "message")


def told(outcome: ToolOutcome) -> str:
    """The outcome in words; long ones shortened, and it is said how much was left out."""
    try:
        value = parse_json(outcome.output)
    except ValueError:
        value = outcome.output
    if isinstance(value, dict):
        for key in _ERROR_KEYS:
            if value.get(key):
                return _sentence(f"That did not work: {_phrase(value[key], 0)}")
    name = spoken_name(outcome.name)
    words = _phrase(value, 0)
    if not words:
        return f"The tool {name} gave nothing back." if name else "The tool gave nothing back."
    if isinstance(value, list):
        return _sentence(f"I found {len(value)}: {words}")
    return _sentence(words)


def spoken_name(name: str) -> str:
    """``read_file`` and ``readFile`` as a person says them: "read file"."""
    spaced = "".join(f" {char.lower()}" if char.isupper() else char for char in name)
    return " ".join(spaced.replace("_", " ").replace("-", " ").replace(".", " ").split())


def _phrase(value: Any, depth: int) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return _shortened(f"{value}")
        case str():
            return _shortened(value)
        case list():
            return _list(value, depth)
        case dict():
            return _mapping(value, depth)
        case _:
            return _shortened(str(value))


def _list(values: list[Any], depth: int) -> str:
    if depth > _DEEPEST:
        return _counted(len(values), "entry", "entries")
    heard = [phrase for value in values[:_MOST_ITEMS] if (phrase := _named(value, depth))]
    more = len(values) - _MOST_ITEMS
    if more > 0:
        heard.append(f"and {more} more")
    return ", ".join(heard)


def _named(value: Any, depth: int) -> str:
    if isinstance(value, dict):
        for key in _NAMING_KEYS:
            if isinstance(value.get(key), str) and value[key].strip():
                return _shortened(value[key])
    return _phrase(value, depth + 1)


def _mapping(value: dict[str, Any], depth: int) -> str:
    if depth > _DEEPEST:
        return _counted(len(value), "field", "fields")
    for key in _TEXT_KEYS:
        if isinstance(value.get(key), str) and value[key].strip():
            return _shortened(value[key])
    heard = []
    for key, inner in list(value.items())[:_MOST_ITEMS]:
        phrase = _phrase(inner, depth + 1)
        if not phrase:
            continue
        several = isinstance(inner, (list, dict))
        heard.append(f"{spoken_name(key)}{':' if several else ' is'} {phrase}")
    more = len(value) - _MOST_ITEMS
    if more > 0:
        heard.append(f"and {more} more")
    return "; ".join(heard)


def _shortened(text: str) -> str:
    words = text.split()
    kept: list[str] = []
    length = 0
    for word in words:
        length += len(word) + 1
        if length > _MOST_CHARACTERS:
            break
        kept.append(word)
    left = len(words) - len(kept)
    if not left:
        return " ".join(kept)
    if not kept:  # one endless word
        return f"{text.strip()[:_MOST_CHARACTERS]}, and so on"
    return f"{' '.join(kept)}, and {_counted(left, 'more word', 'more words')}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."
