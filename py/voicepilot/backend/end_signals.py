"""Which signals ask a program of ours to end? Ctrl-C, a polite kill, a closed terminal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def on_end_signals(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` on Ctrl-C, on a polite kill and when the terminal closes."""
    loop = asyncio.get_running_loop()
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    try:
        for number in numbers:
            loop.add_signal_handler(number, end)
    except NotImplementedError:  # Windows: asyncio.run turns Ctrl-C into a cancellation
        numbers = []
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
