"""How is what was typed run in the page's own Python? The only module here that imports `pyodide`.

Pyodide's console does what a terminal's does: the last expression's value, top-level `await`, tracebacks
that begin at the typed line. It runs in the interpreter that holds the call, so a long computation holds
the call up, as it would anywhere in that interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pyodide.console import Console, repr_shorten

from voicepilot.debug.typing_in import statements_of

_LONGEST_REPR: Final = 20_000


class Interpreter:
    """Runs sources in one namespace; `write(kind, text)` gets `output`, `result` and `error`."""

    def __init__(self, names: Mapping[str, object], write: Callable[[str, str], None]) -> None:
        self._write = write
        self._names: dict[str, Any] = {"__name__": "__console__", "__doc__": None, **names}
        self._console = Console(
            self._names,
            stdout_callback=lambda text: write("output", text),
            stderr_callback=lambda text: write("error", text),
        )

    async def run(self, source: str) -> None:
        """Run `source`, statement by statement; after an error the rest is left."""
        for statement in statements_of(source):
            running = self._console.runsource(statement)
            if running.syntax_check == "incomplete":
                self._write("error", "This goes on somewhere: a bracket or a block is open.")
                return
            try:
                value = await running
            except BaseException as error:  # SystemExit too: it must not end the page's Python
                self._write("error", (running.formatted_error or repr(error)).rstrip("\n"))
                return
            if value is not None:
                self._names["_"] = value
                self._write("result", repr_shorten(value, limit=_LONGEST_REPR))

    def completions(self, before: str) -> tuple[list[str], int]:
        """What the last word of `before` can become, and where that word begins."""
        found, start = self._console.complete(before)
        return sorted(set(found)), start
