"""What is to be written down of a page's calls, and when?

The scribe follows a page's inputs with a core of its own. It gives a line when an entry of the conversation
has come to its end, and again when one changes after that (an answer that was written down whole and then
interrupted). A call begins with Talk and is not worth a line before something has been said in it.

Where inputs are missing, the core cannot be known any more, but what the service says still can: from there
on the scribe goes by the service's events alone, so that a call that outlives a backend stays written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ..protocol import codec
from ..protocol.problems import Problem
from ..protocol.server_events import SpeechStarted, SpeechStopped
from . import transcript_lines as lines
from .call import Call
from .conversation import Conversation, Status, ToolUse, Turn
from .feed import Entry, apply, with_silence
from .order import ROOT
from .record import CallRecord
from .transcript import Gap, Trouble, entry_of

_OF_SPEECH: Final = '"input_audio_buffer.speech_'


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the transcript of the call with this `number`.

    Its times count from `began`: when the call began, or, if not `whole`, when more was heard of it.
    """

    number: int
    began: float
    whole: bool
    text: str


@dataclass(slots=True)
class _Scribed:
    """What is known of one call. Times are Unix seconds, keys those of the conversation's entries."""

    number: int
    began: float
    whole: bool
    earlier: dict[str, int]
    """The versions of entries of calls before, which count when they change."""
    written: dict[str, str] = field(default_factory=dict)
    made_of: dict[str, tuple[object, ...]] = field(default_factory=dict)
    """What the newest line of each entry was made of: the same makes the same line."""
    seen: dict[str, float] = field(default_factory=dict)
    until: dict[str, float] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    """Lines that are worth nothing before something has been said."""
    worth: bool = False
    over: bool = False

    def news(self, key: str, line: str) -> list[str]:
        """The line of an entry, if it says anything new."""
        if self.written.get(key) == line:
            return []
        self.written[key] = line
        self.worth = True
        return [line]


class Scribe:
    """Follows one page. Inputs are heard in order, `now` is Unix seconds."""

    def __init__(self) -> None:
        self._call: Call | None = Call()
        self._record = self._call.record
        self._now: _Scribed | None = None
        self._zero: float | None = None  # what the page's clock showed 0 at
        self._version = -1
        self._shown: tuple[Problem | None, Problem | None] = (None, None)
        self._sounding = False

    def hear(self, entry: Entry, now: float) -> list[Line]:
        """The page's core was told this; what is to be written down because of that."""
        if self._zero is None or entry.name == "talk":
            self._zero = now - entry.at  # again for each call: the page's clock may rest in sleep
        at = self._zero + entry.at
        if self._call is None:
            return self._hear_service(entry, at)
        try:
            apply(self._call, entry)
        except (ValueError, TypeError):  # its own core took it, so ours is not the same any more
            self.missed()
            return self._hear_service(entry, at)
        begins = self._call.under_way and (self._now is None or self._now.over)
        if begins:
            self._begin(self._call.attempt, at)
        found = self._news(entry, at)
        found += self._troubles(self._call, at)
        if not self._call.under_way:
            found += self._end(at)
        return self._worth_writing(found)

    def missed(self) -> None:
        """Inputs are missing before the next one."""
        self._call = None
        self._record = CallRecord()
        self._version = -1
        if self._now is not None:
            self._now.earlier = {}

    # ---- inside

    def _hear_service(self, entry: Entry, at: float) -> list[Line]:
        found: list[str] = []
        attempt = entry.args[0] if entry.args and type(entry.args[0]) is int else None
        if attempt is not None and (self._now is None or self._now.over):
            self._begin(attempt, at)
            found.append(lines.stands(Gap(key=f"gap-{at:.3f}", at=at), at))
        if entry.name == "receive":
            self._record.receive(codec.decode(with_silence(entry.args[1])), entry.at)
        elif entry.name == "stop":
            self._record.conversation.close()
        found += self._news(entry, at)
        if entry.name == "stop":
            found += self._end(at)
        return self._worth_writing(found)

    def _begin(self, number: int, at: float) -> None:
        versions = {each.key: each.version for each in self._conversation.entries}
        self._now = _Scribed(number, at, self._call is not None, versions)
        self._shown = (None, None)

    def _end(self, at: float) -> list[str]:
        if self._now is None or self._now.over:
            return []
        self._now.over = True
        return [lines.ended(at, self._now.began)]

    @property
    def _conversation(self) -> Conversation:
        return self._record.conversation

    def _news(self, entry: Entry, at: float) -> list[str]:
        """The lines of what has come to its end, has changed since, or has gone."""
        known = self._now
        if known is None:
            return []
        changed = self._hear_sound(known, entry, at)
        if self._conversation.version == self._version and not changed:
            return []
        self._version = self._conversation.version
        found = []
        after = ROOT if self._call is not None else None
        here = set()
        for each in self._conversation.entries:
            if known.earlier.get(each.key) == each.version:
                continue
            here.add(each.key)
            known.seen.setdefault(each.key, round(at, 3))
            if _is_whole(each):
                known.until.setdefault(each.key, round(at, 3))
                times = known.seen[each.key], known.until[each.key]
                made_of = (each.version, after, *times)
                if known.made_of.get(each.key) != made_of:
                    known.made_of[each.key] = made_of
                    stands = lines.stands(entry_of(each, *times), known.began, after)
                    found += known.news(each.key, stands)
            after = each.key
        if self._call is not None:
            for key in [key for key in known.written if key not in here]:
                del known.written[key], known.made_of[key]
                found.append(lines.gone(key))
        return found

    def _hear_sound(self, known: _Scribed, entry: Entry, at: float) -> bool:
        """Take the times of voices; whether one of them changes a line that was written."""
        if entry.name == "receive" and _OF_SPEECH in entry.args[1]:
            match codec.decode(entry.args[1]):
                case SpeechStarted(item_id=item_id):
                    known.seen.setdefault(item_id, round(at, 3))
                case SpeechStopped(item_id=item_id):
                    known.until.setdefault(item_id, round(at, 3))
        before, self._sounding = self._sounding, self._record.playout.sounding
        if not before or self._sounding:
            return False
        for turn in self._record.sounded_turns:
            known.until[turn.key] = round(at, 3)
        return True

    def _troubles(self, call: Call, at: float) -> list[str]:
        before, self._shown = self._shown, (call.problem, call.notice)
        if self._now is None:
            return []
        began = self._now.began
        found = []
        for what in self._shown:
            if what is not None and what not in before:
                key = f"trouble-{at - began:.3f}-{what.code}"
                trouble = Trouble(key=key, code=what.code, says=what.says, at=at)
                found.append(lines.stands(trouble, began))
        return found

    def _worth_writing(self, found: list[str]) -> list[Line]:
        known = self._now
        if known is None:
            return []
        if not known.worth:
            known.waiting += found
            return []
        found, known.waiting = known.waiting + found, []
        return [Line(known.number, known.began, known.whole, text) for text in found]


def _is_whole(entry: Turn | ToolUse) -> bool:
    """Whether an entry has come to its end and says something."""
    if entry.status is Status.IN_PROGRESS:
        return False
    if isinstance(entry, ToolUse):
        return True
    return not entry.awaits_words and bool(entry.role == "user" or entry.full_text)
