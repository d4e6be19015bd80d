"""How does a conversation read when it is kept as a document?

What was said, cut to what was heard, which tools ran, and what went wrong. Words of a person or a model are
text, never markup: what a format would take for some is escaped as that format wants it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from .conversation import Conversation, Status, ToolUse, Turn

MOST_OF_A_TOOL: Final = 2_000
"""Characters that are kept of a tool's arguments, and of what it returned."""

_SPEAKERS: Final = {"user": "You", "assistant": "Assistant", "system": "System"}
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~&!])|^([-+=]|\d+[.)])", re.MULTILINE)
_MARGINS: Final = re.compile(r"^[ \t]+|[ \t]+$", re.MULTILINE)
_UNSHOWN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SHORTEST_CUE_S: Final = 1.0
_LONGEST_TITLE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A turn. `text` is None where it is not known; times are Unix seconds, None where they are not."""

    key: str
    role: str
    text: str | None
    status: Status
    at: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A function that the assistant called; `arguments` and `output` may be cut short."""

    key: str
    name: str
    arguments: str
    output: str | None
    status: Status
    at: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A problem that the person was shown: its stable code and its sentence."""

    key: str
    code: str
    says: str
    at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something is missing here that never came to who writes."""

    key: str
    at: float | None = None


Entry: TypeAlias = Said | Used | Trouble | Gap


@dataclass(frozen=True, slots=True)
class Transcript:
    """One call. `began` and `ended` are Unix seconds; `ended` is None where its end is not known."""

    began: float
    entries: tuple[Entry, ...]
    ended: float | None = None

    @property
    def title(self) -> str:
        """The person's first words, in short; "" where none are known."""
        for entry in self.entries:
            if isinstance(entry, Said) and entry.role == "user" and entry.text:
                words = " ".join(entry.text.split())
                return words if len(words) <= _LONGEST_TITLE else f"{words[: _LONGEST_TITLE - 1]}…"
        return ""


def entry_of(found: Turn | ToolUse, at: float | None = None, until: float | None = None) -> Entry:
    """An entry of a conversation as it stands now."""
    if isinstance(found, Turn):
        return Said(
            key=found.key,
            role=found.role,
            text=found.text,
            status=found.status,
            at=at,
            until=until,
        )
    return Used(
        key=found.key,
        name=found.name,
        arguments=_short(found.arguments),
        output=None if found.output is None else _short(found.output),
        status=found.status,
        at=at,
        until=until,
    )


# ---- Markdown


def markdown(said: Conversation | Transcript) -> str:
    """Write it down as Markdown; "" where nothing was said."""
    if isinstance(said, Conversation):
        entries: Sequence[Entry] = [entry_of(each) for each in said.entries]
        head = ["# Conversation"]
    else:
        entries = said.entries
        head = ["# Conversation", f"*{_date(said.began)}*"]
    parts = [part for entry in entries for part in _paragraph(entry)]
    return "\n\n".join([*head, *parts]) + "\n" if parts else ""


def _paragraph(entry: Entry) -> Iterator[str]:
    match entry:
        case Said(role=role, text=text, status=status):
            if words := _plain(text or ""):
                mark = " *(interrupted)*" if status is Status.INTERRUPTED else ""
                mark = " *(not sent)*" if status is Status.FAILED and role == "user" else mark
                yield f"**{_speaker(role)}:** {words}{mark}"
            elif role == "user" and text is None:
                yield f"**{_speaker(role)}:** *(not written down)*"
        case Used(name=name, arguments=arguments, output=output):
            yield f"*The assistant used {_plain(_in_one_line(name))}.*"
            yield from _detail("With", arguments)
            yield from _detail("Returned", output or "")
        case Trouble(says=says):
            yield f"*{_plain(_in_one_line(says))}*"
        case Gap():
            yield "*A part of the call is missing here.*"


def _detail(what: str, words: str) -> Iterator[str]:
    if line := _in_one_line(words):
        yield f"> {what}: {_plain(line)}"


def _plain(words: str) -> str:
    # White space before a line may make code of it, white space after it a break.
    return _MARKUP.sub(_escaped, _MARGINS.sub("", _UNSHOWN.sub("", words).strip()))


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    # `1.` begins a list; `1\.` does not.
    return f"{text[:-1]}\\{text[-1]}"


# ---- JSON


def as_json(transcript: Transcript) -> str:
    """Write it down as a JSON document; times are seconds since the call began, but for `began` itself."""
    entries = []
    for entry in transcript.entries:
        fields = {"kind": type(entry).__name__.lower(), **asdict(entry)}
        for name in ("at", "until"):
            if fields.get(name) is not None:
                fields[name] = round(fields[name] - transcript.began, 3)
        entries.append(fields)
    ended = transcript.ended
    document = {
        "began": datetime.fromtimestamp(transcript.began, UTC).isoformat(timespec="milliseconds"),
        "seconds": None if ended is None else round(ended - transcript.began, 3),
        "title": transcript.title,
        "entries": entries,
    }
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"


# ---- WebVTT


def webvtt(transcript: Transcript) -> str:
    """Write down what was said as WebVTT captions of the call (W3C, Candidate Recommendation of 2019)."""
    said = (each for each in transcript.entries if isinstance(each, Said) and each.at is not None)
    cues = []
    for begins, entry in sorted(((each.at or 0.0, each) for each in said), key=lambda cue: cue[0]):
        words = _in_one_line(entry.text or "")
        if not words:
            continue
        start = max(0.0, begins - transcript.began)
        end = max(start + _SHORTEST_CUE_S, (entry.until or 0.0) - transcript.began)
        cues.append(
            f"{_timestamp(start)} --> {_timestamp(end)}\n"
            f"<v {_for_captions(_speaker(entry.role))}>{_for_captions(words)}"
        )
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _for_captions(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _timestamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


# ---- for a terminal


def plain_title(transcript: Transcript) -> str:
    """Show its title at a terminal; nothing of it can steer the terminal."""
    return _in_one_line(transcript.title) or "(nothing of yours is written down)"


def plain_lines(transcript: Transcript) -> Iterator[str]:
    """Show it to a person at a terminal, a line each; nothing of it can steer the terminal."""
    for entry in transcript.entries:
        match entry:
            case Said(role=role, text=text, status=status):
                mark = " (interrupted)" if status is Status.INTERRUPTED else ""
                words = "(not written down)" if text is None else _in_one_line(text)
                yield f"{_speaker(role)}: {words}{mark}"
            case Used(name=name, arguments=arguments, output=output):
                returned = "nothing yet" if output is None else _in_one_line(output)
                yield f"  [{_in_one_line(f'{name} {arguments}')}: {returned}]"
            case Trouble(says=says):
                yield f"  ! {_in_one_line(says)}"
            case Gap():
                yield "  ! A part of the call is missing here."


def _in_one_line(words: str) -> str:
    return " ".join(_UNSHOWN.sub(" ", words).split())


def _speaker(role: str) -> str:
    return _SPEAKERS.get(role, "Somebody")


def _short(words: str) -> str:
    return words if len(words) <= MOST_OF_A_TOOL else f"{words[: MOST_OF_A_TOOL - 1]}…"


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
