"""What can come out of the mind, and what comes back into it?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """Speak ``text``."""

    text: str


@dataclass(frozen=True, slots=True)
class UseTool:
    """Call the declared tool ``name``; ``arguments`` is JSON text, an object."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool called in this turn gave back, as the client sent it."""

    name: str
    output: str
