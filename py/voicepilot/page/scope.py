"""Who ends what?

A `Scope` owns everything that must end: tracks, peers, listeners, proxies, timers, tasks, and the scopes
inside it. Ending it ends all of them, newest first, whatever goes wrong on the way. The page has one
scope for its life and, inside it, one for each attempt to call.

What arrives too late is ended at once: to own something in a scope that has ended closes it there and
then. So a microphone that the browser grants after Stop was pressed never stays open.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeAlias

Closer: TypeAlias = Callable[[], object]
Fault: TypeAlias = Callable[[str, BaseException], None]

_AT_ONCE: Final[dict[str, Any]] = {"eager_start": True} if sys.version_info >= (3, 12) else {}
"""The page's Python is newer; tests on an older one see the work begin one turn of the loop later."""


class Scope:
    """A lifetime. `fault(what, error)` is told of every task that fails and every closer that raises."""

    __slots__ = ("_closers", "_fault", "_last_key", "_leave", "ended", "name")

    def __init__(self, name: str, fault: Fault) -> None:
        self.name = name
        self.ended = False
        self._fault = fault
        self._closers: dict[int, Closer] = {}
        self._last_key = 0
        self._leave: Closer | None = None

    def __len__(self) -> int:
        """How many things this scope would end now; a scope in long use must not grow."""
        return len(self._closers)

    def own(self, closer: Closer) -> Closer:
        """Call `closer` when this scope ends, or at once if it has.

        Returns a function that closes it earlier (once, however often it is called).
        """
        if self.ended:
            self._close(closer)
            return _nothing
        self._last_key += 1
        key = self._last_key
        self._closers[key] = closer

        def close_now() -> None:
            if self._closers.pop(key, None) is not None:
                self._close(closer)

        return close_now

    def nest(self, name: str) -> Scope:
        """A scope that ends with this one, or earlier."""
        inner = Scope(f"{self.name}/{name}", self._fault)
        inner._leave = self.own(inner.end)
        if self.ended:
            inner.end()
        return inner

    def start(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None] | None:
        """Run `work` until it is done or this scope ends; `what` names it in a fault.

        It runs at once up to where it first waits: what a press of a button asks of the browser is asked
        in that press. Returns None, and runs nothing, where the scope has ended.
        """
        if self.ended:
            work.close()
            return None
        loop = asyncio.get_running_loop()
        task = asyncio.Task(work, loop=loop, name=f"{self.name}/{what}", **_AT_ONCE)
        forget = self.own(task.cancel)

        def done(finished: asyncio.Task[None]) -> None:
            forget()  # cancelling a task that is done does nothing
            if not finished.cancelled() and (error := finished.exception()) is not None:
                self._fault(what, error)

        task.add_done_callback(done)
        return task

    def report(self, what: str, error: BaseException) -> None:
        """Tell of a fault in something that this scope owns."""
        self._fault(what, error)

    def end(self) -> None:
        """End everything, newest first. The second call does nothing."""
        if self.ended:
            return
        self.ended = True
        while self._closers:
            _, closer = self._closers.popitem()
            self._close(closer)
        if self._leave is not None:
            self._leave()

    def _close(self, closer: Closer) -> None:
        try:
            closer()
        except Exception as error:  # one failing closer must not keep the others from ending
            self._fault(f"ending {self.name}", error)


def _nothing() -> None:
    pass
