"""Which functions has the model called that have not returned?

A call is announced twice, when its arguments are whole and with the response it belongs to; it runs once. An
output for a call that is not open (of an older attempt, or the second one) is dropped.
"""

from __future__ import annotations

import json
from typing import Final

from .conversation import Conversation, ToolUse

LONGEST_OUTPUT: Final = 200_000
"""Bytes of an output as JSON: over some 256 KiB in one message a data channel closes."""

_CUT: Final = "\n[The rest is left out: the output was too long.]"


def fitting(output: str) -> str:
    """Return the output, or as much of its beginning as fits into one message, with a note."""
    if 6 * len(output) <= LONGEST_OUTPUT:  # no character takes more
        return output
    length = len(output)
    while (size := _bytes(output[:length])) > LONGEST_OUTPUT:
        length = min(length - 1, length * LONGEST_OUTPUT // size)
    return output if length == len(output) else output[:length] + _CUT


def _bytes(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))


class ToolCalls:
    """The function calls of one attempt that run."""

    def __init__(self) -> None:
        self._running: set[str] = set()
        self._begun: set[str] = set()

    def begins(self, conversation: Conversation, call_id: str) -> ToolUse | None:
        """The call as it is to be run now; None where it is not whole, known, or has been run."""
        use = conversation.tool_use(call_id) if call_id else None
        if not isinstance(use, ToolUse) or not use.name or use.output is not None:
            return None
        if call_id in self._begun:
            return None
        self._begun.add(call_id)
        self._running.add(call_id)
        return use

    def ends(self, call_id: str) -> bool:
        """A function returned; whether its call was open."""
        if call_id not in self._running:
            return False
        self._running.discard(call_id)
        return True
