"""Who in the backend hears what the pages' cores hear, and how does a latecomer catch up?

A page sends the inputs of its core (`session.feed`) in numbered batches, and sends again what had no
answer when the connection broke; here each input counts once. A page that has fed another backend before
is asked, by the answer that nothing is here yet, to begin anew. Listeners hear every input in order. What
a page has sent is kept in memory while it fits, so that a listener that comes later hears it all; a page
that sent more than that, or lost inputs on the way, cannot be replayed from its beginning, and listeners
are told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from voicepilot.bridge.messages import CallFeed, FeedTaken, MessageError
from voicepilot.session.feed import Entry, FeedError, decode

MOST_CHARACTERS: Final = 32_000_000
"""Of one page's inputs in memory: about an hour of talk, the longest that the service allows."""

MOST_PAGES: Final = 3
"""Pages remembered: the open one, and tabs beside it. The one silent for longest is forgotten first."""


class Listener(Protocol):
    """Hears the inputs of every page. Must not raise."""

    def heard(self, page: str, entry: Entry) -> None:
        """The core of `page` was told this."""

    def missed(self, page: str) -> None:
        """Inputs of `page` are missing before the next one: its state cannot be known any more."""


@dataclass(slots=True)
class _PageFeed:
    last: int = 0
    whole: bool = True
    closed: bool = False
    characters: int = 0
    kept: list[Entry] = field(default_factory=list)


class Feed:
    """The inputs of the pages of one backend."""

    def __init__(self, *, most_characters: int = MOST_CHARACTERS) -> None:
        self._most_characters = most_characters
        self._pages: dict[str, _PageFeed] = {}
        self._known: set[str] = set()
        self._listeners: list[Listener] = []

    @property
    def wanted(self) -> bool:
        """Whether anybody listens; without a listener, pages need not send anything."""
        return bool(self._listeners)

    def take(self, said: CallFeed) -> FeedTaken:
        """Take a batch, pass on what is new in it. Raises MessageError, and takes nothing of it then."""
        try:
            entries = [decode(each) for each in said.entries]
        except FeedError as error:
            raise MessageError("entries", f"hold something else: {error}") from error
        if said.page not in self._known:
            self._known.add(said.page)
            if said.first > 1:  # of a backend before us: the page may have kept what that one had
                return FeedTaken(0)
        page = self._pages.pop(said.page, None) or _PageFeed()
        self._pages[said.page] = page  # the latest to speak is the last to be forgotten
        while len(self._pages) > MOST_PAGES:
            del self._pages[next(iter(self._pages))]
        if said.first > page.last + 1 or page.closed:
            page.last, page.closed = said.first - 1, False
            self._lose(page)
            for listener in tuple(self._listeners):
                listener.missed(said.page)
        for entry in entries[page.last + 1 - said.first :]:
            self._pass_on(said.page, page, entry)
        return FeedTaken(page.last)

    def close(self, page: str, last_words: Sequence[Entry]) -> None:
        """The page has gone away: its core would have been told `last_words`.

        If it comes back all the same, it has lost inputs, as far as anybody here knows.
        """
        found = self._pages.get(page)
        if found is None or found.closed:
            return
        found.closed = True
        for entry in last_words:
            self._pass_on(page, found, entry)

    def last(self, page: str) -> int:
        """The number of the last input of `page` that was passed on; 0 for a page not known."""
        return self._pages[page].last if page in self._pages else 0

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Let `listener` hear everything from now on, after all that is kept; returns what ends it."""
        for name, page in self._pages.items():
            if not page.whole:
                listener.missed(name)
            for entry in page.kept:
                listener.heard(name, entry)
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _pass_on(self, name: str, page: _PageFeed, entry: Entry) -> None:
        page.last += 1
        self._keep(page, entry)
        for listener in tuple(self._listeners):
            listener.heard(name, entry)

    def _keep(self, page: _PageFeed, entry: Entry) -> None:
        if not page.whole:
            return
        page.kept.append(entry)
        page.characters += 50 + sum(len(each) for each in entry.args if isinstance(each, str))
        if page.characters > self._most_characters:
            self._lose(page)

    @staticmethod
    def _lose(page: _PageFeed) -> None:
        page.whole, page.kept, page.characters = False, [], 0
