"""How does a conversation read when it is kept as a Markdown document?

What was said, cut to what was heard, and which tools ran. Words of a person or a model are text, never
markup: what Markdown would take for some is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .conversation import Conversation, Status, ToolUse, Turn

_SPEAKERS: Final = {"user": "You", "assistant": "Assistant", "system": "System"}
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~&!])|^([-+=]|\d+[.)])", re.MULTILINE)


def markdown(conversation: Conversation) -> str:
    """Write it down; "" where nothing was said."""
    parts = [part for entry in conversation.entries for part in _entry(entry)]
    return "\n\n".join(["# Conversation", *parts]) + "\n" if parts else ""


def _entry(entry: Turn | ToolUse) -> Iterator[str]:
    if isinstance(entry, ToolUse):
        yield f"*The assistant used {_plain(entry.name)}.*"
        return
    words = entry.text
    if not words:
        return
    mark = " *(interrupted)*" if entry.status is Status.INTERRUPTED else ""
    yield f"**{_SPEAKERS.get(entry.role, entry.role)}:** {_plain(words.strip())}{mark}"


def _plain(words: str) -> str:
    return _MARKUP.sub(_escaped, words)


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    # `1.` begins a list; `1\.` does not.
    return f"{text[:-1]}\\{text[-1]}"
