"""The part of `pyodide.console` (Pyodide 314) that the debugging page touches."""

from asyncio import Future
from collections.abc import Callable
from typing import Any, Literal

class ConsoleFuture(Future[Any]):
    syntax_check: Literal["incomplete", "syntax-error", "complete"]
    formatted_error: str | None

class Console:
    def __init__(
        self,
        globals: dict[str, Any] | None = None,
        *,
        stdout_callback: Callable[[str], None] | None = None,
        stderr_callback: Callable[[str], None] | None = None,
    ) -> None: ...
    def runsource(self, source: str, filename: str = ...) -> ConsoleFuture: ...
    def complete(self, source: str) -> tuple[list[str], int]: ...

def repr_shorten(value: Any, limit: int = 1000) -> str: ...
