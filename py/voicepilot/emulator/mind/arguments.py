"""Which arguments for a function are in what was said?

Each property is looked for by its JSON schema, the first rule that fits:

* ``enum``: the longest value that was said;
* ``integer`` and ``number``: the next number that was said and not used yet;
* ``boolean``: true if the property's name was said; otherwise left out;
* ``string`` with a name like path or file: a file name, spoken ("notes dot text") or written;
* ``string``: what stands in quotes; "in the docs folder" and "folder called docs" for one named
  folder; for a required one also what just follows its name, or the last "in", "for", "about".

Arrays and objects are beyond what this demo can hear.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from voicepilot.emulator.mind import numerals
from voicepilot.emulator.mind.retelling import spoken_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicepilot.emulator.mind.tools import Function

_PATH_NAMES = frozenset({"path", "file", "filename", "filepath", "document"})

_EXTENSIONS = {
    "text": "txt",
    "markdown": "md",
    "python": "py",
    "jason": "json",
    "yammel": "yaml",
    "tommel": "toml",
    "javascript": "js",
    "typescript": "ts",
}
"""How extensions sound, where that is not how they are written."""

_WRITTEN_PATH = re.compile(r"(?<![\w./-])[\w/-][\w./-]*\.[A-Za-z][A-Za-z0-9]{0,7}(?![\w/])")
_SPOKEN_SIGNS = (
    (re.compile(r"\s+(?:forward )?slash\s+", re.IGNORECASE), "/"),
    (re.compile(r"\s+underscore\s+", re.IGNORECASE), "_"),
    (re.compile(r"\s+(?:dash|hyphen)\s+", re.IGNORECASE), "-"),
)
_SPOKEN_DOT = re.compile(
    r"(?P<stem>[\w/-]+(?: [\w/-]+)*) (?:dot|point) "
    r"(?P<extension>mark ?down|[a-z](?: [a-z]){1,3}\b|\w{1,10})",
    re.IGNORECASE,
)
_FILE_WORD = re.compile(r".*\b(?:file|document|called|named)\s+(?:called |named )?", re.IGNORECASE)
_AFTER_FILE_WORD = re.compile(
    r"\b(?:file|document)(?: called| named)?\s+[\"\u201c]?([\w./-]+)", re.IGNORECASE
)
_BEFORE_FILE_WORD = re.compile(
    r"\b(?:read|open|show)(?: me)?(?: the| my)? (?!a\b|an\b|this\b|that\b|the\b|text\b|my\b|me\b)"
    r"([\w./-]+(?: [\w./-]+)?) (?:file|document)\b",
    re.IGNORECASE,
)
_NOT_A_NAME = frozenset(
    """
    in of from please for to and is with that which on there here
    """.split()  # noqa: SIM905 - a word a line would read worse
)

_QUOTED = re.compile(r"[\"\u201c]([^\"\u201c\u201d]+)[\"\u201d]")
_LINK = r"in|for|about|at|to|on|from|of|with|named|called|by|into|near|that says|saying"
_TRAILING = re.compile(
    r"(?:[\s,]+(?:please|now|today|tonight|tomorrow|right now|for me|then))+[\s.,!?]*$",
    re.IGNORECASE,
)
_AFTER_LINK = rf".*\b(?:{_LINK})\s+(?:the |a |an )?(.+)$"
_POINTING = r"(?:this|that|the|my|your|our|a|an|same|current|which|what)\b"


def found(said: str, function: Function) -> dict[str, Any]:
    """The arguments of ``function`` that ``said`` holds, required properties first."""
    numbers = numerals.whole_numbers(said)
    fractions = _all_numbers(said)
    values: dict[str, Any] = {}
    for name in _in_order(function):
        schema = function.properties[name]
        kind = _kind(schema)
        value: Any = None
        if isinstance(schema.get("enum"), (list, tuple)):
            value = _choice(said, schema["enum"])
            said = _without(said, spoken_name(str(value)))  # "in fahrenheit" is no city
        elif kind == "integer":
            value = numbers.pop(0) if numbers else None
        elif kind == "number":
            value = fractions.pop(0) if fractions else None
        elif kind == "boolean":
            value = _has_words(said, spoken_name(name)) or None
        elif kind == "string":
            value = _text(said, name, required=name in function.required)
        if value is not None:
            values[name] = value
    return values


def _in_order(function: Function) -> list[str]:
    """Choices first, as they use up their words; then what is required, as it uses up numbers."""
    return sorted(
        function.properties,
        key=lambda name: ("enum" not in function.properties[name], name not in function.required),
    )


def path_in(said: str) -> str | None:
    """The file name in ``said``, if there is one: "notes dot text" and "notes.txt" are notes.txt."""
    plain = said
    for spoken, sign in _SPOKEN_SIGNS:
        plain = spoken.sub(sign, plain)
    written = _WRITTEN_PATH.search(plain)
    if written:
        return written[0]
    spelled = _SPOKEN_DOT.search(plain)
    if not spelled:
        return None
    extension = spelled["extension"].replace(" ", "").lower()
    extension = _EXTENSIONS.get(extension, extension)
    introduced = _FILE_WORD.match(spelled["stem"])
    if introduced and introduced.end() < len(spelled["stem"]):
        stem = spelled["stem"][introduced.end() :].replace(" ", "")  # "read me" is readme
    else:
        stem = spelled["stem"].rsplit(" ", 1)[-1]
    return f"{stem}.{extension}"


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, (list, tuple)):  # ["string", "null"]
        kind = next((entry for entry in kind if entry != "null"), None)
    return kind if isinstance(kind, str) else "string"


def _choice(said: str, options: list[Any] | tuple[Any, ...]) -> Any:
    heard = [option for option in options if _has_words(said, spoken_name(str(option)))]
    return max(heard, key=lambda option: len(str(option)), default=None)


def _has_words(said: str, words: str) -> bool:
    return bool(words) and re.search(rf"\b{re.escape(words)}\b", said, re.IGNORECASE) is not None


def _without(said: str, words: str) -> str:
    if not words:
        return said
    return re.sub(rf"(?:\b(?:{_LINK})\s+)?\b{re.escape(words)}\b", "", said, flags=re.IGNORECASE)


def _all_numbers(said: str) -> list[int | float]:
    words = numerals.tokens(said)
    numbers: list[int | float] = []
    position = 0
    while position < len(words):
        number = numerals.read(words, position)
        if number is None:
            position += 1
            continue
        value, end = number
        signed = -value if position and words[position - 1] in ("minus", "-") else value
        numbers.append(int(signed) if signed.denominator == 1 else float(signed))
        position = end
    return numbers


def _text(said: str, name: str, *, required: bool) -> str | None:
    quoted = _QUOTED.search(said)
    if _PATH_NAMES & set(spoken_name(name).split()):
        return (quoted[1] if quoted else None) or path_in(said) or _file_word(said)
    if quoted:
        return quoted[1].strip() or None
    label = re.escape(spoken_name(name))
    for pattern in (
        rf"\b(?:{_LINK})\s+(?:the\s+)?(?!{_POINTING})([\w./-]+)\s+{label}\b",
        rf"\b{label}(?: is| named| called|:)\s+(?:the )?(.+?)(?=\s+(?:{_LINK}|and)\s|$)",
        rf"\b{label}\s+(.+?)(?=\s+(?:{_LINK}|and)\s|$)" if required else None,
        _AFTER_LINK if required else None,
    ):
        match = re.search(pattern, said, re.IGNORECASE) if pattern else None
        value = match[1].strip(" .,!?;:") if match else ""
        value = _TRAILING.sub("", value).strip(" .,!?;:")
        if value:
            return value
    return None


def _file_word(said: str) -> str | None:
    """A file named without its ending: "the file license", "read the read me file"."""
    match = _AFTER_FILE_WORD.search(said)
    name = match[1].strip("./-") if match else ""
    if name and name.lower() not in _NOT_A_NAME:
        return name
    match = _BEFORE_FILE_WORD.search(said)
    return match[1].replace(" ", "") if match else None
