"""How does a library that blocks run without holding up the rest, or the end of the program?

In a daemon thread of its own. The event loop's thread pool would make the program wait at its end for
a keyring that asks its user, or for a browser in which nobody signs in.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_own_thread(name: str, function: Callable[[], T]) -> T:
    """Return what `function` returns, or raise what it raises.

    Who is cancelled here waits no longer; the thread goes on, and what comes of it is dropped.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():  # cancelled meanwhile
            return
        if error is None:
            result.set_result(value)  # type: ignore[arg-type]  # a T where there is no error
        else:
            result.set_exception(error)

    def run() -> None:
        value, failed = None, None
        try:
            value = function()
        except BaseException as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, value, failed)

    threading.Thread(target=run, name=f"voicepilot {name}", daemon=True).start()
    return await result
