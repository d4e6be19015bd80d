"""In which order do the items stand, when news of them comes in any order?

The service names for each item the one before it. Where it names none, the item goes to the end; where it
names one that is not known yet, the item waits at the end and moves, with all that follows it, when the
named one appears. An item inserted after another comes directly after it, as in a linked list. What would
put an item behind itself is ignored. So nothing is ever lost or doubled, whatever arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ROOT: Final = "root"
"""The predecessor a client names to put an item first."""


class Order:
    """Keys in conversation order: a tree in which each key hangs on the one it was put behind."""

    def __init__(self) -> None:
        self.version = 0
        """Grows when a key gets another place."""
        self._parent: dict[str, str] = {}
        self._children: dict[str, list[str]] = {ROOT: []}
        self._stated: dict[str, str] = {}
        self._waiting: dict[str, list[str]] = {}
        self._last = ROOT

    def __contains__(self, key: str) -> bool:
        return key in self._parent

    def __iter__(self) -> Iterator[str]:
        """Yield the keys in order."""
        pile = list(reversed(self._children[ROOT]))
        while pile:
            key = pile.pop()
            yield key
            pile.extend(reversed(self._children[key]))

    def place(self, key: str, previous: str | None = None) -> None:
        """Give `key` a place: behind `previous`, or at the end if that is None or not known yet.

        Saying the same again changes nothing; naming another predecessor moves the key and what
        follows it.
        """
        if key == ROOT:
            return
        if key not in self._parent:
            self._attach(key, self._last)
            self._last = key
            for waiting in self._waiting.pop(key, ()):
                if self._stated.get(waiting) == key:
                    self._move(waiting, key)
        if previous is None or previous == key or self._stated.get(key) == previous:
            return
        self._stated[key] = previous
        if previous == ROOT or previous in self._parent:
            self._move(key, previous)
        else:
            self._waiting.setdefault(previous, []).append(key)

    def _attach(self, key: str, parent: str, before: str | None = None) -> None:
        self.version += 1
        siblings = self._children[parent]
        self._parent[key] = parent
        self._children.setdefault(key, [])
        siblings.insert(siblings.index(before) if before is not None else 0, key)

    def _detach(self, key: str) -> None:
        self._children[self._parent[key]].remove(key)

    def _move(self, key: str, parent: str) -> None:
        if self._parent[key] == parent:
            return
        chain = self._up_to(parent, key)
        if chain is not None:
            # The parent stands behind the key. Where that rests only on the order of arrival, what
            # arrived by chance goes before the key; a circle of stated places is ignored.
            loose = next((k for k in chain if self._stated.get(k) != self._parent[k]), None)
            if loose is None:
                return
            self._detach(loose)
            self._attach(loose, self._parent[key], before=key)
        self._detach(key)
        self._attach(key, parent)
        self._last = self._find_last()

    def _up_to(self, key: str, ancestor: str) -> list[str] | None:
        """Return the keys from `key` up to below `ancestor`, None if `key` is not behind it."""
        chain: list[str] = []
        while key != ROOT:
            if key == ancestor:
                return chain
            chain.append(key)
            key = self._parent[key]
        return None

    def _find_last(self) -> str:
        key = ROOT
        while self._children[key]:
            key = self._children[key][-1]
        return key
