"""What was said, by whom, in which order: the conversation as it is drawn, saved and replayed.

Rules
- Entries are keyed by the service's item id and stand in the order of `previous_item_id` (`order.py`).
- A user's turn holds its place from `input_audio_buffer.committed` on; its words may come much later, and
  until then it awaits them, also where the service calls the item completed.
- An entry, once interrupted or failed, stays so, whatever late event calls it completed.
- Of an interrupted answer only what was heard is shown. `heard` says how much that was.
- Text is what was typed, transcribed or spoken; None where nothing is known. There are no placeholders.
- Events of a response outside the conversation (`conversation: "none"`) change nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from ..protocol.items import Item
from . import pace
from .order import Order


class Status(StrEnum):
    """How far an entry has come."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


_FINAL: Final = (Status.INTERRUPTED, Status.FAILED)

_ITEM_STATUS: Final[dict[str, Status]] = {
    "completed": Status.COMPLETED,
    "incomplete": Status.INTERRUPTED,
    "in_progress": Status.IN_PROGRESS,
}


@dataclass(slots=True, kw_only=True)
class Entry:
    """What all entries share. `key` never changes; `item_id` is None until the service has named it.

    `version` grows with each change, so that a view redraws only what changed.
    """

    key: str
    item_id: str | None = None
    status: Status = Status.IN_PROGRESS
    version: int = 0
    hidden: bool = False

    def settle(self, status: Status) -> None:
        """Move to `status`, unless interrupted or failed before."""
        if self.status not in _FINAL:
            self.status = status


@dataclass(slots=True, kw_only=True)
class Turn(Entry):
    """One message of the user, the assistant or the system."""

    role: str
    audio_ms: float = 0.0
    audio_whole: bool = False
    awaits_words: bool = False
    _words: dict[int, str] = field(default_factory=dict)
    _settled: set[int] = field(default_factory=set)
    _heard: int | None = None

    @property
    def text(self) -> str | None:
        """What was typed, transcribed or spoken, cut to what was heard; None where it is unknown."""
        words = self.full_text
        if words is None or self._heard is None or self._heard >= len(words):
            return words
        return pace.whole_words(words, self._heard)

    @property
    def full_text(self) -> str | None:
        """All the words that came, heard or not."""
        if not self._words:
            return None
        return _joined([self._words[index] for index in sorted(self._words)])

    def grow(self, index: int, words: str) -> None:
        """Add a piece to content part `index`, unless that part came whole already."""
        if index not in self._settled:
            self._words[index] = self._words.get(index, "") + words

    def tell(self, index: int, words: str) -> None:
        """Set content part `index`, which came whole."""
        self._words[index] = words
        self._settled.add(index)
        self.awaits_words = False

    def cut(self, heard_ms: float, measured: pace.Pace) -> None:
        """Keep of the words only what was heard in `heard_ms`; the shortest of several cuts stands."""
        words = self.full_text or ""
        heard = measured.characters(heard_ms)
        if self.audio_ms:
            share = round(len(words) * heard_ms / self.audio_ms)
            # Words run ahead of the sound: while that still comes, it is no measure for all of them.
            heard = share if self.audio_whole else min(share, heard)
        self._heard = heard if self._heard is None else min(self._heard, heard)


@dataclass(slots=True, kw_only=True)
class ToolUse(Entry):
    """One function call of the assistant. `arguments` is the JSON text as it came."""

    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | None = None
    whole: bool = False


@dataclass(slots=True, kw_only=True)
class OtherItem(Entry):
    """An item that has a place but nothing of its own to show: a call's output, MCP's items."""


_STALE: Final = -1  # no order has this version

AnyEntry: TypeAlias = Turn | ToolUse | OtherItem


