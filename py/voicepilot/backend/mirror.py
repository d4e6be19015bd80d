"""What does a page get that mirrors the call of another?

Every input of the call pages' cores, all that is kept of them first, in batches that fit into a frame;
and the newest of what has no history: the call page's levels and scene. One task takes it there, so a
slow page gets fewer levels and never an input less.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from voicepilot.backend.feed import Feed
from voicepilot.bridge.mirror_messages import MIRROR_FEED, MirrorFeed
from voicepilot.session.feed import Entry, encode

Tell: TypeAlias = Callable[[str, Mapping[str, object]], Awaitable[None]]
"""Sends a notification to the page. Raises ConnectionError where it has left."""

_MOST_IN_BATCH: Final = 500
_MOST_CHARACTERS: Final = 80_000
"""Characters of texts in a batch: each may take twelve in a frame, which holds a million."""


class Mirror:
    """One page that mirrors. A `feed.Listener`."""

    def __init__(self, feed: Feed, tell: Tell) -> None:
        self._feed = feed
        self._tell = tell
        self._last: dict[str, int] = {}
        self._waiting: deque[tuple[str, int, Entry]] = deque()
        self._newest: dict[str, Mapping[str, object]] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Take to the page what there is and what comes, until it has left or this is cancelled."""
        leave = self._feed.listen(self)
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while batch := self._batch():
                    await self._tell(MIRROR_FEED, batch.to_params())
                newest, self._newest = self._newest, {}
                for method, params in newest.items():
                    await self._tell(method, params)
        except ConnectionError:
            pass
        finally:
            leave()

    def show(self, method: str, params: Mapping[str, object]) -> None:
        """Take this to the page too; a newer one of the same method takes its place."""
        self._newest[method] = params
        self._news.set()

    # ---- feed.Listener

    def heard(self, page: str, entry: Entry) -> None:
        """The core of `page` was told this."""
        number = self._last[page] = self._last.get(page, 0) + 1
        self._waiting.append((page, number, entry))
        self._news.set()

    def missed(self, page: str) -> None:
        """Inputs of `page` are missing; who mirrors sees it by the next one's number."""
        self._last[page] = max(self._last.get(page, -1) + 1, self._feed.last(page))

    def _batch(self) -> MirrorFeed | None:
        if not self._waiting:
            return None
        page, first, _ = self._waiting[0]
        following = first
        entries: list[dict[str, Any]] = []
        characters = 0
        while self._waiting and len(entries) < _MOST_IN_BATCH:
            whose, number, entry = self._waiting[0]
            if whose != page or number != following:
                break
            encoded = encode(entry)
            characters += sum(len(each) for each in encoded["args"] if isinstance(each, str))
            if entries and characters > _MOST_CHARACTERS:
                break
            self._waiting.popleft()
            entries.append(encoded)
            following += 1
        return MirrorFeed(page, first, tuple(entries))
