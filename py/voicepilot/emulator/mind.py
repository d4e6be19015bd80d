"""What does the offline demo answer?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Say:
    """Speak ``text``."""

    text: str


@dataclass(frozen=True, slots=True)
class UseTool:
    """Call the declared tool ``name``; ``arguments`` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool called in this turn gave back, as the client sent it."""

    name: str
    output: str


class Mind:
    """Answers without a model, by a few plain skills."""

    def answer(
        self,
        *,
        said: str,
        tools: Sequence[Mapping[str, Any]],
        outcomes: Sequence[ToolOutcome] = (),
        instructions: str = "",
        now: datetime,
    ) -> Say | UseTool:
        """Answer what was said, or call a tool for it; with ``outcomes``, speak their result."""
        raise NotImplementedError
