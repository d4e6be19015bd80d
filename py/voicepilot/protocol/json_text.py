"""How is JSON from outside parsed where Python itself must survive it?

``json.loads`` recurses. CPython raises RecursionError in time; in Pyodide the stack of the JavaScript
engine is exhausted first, after some 3000 to 8000 levels, which ends the interpreter and so the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

DEEPEST: Final = 500
"""Levels of arrays and objects that are parsed. Real events have fewer than twenty."""

_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def parse_json(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the value in ``text``, as `json.loads` does.

    Raises ``ValueError`` for what is not JSON, not UTF-8, or nested more than `DEEPEST` levels.
    """
    text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    if _is_too_deep(text):
        raise ValueError("nested too deeply")
    return json.loads(text, parse_constant=parse_constant)


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif found[0] in "]}":
            depth -= 1
    return False
