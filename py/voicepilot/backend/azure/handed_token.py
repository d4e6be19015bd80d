"""How does a token come in that somebody else signed in for, such as VS Code's Microsoft account?

As a `TokenCredential` like those of azure-identity, so that everything that takes one takes this too.
Its owner signs in, renews and asks the person; here a token is only held until it nears its end, and the
owner is asked for another then. There is no refresh token and no password on this side.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Protocol

from azure.core.credentials import AccessToken

FRESH_S: Final = 300.0
"""A token is replaced this long before its end, in seconds: a request that it lets in may take a while."""


class Owner(Protocol):
    """Who signed in, and is asked for tokens."""

    async def __call__(self, scopes: tuple[str, ...], tenant: str) -> AccessToken:
        """Return a token for the scopes; `tenant` "" is the account's own. Raises Failure."""


class HandedToken:
    """Tokens that come from their owner."""

    def __init__(self, ask: Owner, clock: Callable[[], float] = time.time) -> None:
        """Take whom to ask, and a clock of seconds since 1970."""
        self._ask = ask
        self._clock = clock
        self._held: dict[tuple[tuple[str, ...], str], AccessToken] = {}

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """Return the token for these scopes. With `claims`, a held one is not good enough."""
        wanted = (scopes, tenant_id or "")
        token = self._held.get(wanted)
        if claims or token is None or token.expires_on - self._clock() < FRESH_S:
            self._held.pop(wanted, None)
            token = await self._ask(*wanted)
            self._held[wanted] = token
        return token

    async def close(self) -> None:
        """Forget every token."""
        self._held.clear()

    async def __aenter__(self) -> HandedToken:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
