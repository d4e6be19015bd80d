"""How does the backend hear what the page's core hears?

Each input of the core is put in line, and if the backend wants them, a task takes what stands there to it
every 50 ms at most, one batch at a time. An input leaves the line when the backend has said that it has
it; after a new connection the rest is sent again. Nothing is encoded before it is sent, and nothing at
all where nobody wants it.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from voicepilot.bridge.messages import CallFeed, FeedTaken
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.session.feed import Entry, encode

MOST_WAITING: Final = 20_000
"""Inputs that wait for a backend that is away; then the oldest are lost, and the numbers say so."""

_PAUSE: Final = 0.05
_MOST_IN_BATCH: Final = 500
_MOST_CHARACTERS: Final = 80_000
"""Characters of texts in a batch: each may take twelve in a frame, which holds a million."""


class FeedLine:
    """The line, from the page's end. `tell` takes a batch to the backend and may raise `Trouble`."""

    def __init__(self, scope: Scope, tell: Callable[[CallFeed], Awaitable[FeedTaken]]) -> None:
        self._scope = scope
        self._tell = tell
        self._page = ""
        self._waiting: deque[Entry] = deque(maxlen=MOST_WAITING)
        self._last = 0
        self._wanted = True  # until the backend has said: what came before belongs to the call too
        self._delivering = False
        self._news = asyncio.Event()

    def add(self, at: float, name: str, args: tuple[Any, ...]) -> None:
        """Put an input in line: the core was told this at this time, in seconds."""
        self._last += 1
        if self._wanted:
            self._waiting.append(Entry(at, name, args))
            if not self._news.is_set():
                self._news.set()

    def welcomed(self, *, wanted: bool) -> None:
        """The backend has greeted us and said whether it wants the inputs."""
        self._wanted = wanted
        if not wanted:
            self._waiting.clear()
        elif not self._delivering:
            self._page = self._page or os.urandom(8).hex()
            self._delivering = True
            self._scope.start(self._deliver(), "feeding the backend")

    async def _deliver(self) -> None:
        try:
            while self._wanted:
                await self._news.wait()
                await asyncio.sleep(_PAUSE)
                batch = self._batch()
                if batch is None:
                    self._news.clear()
                    continue
                self._forget(await self._tell(batch))
        except Trouble:
            pass  # no backend now, or one that takes no inputs: the next greeting begins again
        finally:
            self._delivering = False

    def _batch(self) -> CallFeed | None:
        while self._waiting and _characters(encode(self._waiting[0])) > _MOST_CHARACTERS:
            self._waiting.popleft()  # lost: no frame could hold it
        if not self._waiting:
            return None
        entries: list[object] = []
        characters = 0
        for entry in self._waiting:
            encoded = encode(entry)
            characters += _characters(encoded)
            if len(entries) == _MOST_IN_BATCH or characters > _MOST_CHARACTERS:
                break
            entries.append(encoded)
        return CallFeed(self._page, self._last - len(self._waiting) + 1, tuple(entries))

    def _forget(self, taken: FeedTaken) -> None:
        while self._waiting and self._last - len(self._waiting) < taken.last:
            self._waiting.popleft()


def _characters(encoded: dict[str, Any]) -> int:
    return sum(len(each) for each in encoded["args"] if isinstance(each, str))
