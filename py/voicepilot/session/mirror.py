"""Which call do the pages hold, as somebody sees who only hears their inputs?

Follows each page with a core of its own (`feed.apply`). Shown is the call of the page that pressed Talk
last; a page that was only opened takes nobody's place. Inputs are numbered from 1 for each page: what
comes again counts once, and a page of which some are missing cannot be followed any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..protocol.dialects import Dialect
from .call import Call
from .commands import Command
from .feed import Entry, apply

MOST_PAGES: Final = 3
"""Pages followed at once, beside the one that is shown; the one heard first is forgotten first."""


class CallMirror:
    """The calls of some pages. `dialect` is what a new page's core begins with."""

    def __init__(self, dialect: Dialect = "ga") -> None:
        self.dialect: Dialect = dialect
        self._calls: dict[str, Call | None] = {}
        self._last: dict[str, int] = {}
        self._idle = Call(dialect)
        self.shown = ""  # the page whose call is shown

    def of(self, page: str) -> Call | None:
        """The call of `page`; None where it is not followed."""
        return self._calls.get(page)

    @property
    def call(self) -> Call:
        """The call to show; one that never began where no page has talked."""
        return self._calls.get(self.shown) or self._idle

    @property
    def complete(self) -> bool:
        """Whether the call to show is known; False where inputs of its page are missing."""
        return self._calls.get(self.shown, self._idle) is not None

    def last(self, page: str) -> int:
        """The number of the last input that was heard of `page`."""
        return self._last.get(page, 0)

    def take(
        self, page: str, first: int, entries: Sequence[Entry]
    ) -> Iterator[tuple[Entry, list[Command]]]:
        """Hear inputs of `page`, the first of them numbered `first`; gives what is new, with its answer."""
        last = self.last(page)
        if first > last + 1:
            self.lose(page)
            self._last[page] = last = first - 1
        for entry in entries[last + 1 - first :]:
            yield entry, self.hear(page, entry)

    def hear(self, page: str, entry: Entry) -> list[Command]:
        """Hear the next input of `page`; what its core answers, nothing where it cannot be followed."""
        self._last[page] = self.last(page) + 1
        if page not in self._calls:
            self._calls[page] = Call(self.dialect)
        if entry.name == "talk":
            self.shown = page
        call = self._calls[page]
        self._forget_oldest()
        if call is None:
            return []
        try:
            return apply(call, entry)
        except (ValueError, TypeError):  # its own core took it, so ours is not the same any more
            self.lose(page)
            return []

    def lose(self, page: str) -> None:
        """Inputs of `page` are missing: it cannot be followed any more."""
        self._calls[page] = None
        if not self.shown:
            self.shown = page

    def _forget_oldest(self) -> None:
        others = [page for page in self._calls if page != self.shown]
        for page in others[: max(0, len(others) - MOST_PAGES)]:
            del self._calls[page], self._last[page]
