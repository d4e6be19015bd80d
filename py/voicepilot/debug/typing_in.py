"""What is typed at the console: is it whole, what are its statements, and what was typed before?"""

from __future__ import annotations

import ast
import codeop
from collections import deque
from collections.abc import Sequence
from typing import Final

_MOST_LINES: Final = 500
_BLOCKS: Final = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.AsyncFor),
    *(ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match),
)


def is_whole(source: str) -> bool:
    """Whether pressing Enter after `source` should run it; else a new line is wanted.

    A block (`def`, `for`) is whole once an empty line follows it; what cannot become Python by going
    on is whole too: it runs and says what is wrong.
    """
    if not source.strip():
        return True
    try:
        statements = ast.parse(source, mode="exec")
    except SyntaxError:
        try:
            return codeop.compile_command(source, "<console>", "exec") is not None
        except (SyntaxError, ValueError, OverflowError):
            return True
    if not statements.body or not isinstance(statements.body[-1], _BLOCKS):
        return True
    return source.endswith("\n") or "\n" not in source.strip()


def statements_of(source: str) -> list[str]:
    """The top-level statements of `source`, each as a text that can be run by itself.

    What is no Python comes back as it is, so that running it tells what is wrong.
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return [source]
    if not body:
        return []
    lines = source.splitlines()
    starts = [_first_line(statement) - 1 for statement in body]
    if len(set(starts)) < len(starts):
        return [ast.unparse(statement) + "\n" for statement in body]  # several in one line
    ends = [*starts[1:], len(lines)]
    return ["\n".join(lines[start:end]) + "\n" for start, end in zip(starts, ends, strict=True)]


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def common_start(words: Sequence[str]) -> str:
    """What all of these begin with."""
    first, last = min(words), max(words)  # in order, the two that differ most
    for place, character in enumerate(first):
        if character != last[place]:
            return first[:place]
    return first


class History:
    """What was typed, newest last; `earlier` and `later` walk through it."""

    def __init__(self) -> None:
        self._typed: deque[str] = deque(maxlen=_MOST_LINES)
        self._back = 0
        self._draft = ""

    def add(self, source: str) -> None:
        """Remember an input; the same twice in a row counts once."""
        if source.strip() and (not self._typed or self._typed[-1] != source):
            self._typed.append(source)
        self._back, self._draft = 0, ""

    def earlier(self, now_there: str) -> str:
        """The input before the one that is shown; what is being typed is kept for the way back."""
        if self._back == 0:
            self._draft = now_there
        self._back = min(self._back + 1, len(self._typed))
        return self._shown(now_there)

    def later(self, now_there: str) -> str:
        """The input after the one that is shown, at last what was being typed."""
        if self._back == 0:
            return now_there
        self._back -= 1
        return self._shown(now_there)

    def _shown(self, now_there: str) -> str:
        if self._back == 0:
            return self._draft
        return self._typed[-self._back] if self._typed else now_there
