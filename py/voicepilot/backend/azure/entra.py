"""How is a Microsoft Entra token fetched, kept, and replaced when the service does not take it?

azure-identity signs in; what is here is in front of it:

- One token is kept until five minutes before its end, then renewed, without being asked where no person can
  be needed for it. Until it nears its end the old one goes on to be given, so no call waits for that.
- While a token is fetched, everybody who asks waits for the same sign-in; who gives up does not end it for
  the others.
- A token is for one audience, its *scope*. `scopes.ScopeMemory` says which to try first. When the service
  answers 401, the token for the other scope is tried, once; when it does not take that one either, the
  sign-in is refused, and the next request begins anew.
- A tenant that does not know the first audience is asked for the second.
- Who asks waits for a while only: a person may have to act in a browser first, and reads that meanwhile.
  The sign-in goes on, and the next request finds its token.
- A renewal that fails, or takes long, while the old token still has time leaves that one in use.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from azure.core.credentials import AccessToken

from voicepilot.backend.azure.credential import Credential
from voicepilot.backend.azure.handed_token import FRESH_S
from voicepilot.backend.azure.scopes import SCOPES, ScopeMemory, other_scope
from voicepilot.backend.azure.sign_in_failures import SignIn, sign_in_failure
from voicepilot.backend.azure.token_claims import TokenOwner, token_owner
from voicepilot.backend.failure import Failure

_log = logging.getLogger(__name__)

_ENOUGH_S: Final = 60.0
"""A token with so much time left opens a call, with all its tries."""


class TokenSource(Protocol):
    """What signs in: azure-identity's asynchronous credentials, a handed token."""

    async def get_token(self, *scopes: str, tenant_id: str | None = None) -> AccessToken:
        """Return a token, from its own cache or by signing in."""

    async def close(self) -> None:
        """Give up connections."""


class EntraCredentials:
    """The tokens for the service at one host. An async context manager that owns its source."""

    def __init__(
        self,
        source: TokenSource,
        tried: SignIn,
        host: str,
        scopes: ScopeMemory,
        *,
        limit_s: float | None = 60.0,
        patience_s: float = 8.0,
        renews: bool = False,
        look_every_s: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what signs in, and how, for telling it.

        `limit_s` is the longest a sign-in may take, in seconds, None where a person has to act;
        `patience_s` how long a request waits for it. With `renews` a token is renewed unasked; its age is
        looked at every `look_every_s`, since timers stand still in sleep. `clock` gives seconds since 1970.
        """
        self._source = source
        self._tried = tried
        self._host: Final = host
        self._scopes = scopes
        self._limit_s = limit_s
        self._patience_s = patience_s
        self._clock = clock
        self._held: _Held | None = None
        self._refused: set[str] = set()
        """Scopes whose tokens the service did not take since the last plain sign-in."""
        self._signing_in: asyncio.Task[_Held] | None = None
        self._renews = renews
        self._look_every_s = look_every_s
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in (self._renewing, self._signing_in):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        self._held = None
        await self._source.close()

    async def credential(self, refused: Credential | None = None) -> Credential:
        """Return the header to send; see `Credentials`. Raises Failure."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                return (await self._usable(refused)).credential
        held = self._held
        if held is not None and held.credential != refused and held.expires_on > self._clock():
            return held.credential
        raise Failure("sign-in-pending", deed=self._tried.deed)

    async def owner(self) -> TokenOwner:
        """Say who is signed in, once somebody is. Raises Failure."""
        return (await self._usable(None)).owner

    async def _usable(self, refused: Credential | None) -> _Held:
        held = self._held
        if held is not None and refused == held.credential:
            return await self._replaced(held)
        # A refusal of a token that was replaced meanwhile is answered by the one that is held now.
        left_s = held.expires_on - self._clock() if held is not None else 0.0
        if held is not None and left_s >= FRESH_S:
            return held
        if self._signing_in is None:
            self._refused.clear()
        if held is not None and left_s >= _ENOUGH_S:
            self._begin_to_sign_in()
            return held
        try:
            return await self._signed_in()
        except Failure as failure:
            if held is None or held.expires_on <= self._clock():
                raise
            _log.warning("the token in use is still valid after %s", failure.problem.code)
            return held

    async def _replaced(self, held: _Held) -> _Held:
        """Try the other scope after the service refused this token, once."""
        other = other_scope(held.scope)
        self._refused.add(held.scope)
        self._held = None
        if other not in self._refused:
            self._scopes.remember(self._host, other)
            try:
                return await self._signed_in()
            except Failure as failure:
                if failure.problem.code != "audience-unknown":
                    raise
        self._refused.clear()
        self._scopes.remember(self._host, SCOPES[0])
        raise Failure("token-refused", detail=f"(status 401, {held.owner})")

    async def _signed_in(self) -> _Held:
        """Wait for the sign-in that is under way, or begin one."""
        return await asyncio.shield(self._begin_to_sign_in())

    def _begin_to_sign_in(self) -> asyncio.Task[_Held]:
        if self._signing_in is None:
            self._signing_in = asyncio.create_task(self._sign_in(), name="sign-in")
            self._signing_in.add_done_callback(self._ended)
        return self._signing_in

    async def _renew_in_time(self) -> None:
        """Renew the token that is held, again and again, until that fails."""
        with contextlib.suppress(Failure):
            while self._held is not None:
                await asyncio.sleep(self._look_every_s)
                await self._usable(None)

    def _ended(self, task: asyncio.Task[_Held]) -> None:
        self._signing_in = None
        if not task.cancelled():
            task.exception()  # seen, also where everybody who waited has gone

    async def _sign_in(self) -> _Held:
        scope = self._scopes.scope(self._host)
        outcome = await self._fetch(scope)
        if isinstance(outcome, Failure) and outcome.problem.code == "audience-unknown":
            other = other_scope(scope)
            if other not in self._refused:
                outcome = await self._fetch(other)
                if isinstance(outcome, _Held):
                    self._scopes.remember(self._host, other)
        if isinstance(outcome, Failure):
            raise outcome
        self._held = outcome
        if self._renews and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._renew_in_time(), name="renewing a token")
        return outcome

    async def _fetch(self, scope: str) -> _Held | Failure:
        """The token, or why there is none.

        A failure is returned, not raised: the library's exception, which holds the request with its
        secrets, must not become the context of what others see.
        """
        try:
            async with asyncio.timeout(self._limit_s):
                token = await self._source.get_token(scope, tenant_id=self._tried.tenant or None)
            return _Held(scope, Credential.bearer(token.token), token.expires_on)
        except Exception as error:
            failure = sign_in_failure(error, self._tried)
            _log.warning("no token: %s (%s)", failure.problem.code, type(error).__name__)
            return failure


@dataclass(frozen=True, slots=True)
class _Held:
    """A token for one scope, until `expires_on` in seconds since 1970."""

    scope: str
    credential: Credential
    expires_on: int

    @property
    def owner(self) -> TokenOwner:
        return token_owner(self.credential.value.removeprefix("Bearer "))
