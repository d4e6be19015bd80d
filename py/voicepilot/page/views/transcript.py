"""What was said, by whom, and which tools were used?

Rows are keyed and redrawn only where their entry changed; a row never moves unless the order of the
conversation did, so selection and screen readers keep their place. The transcript follows the newest words
unless the person has scrolled up to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from voicepilot.page import seam
from voicepilot.page.scope import Scope
from voicepilot.page.views import wording
from voicepilot.session.conversation import Conversation, Status, ToolUse, Turn

if TYPE_CHECKING:
    from voicepilot.page.seam import Element

_NEAR_THE_END: Final = 48.0  # pixels


class TranscriptView:
    """The log of the conversation."""

    def __init__(self, scope: Scope) -> None:
        self._log: Element = seam.find("transcript")
        self._empty: Element = seam.find("transcript-empty")
        self._pattern = _turn_pattern()
        self._rows: dict[str, _TurnRow | _ToolRow] = {}
        self._order: list[str] = []
        self._entries: Sequence[Turn | ToolUse] = ()
        self._conversation: Conversation | None = None
        self._version = -1
        self._follow = True
        # Words that fit in their line move nothing: only when a row has grown, the newest words are shown.
        self._sizes = seam.SizeWatch(scope, self.settle)
        seam.listen(scope, self._log, "scroll", self._scrolled)
        seam.listen_to_window(scope, "resize", lambda _event: self.settle())

    def settle(self) -> None:
        """The space for the transcript changed: show the newest words still, if they were shown."""
        if self._follow:
            self._log.scrollTop = self._log.scrollHeight

    def draw(self, conversation: Conversation) -> None:
        """Show the conversation as it is now."""
        if conversation is self._conversation and conversation.version == self._version:
            return
        if conversation is not self._conversation:
            self._clear()
        self._conversation, self._version = conversation, conversation.version
        self._draw_rows(conversation.entries)

    def _draw_rows(self, entries: Sequence[Turn | ToolUse]) -> None:
        # Nearly always some words came and no row moved: then only those words cost anything.
        if entries is not self._entries:
            self._entries = entries
            self._arrange(entries)
        for entry in entries:
            row = self._rows[entry.key]
            if row.version != entry.version:
                row.version = entry.version
                row.draw(entry)

    def _arrange(self, entries: Sequence[Turn | ToolUse]) -> None:
        self._empty.hidden = bool(entries)
        wanted = {entry.key for entry in entries}
        for key in [key for key in self._order if key not in wanted]:
            self._drop(self._rows.pop(key))
            self._order.remove(key)
        before: Element = self._empty
        for place, entry in enumerate(entries):
            row = self._rows.get(entry.key)
            if row is None:
                turn = isinstance(entry, Turn)
                row = self._rows[entry.key] = _TurnRow(self._pattern) if turn else _ToolRow()
                self._sizes.watch(row.element)
            if place >= len(self._order) or self._order[place] != entry.key:
                if entry.key in self._order:
                    self._order.remove(entry.key)
                self._order.insert(place, entry.key)
                before.after(row.element)
            before = row.element

    def _clear(self) -> None:
        for row in self._rows.values():
            self._drop(row)
        self._rows.clear()
        self._order.clear()

    def _drop(self, row: _TurnRow | _ToolRow) -> None:
        self._sizes.forget(row.element)
        row.element.remove()

    def _scrolled(self, _event: object) -> None:
        log = self._log
        self._follow = log.scrollHeight - log.scrollTop - log.clientHeight < _NEAR_THE_END


def _turn_pattern() -> Element:
    pattern: Element = seam.create("div", "turn")
    pattern.append(*(seam.create("p", part) for part in ("speaker", "words", "remark")))
    return pattern


class _TurnRow:
    """One turn: the speaker's name, the words, and a remark where it did not end as usual."""

    def __init__(self, pattern: Element) -> None:
        # Copied whole: an element for each part would be a dozen calls of the browser.
        self.element: Element = pattern.cloneNode(True)
        self._speaker, self._words, self._remark = self.element.children
        self.version = -1
        self._framed: tuple[str, Status, str | None, bool, bool] | None = None

    def draw(self, entry: Turn | ToolUse) -> None:
        if not isinstance(entry, Turn):
            return
        text = entry.text
        awaited = entry.awaits_words or entry.status is Status.IN_PROGRESS
        framed = (entry.role, entry.status, entry.item_id, bool(text), awaited)
        if framed != self._framed:
            self._framed = framed
            self._frame(entry, absent=not text, awaited=awaited)
        self._words.textContent = text or wording.absent_words(entry.role, awaited=awaited)

    def _frame(self, entry: Turn, *, absent: bool, awaited: bool) -> None:
        """Draw what stays while words come."""
        element = self.element
        element.dataset.role = entry.role
        element.dataset.status = entry.status.value
        element.dataset.itemId = entry.item_id or ""
        # While words still come, assistive technology waits for the whole of them.
        element.setAttribute("aria-busy", "true" if awaited else "false")
        self._speaker.textContent = wording.speaker(entry.role)
        if absent:
            self._words.dataset.absent = ""
        else:
            self._words.removeAttribute("data-absent")
        remark = wording.remark(entry.role, entry.status)
        self._remark.textContent = remark
        self._remark.hidden = not remark


class _ToolRow:
    """One tool call, closed: its name and how far it is. Opened: its arguments and its result."""

    def __init__(self) -> None:
        self.element: Element = seam.create("details", "tool")
        summary: Element = seam.create("summary")
        self._name: Element = seam.create("span", "name")
        self._state: Element = seam.create("span", "quiet")
        self._arguments: Element = seam.create("pre")
        self._result: Element = seam.create("pre")
        self.version = -1
        summary.append(seam.create("span", text="Tool "), self._name, self._state)
        described: Element = seam.create("dl")
        for term, value in (("Arguments", self._arguments), ("Result", self._result)):
            description: Element = seam.create("dd")
            description.append(value)
            described.append(seam.create("dt", text=term), description)
        self.element.append(summary, described)

    def draw(self, entry: Turn | ToolUse) -> None:
        if not isinstance(entry, ToolUse):
            return
        answered = entry.output is not None
        self.element.dataset.status = entry.status.value
        self.element.dataset.itemId = entry.item_id or ""
        self.element.dataset.tool = entry.name
        self._name.textContent = entry.name
        self._state.textContent = f": {wording.tool_state(entry.status, answered=answered)}"
        self._arguments.textContent = entry.arguments or "none"
        self._result.textContent = entry.output if entry.output is not None else "not there yet"
