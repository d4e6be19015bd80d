"""Where the service is, and what the tests share about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEY = "standing-key-of-the-tests"


@dataclass(frozen=True, slots=True)
class Service:
    """The embedded service, listening."""

    base: str
    """Its address without a path."""

    @property
    def openai_base(self) -> str:
        """What public clients call the base URL."""
        return f"{self.base}/v1"


def words(text: str) -> list[str]:
    """The words of a sentence, numbers as words where a recogniser may write either."""
    spelled = text.lower().replace("7", "seven").replace("8", "eight")
    return re.findall(r"[a-z']+", spelled)
