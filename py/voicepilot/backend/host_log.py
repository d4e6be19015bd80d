"""How does what the backend logs reach VS Code's output channel, with its level?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from voicepilot.bridge import host_messages

_LEVELS: Final = (
    (logging.ERROR, "error"),
    (logging.WARNING, "warning"),
    (logging.INFO, "info"),
)
_LONGEST: Final = 16_000


class _HostHandler(logging.Handler):
    def __init__(self, tell: Callable[[str, Mapping[str, object]], None]) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        level = next((word for least, word in _LEVELS if record.levelno >= least), "info")
        try:
            text = self.format(record)[:_LONGEST]
            self._tell(host_messages.LOG, {"level": level, "text": text})
        except Exception:
            self.handleError(record)


@contextmanager
def logging_to_host(tell: Callable[[str, Mapping[str, object]], None]) -> Iterator[None]:
    """Log to the host, and nowhere else, while this lasts: our own from INFO, others' from WARNING."""
    root, ours = logging.getLogger(), logging.getLogger("voicepilot")
    before, level = root.handlers[:], ours.level
    handler = _HostHandler(tell)
    root.handlers[:] = [handler]
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:] = before
        ours.setLevel(level)