class Conversation:
    """The entries, changed by what the service says and what this side sends."""

    def __init__(self) -> None:
        self.version = 0
        self.pace = pace.Pace()
        self.transcribes = False  # whether the session writes down what the user says
        self._entries: dict[str, AnyEntry] = {}
        self._order = Order()
        self._in_order: list[Turn | ToolUse] = []
        self._in_order_of = 0  # the version of the order for which they are
        self._keys: dict[str, str] = {}  # item id -> key, where they differ
        self._unnamed: list[tuple[str, Item]] = []  # sent without an id, not echoed yet
        self._outputs_early: dict[str, str] = {}
        self._sent = 0

    # --- to draw ------------------------------------------------------------------------------------

    @property
    def entries(self) -> list[Turn | ToolUse]:
        """Turns and tool calls in conversation order; the same list until one comes, goes or moves."""
        if self._in_order_of != self._order.version:
            found = (self._entries[key] for key in self._order)
            self._in_order = [e for e in found if isinstance(e, Turn | ToolUse) and not e.hidden]
            self._in_order_of = self._order.version
        return self._in_order

    @property
    def turns(self) -> list[Turn]:
        """The messages in conversation order."""
        return [entry for entry in self.entries if isinstance(entry, Turn)]

    @property
    def tool_uses(self) -> list[ToolUse]:
        """The function calls in conversation order."""
        return [entry for entry in self.entries if isinstance(entry, ToolUse)]

    def turn(self, item_id: str) -> Turn | None:
        """Return the message `item_id` if it is known."""
        entry = self._find(item_id)
        return entry if isinstance(entry, Turn) else None

    def tool_use(self, call_id: str) -> ToolUse | None:
        """Return the function call `call_id` if it is known."""
        for entry in self._entries.values():
            if isinstance(entry, ToolUse) and entry.call_id == call_id:
                return entry
        return None

    # --- items --------------------------------------------------------------------------------------

    def hold_place(self, item_id: str, previous: str | None) -> None:
        """Keep a place for what the user just said."""
        if item_id:
            turn = self._ensure_turn(item_id, "user")
            if turn is not None:
                turn.awaits_words = self.transcribes and turn.full_text is None
                self._touch(turn)
            self._place(item_id, previous)

    def sent(self, item: Item, previous: str | None) -> str:
        """Take in an item this side sends, before the service confirms it; return its key."""
        if item.type == "function_call_output":
            self._answer(item.call_id, item.output or "")
        self._sent += 1
        key = item.id or f"sent-{self._sent}"
        if not item.id:
            self._unnamed.append((key, item))
        self._forget_deleted(key)
        entry = self._take_in(key, item, named=bool(item.id))
        if previous is not None:
            previous = self._keys.get(previous, previous)
        self._order.place(key, previous)
        if not isinstance(entry, ToolUse):
            entry.settle(Status.COMPLETED)
        return key

    def refuse(self, key: str) -> None:
        """The service refused the item that was sent under `key`."""
        self._unnamed = [(sent, item) for sent, item in self._unnamed if sent != key]
        entry = self._entries.get(key)
        if entry is not None:
            entry.status = Status.FAILED
            self._touch(entry)

    def added(self, item: Item, previous: str | None = None, *, done: bool = False) -> None:
        """An item took its place (or, with `done`, is complete)."""
        if not item.id:
            return
        if self._find(item.id) is None:
            self._recognise(item)
        entry = self._take_in(self._keys.get(item.id, item.id), item, named=True)
        self._place(item.id, previous)
        status = _ITEM_STATUS.get(item.status)
        if status is None and (done or not (isinstance(entry, Turn) and entry.role == "assistant")):
            status = Status.COMPLETED
        if status is Status.COMPLETED and isinstance(entry, ToolUse):
            entry.whole = True  # complete as a call; the entry completes with its output
            status = None
        if status is not None:
            entry.settle(status)

    def deleted(self, item_id: str) -> None:
        """An item left the conversation; its place stays for those behind it."""
        entry = self._find(item_id)
        if entry is not None:
            entry.hidden = True
            self._in_order_of = _STALE
            self._touch(entry)

    def truncated(self, item_id: str, heard_ms: float) -> None:
        """Only the first `heard_ms` of an answer were heard."""
        turn = self.turn(item_id)
        if turn is not None:
            turn.cut(heard_ms, self.pace)
            turn.settle(Status.INTERRUPTED)
            self._touch(turn)

    # --- words --------------------------------------------------------------------------------------

    def grow(self, item_id: str, index: int, words: str, role: str = "assistant") -> None:
        """A further piece of a turn's words."""
        if item_id:
            turn = self._ensure_turn(item_id, role)
            if turn is not None:
                turn.grow(index, words)
                self._touch(turn)

    def tell(self, item_id: str, index: int, words: str, role: str = "assistant") -> None:
        """A turn's words, whole."""
        if item_id:
            turn = self._ensure_turn(item_id, role)
            if turn is not None:
                turn.tell(index, words)
                turn.settle(Status.COMPLETED)
                self._touch(turn)

    def unwritten(self, item_id: str) -> None:
        """What the user said will not be written down."""
        turn = self.turn(item_id)
        if turn is not None:
            turn.awaits_words = False
            turn.settle(Status.COMPLETED)
            self._touch(turn)

    def sounded(self, item_id: str, milliseconds: float) -> None:
        """A piece of an answer's sound arrived (WebSocket, where its length is known)."""
        turn = self.turn(item_id)
        if turn is not None:
            turn.audio_ms += milliseconds

    def sound_whole(self, item_id: str) -> None:
        """All of an answer's sound has arrived."""
        turn = self.turn(item_id)
        if turn is not None:
            turn.audio_whole = True

    # --- function calls -----------------------------------------------------------------------------

    def arguments(
        self, item_id: str, call_id: str, words: str, *, name: str = "", whole: bool
    ) -> ToolUse | None:
        """A further piece of a call's arguments, or all of them; return the call."""
        if not item_id:
            return None
        entry = self._find(item_id)
        if entry is None:
            entry = self._keep(ToolUse(key=item_id, item_id=item_id))
        if not isinstance(entry, ToolUse):
            return None
        entry.call_id = call_id or entry.call_id
        entry.name = name or entry.name
        if whole:
            entry.arguments, entry.whole = words, True
        elif not entry.whole:
            entry.arguments += words
        self._touch(entry)
        return entry

    # --- ends ---------------------------------------------------------------------------------------

    def settle(self, item_id: str, status: Status) -> None:
        """An entry came to its end with its response."""
        entry = self._find(item_id)
        if entry is None or (isinstance(entry, ToolUse) and status is Status.COMPLETED):
            return
        entry.settle(status)
        self._touch(entry)

    def interrupt(self, item_id: str) -> None:
        """An answer was interrupted; how much of it was heard is told by `truncated`."""
        entry = self._find(item_id)
        if entry is not None and entry.status is not Status.FAILED:
            entry.status = Status.INTERRUPTED
            self._touch(entry)

    def close(self) -> None:
        """The call ended: what is still in progress will not go on."""
        for entry in self._entries.values():
            if isinstance(entry, Turn) and entry.awaits_words:
                self.unwritten(entry.key)  # it was said, whether or not it is written down
            if entry.status is Status.IN_PROGRESS:
                entry.status = Status.INTERRUPTED
                self._touch(entry)

    # --- inside -------------------------------------------------------------------------------------

    def _find(self, item_id: str) -> AnyEntry | None:
        return self._entries.get(self._keys.get(item_id, item_id))

    def _place(self, item_id: str, previous: str | None) -> None:
        if previous is not None:
            previous = self._keys.get(previous, previous)
        self._order.place(self._keys.get(item_id, item_id), previous)

    def _keep(self, entry: AnyEntry) -> AnyEntry:
        self._entries[entry.key] = entry
        self._order.place(entry.key)
        return entry

    def _ensure_turn(self, item_id: str, role: str) -> Turn | None:
        entry = self._find(item_id)
        if entry is None:
            entry = self._keep(Turn(key=item_id, item_id=item_id, role=role))
        return entry if isinstance(entry, Turn) else None

    def _take_in(self, key: str, item: Item, *, named: bool) -> AnyEntry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._keep(_new_entry(key, item))
        if named:
            entry.item_id = item.id
        if isinstance(entry, Turn) and item.type == "message":
            entry.role = item.role or entry.role
            for index, part in enumerate(item.content):
                if part.words:
                    entry.tell(index, part.words)
                elif part.type == "input_audio" and part.words is None and entry.full_text is None:
                    entry.awaits_words = self.transcribes
        elif isinstance(entry, ToolUse):
            entry.call_id = item.call_id or entry.call_id
            entry.name = item.name or entry.name
            entry.arguments = item.arguments or entry.arguments
            early = self._outputs_early.pop(entry.call_id, None)
            if early is not None:
                entry.output = early
                entry.settle(Status.COMPLETED)
        elif item.type == "function_call_output" and item.output is not None:
            self._answer(item.call_id, item.output)
        self._touch(entry)
        return entry

    def _forget_deleted(self, key: str) -> None:
        """An item that was deleted is made anew under the same name: it begins empty."""
        entry = self._entries.get(key)
        if entry is not None and entry.hidden:
            del self._entries[key]
            self._in_order_of = _STALE

    def _answer(self, call_id: str, output: str) -> None:
        use = self.tool_use(call_id)
        if use is None:
            self._outputs_early[call_id] = output
            return
        use.output = output
        use.settle(Status.COMPLETED)
        self._touch(use)

    def _recognise(self, item: Item) -> None:
        """Tie an item the service names to the one that was sent without a name, if there is one."""
        for place, (key, sent) in enumerate(self._unnamed):
            if _alike(sent, item):
                del self._unnamed[place]
                self._keys[item.id] = key
                return

    def _touch(self, entry: Entry | None) -> None:
        if entry is not None:
            entry.version += 1
            self.version += 1


def _joined(parts: list[str]) -> str:
    """Return the parts of a message as one text; what does not end in white space gets a space."""
    text = ""
    for part in parts:
        apart = not text or not part or text[-1].isspace() or part[0].isspace()
        text += part if apart else f" {part}"
    return text


def _new_entry(key: str, item: Item) -> AnyEntry:
    match item.type:
        case "message":
            return Turn(key=key, role=item.role or "assistant")
        case "function_call":
            return ToolUse(key=key)
    return OtherItem(key=key)


def _alike(sent: Item, echoed: Item) -> bool:
    return (sent.type, sent.role, sent.call_id, [part.words for part in sent.content]) == (
        echoed.type,
        echoed.role,
        echoed.call_id,
        [part.words for part in echoed.content],
    )
