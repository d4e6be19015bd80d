"""How does a token of VS Code's Microsoft account come into the backend?

The extension host is asked over standard input and output; it has the account, renews its tokens and asks
the person. Only where a person waits (for a call, for `Sign In`) may it ask; a page that is merely being
got ready must not open a sign-in window.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from voicepilot.backend.azure.token_claims import token_end
from voicepilot.backend.failure import Failure
from voicepilot.backend.host_link import HostError
from voicepilot.bridge.host_messages import TOKEN_GET, TokenGiven, TokenWish

T = TypeVar("T")

_UNREADABLE_LASTS_S: Final = 600
"""A token whose end cannot be read is asked for again after about half of this."""


class Asks(Protocol):
    """The connection with the extension host."""

    async def ask(self, method: str, params: Mapping[str, object]) -> object:
        """Ask the host; its answer. Raises HostError."""


class HostAccount:
    """The owner of handed tokens (`handed_token.Owner`)."""

    def __init__(self, host: Asks, clock: Callable[[], float] = time.time) -> None:
        self._host = host
        self._clock = clock
        self._waiting = 0
        self._asked_visibly = 0

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """A person waits meanwhile for what needs a token."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def for_a_person(self, deed: Callable[[], Awaitable[T]]) -> T:
        """Do what a person waits for. Raises what `deed` raises.

        It may have joined a silent question whose answer was already on its way: nobody was asked then, so
        it is done once more.
        """
        asked_before = self._asked_visibly
        with self.awaited():
            try:
                return await deed()
            except Failure as failure:
                nobody_asked = self._asked_visibly == asked_before
                if failure.problem.code != "host-signed-out" or not nobody_asked:
                    raise
            return await deed()

    async def __call__(self, scopes: tuple[str, ...], tenant: str) -> AccessToken:
        """Return a token for the scopes. Raises Failure, and ClientAuthenticationError as others do."""
        visible = self._waiting > 0
        token = await self._ask(TokenWish(scopes, tenant, visible))
        if not token and not visible and self._waiting > 0:  # somebody has come to wait for it
            token = await self._ask(TokenWish(scopes, tenant, visible=True))
        if not token:
            raise Failure("host-signed-out")
        end = token_end(token) or int(self._clock()) + _UNREADABLE_LASTS_S
        return AccessToken(token, end)

    async def _ask(self, wish: TokenWish) -> str:
        self._asked_visibly += wish.visible
        try:
            answer = await self._host.ask(TOKEN_GET, wish.to_params())
        except HostError as error:
            raise ClientAuthenticationError(str(error)) from None
        return TokenGiven.from_params(answer).token
