"""What lets us in: the header that a request to the service carries, and where it comes from.

A `Credential` is one header. A `Credentials` is a source of them: a key stays the same, an Entra
token is fetched, kept and replaced. Who sends a request asks the source each time, and tells it when
the service refused what it gave.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from voicepilot.backend.failure import Failure


@dataclass(frozen=True, slots=True)
class Credential:
    """A standing credential as one HTTP header. Its value never shows in a repr, log or message."""

    header: str
    value: str = field(repr=False)

    @classmethod
    def api_key(cls, key: str) -> Credential:
        """A resource's key, as Azure takes it."""
        return cls("api-key", key)

    @classmethod
    def bearer(cls, token: str) -> Credential:
        """A Microsoft Entra access token."""
        return cls("Authorization", f"Bearer {token}")


class Credentials(Protocol):
    """A source of credentials for one service."""

    async def credential(self, refused: Credential | None = None) -> Credential:
        """Return the header to send.

        `refused` is what the service has just answered 401 to: another one is given where there is
        another to try. Raises Failure where there is none.
        """


class FixedCredentials:
    """Always the same credential: a key, or whatever the embedded service takes."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def credential(self, refused: Credential | None = None) -> Credential:
        """Return it; once the service refused it there is nothing else to try. Raises Failure."""
        if refused is not None:
            raise Failure("key-refused", detail="(status 401)")
        return self._credential
