"""How does the backend hear what the page's core hears?

Each input of the core is put in line, and if the backend wants them, a task takes what stands there to it
every 50 ms at most, one batch at a time. What has no answer when the connection breaks is sent again. What
the backend has is kept while it fits: one that was started anew has lost it, says so, and gets it again.
Nothing is encoded before it is sent, and nothing at all where nobody wants it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from voicepilot.bridge.messages import CallFeed, FeedTaken
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.session.feed import Entry, encode, without_sound

MOST_KEPT: Final = 40_000
"""Inputs that are kept; of more the oldest are lost, and the numbers say so to a backend without them."""

MOST_CHARACTERS_KEPT: Final = 8_000_000

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
        self._kept: list[Entry] = []
        self._characters = 0
        self._last = 0  # the number of the last input
        self._taken = 0  # the number of the last one that the backend has
        self._wanted = True  # until the backend has said: what came before belongs to the call too
        self._delivering = False
        self._news = asyncio.Event()

    def add(self, at: float, name: str, args: tuple[Any, ...]) -> None:
        """Put an input in line: the core was told this at this time, in seconds."""
        self._last += 1
        if self._wanted:
            entry = Entry(at, name, args)
            self._kept.append(entry)
            self._characters += _length(entry)
            if len(self._kept) > MOST_KEPT or self._characters > MOST_CHARACTERS_KEPT:
                self._lose_oldest()
            if not self._news.is_set():
                self._news.set()

    def welcomed(self, *, wanted: bool) -> None:
        """The backend has greeted us and said whether it wants the inputs."""
        self._wanted = wanted
        if not wanted:
            self._kept.clear()
            self._characters = 0
        elif not self._delivering:
            self._page = self._page or os.urandom(8).hex()
            self._delivering = True
            self._scope.start(self._deliver(), "feeding the backend")

    @property
    def _first(self) -> int:
        """The number of the oldest input that is kept."""
        return self._last - len(self._kept) + 1

    async def _deliver(self) -> None:
        # A new backend hears of us by the last that the one before it had, and asks for the rest.
        self._taken = max(0, self._taken - 1)
        self._news.set()
        try:
            while self._wanted:
                await self._news.wait()
                await asyncio.sleep(_PAUSE)
                batch = self._batch()
                if batch is None:
                    self._news.clear()
                    continue
                taken = (await self._tell(batch)).last
                self._leave_sound_out(batch)
                self._taken = taken
        except Trouble:
            pass  # no backend now, or one that takes no inputs: the next greeting begins again
        finally:
            self._delivering = False

    def _batch(self) -> CallFeed | None:
        start = max(0, self._taken + 1 - self._first)
        while start < len(self._kept) and _length(self._kept[start]) > _MOST_CHARACTERS:
            if _characters(encode(self._kept[start])) <= _MOST_CHARACTERS:
                break
            start += 1  # lost: no frame could hold it
        entries: list[object] = []
        characters = 0
        for entry in self._kept[start : start + _MOST_IN_BATCH]:
            encoded = encode(entry)
            characters += _characters(encoded)
            if entries and characters > _MOST_CHARACTERS:
                break
            entries.append(encoded)
        return CallFeed(self._page, self._first + start, tuple(entries)) if entries else None

    def _leave_sound_out(self, batch: CallFeed) -> None:
        """Keep of what was sent only what was sent of it: sound is long, and nobody asks for it."""
        start = batch.first - self._first
        for place in range(max(0, start), start + len(batch.entries)):
            entry = self._kept[place]
            if entry.name == "receive":
                text = without_sound(entry.args[1])
                self._characters += len(text) - len(entry.args[1])
                self._kept[place] = replace(entry, args=(entry.args[0], text))

    def _lose_oldest(self) -> None:
        lost = self._kept[: max(1, len(self._kept) // 10)]
        del self._kept[: len(lost)]
        self._characters -= sum(map(_length, lost))


def _length(entry: Entry) -> int:
    return sum(len(each) for each in entry.args if isinstance(each, str))


def _characters(encoded: dict[str, Any]) -> int:
    return sum(len(each) for each in encoded["args"] if isinstance(each, str))
