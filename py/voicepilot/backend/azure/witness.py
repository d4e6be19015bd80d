"""Who watches the requests to the service and their answers, and what do they see?

Everything, credentials included: a witness must leave out what nobody may read (`session.recording`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it. Times are monotonic seconds; `path` has the query too.

    `status` is None where no answer came; `trouble` then names the reason.
    """

    method: str
    path: str
    asked_at: float
    answered_at: float
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int | None = None
    reply_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    reply: bytes = field(default=b"", repr=False)
    trouble: str = ""


class Witness(Protocol):
    """Sees every request. Must not raise."""

    def exchanged(self, exchange: Exchange) -> None:
        """A request was answered, or found no answer."""
