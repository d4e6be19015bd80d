"""Which credentials do the settings ask for, and whose are they?

`auto` takes an API key where one is set, else the account that VS Code hands in, else whatever
azure-identity's default chain finds: variables, workload and managed identity, the command lines of Azure.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from voicepilot.backend.azure.api_key import Keyring, find_key
from voicepilot.backend.azure.credential import Credential, Credentials, FixedCredentials
from voicepilot.backend.azure.entra import EntraCredentials, TokenSource
from voicepilot.backend.azure.handed_token import HandedToken
from voicepilot.backend.azure.scopes import ScopeMemory
from voicepilot.backend.azure.sign_in_failures import SignIn, Way
from voicepilot.backend.azure.token_sources import Tell, token_source
from voicepilot.backend.failure import Failure
from voicepilot.settings import Settings

_BY_A_PERSON: Final = ("browser", "device-code", "host")
_UNASKED: Final = ("browser", "device-code")
"""Ways that open a window or show a code by themselves; VS Code does so only where a person waits."""

_KEYRING_SILENT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who lets us in, for showing: nothing in it is secret."""

    credential: str
    """The way, as the setting `credential` names it; never `auto`."""
    place: str = ""
    """Where a key comes from."""
    account: str = ""
    tenant: str = ""
    application: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it for a report."""
        return asdict(self)

    def __str__(self) -> str:
        """One line for a person."""
        if self.credential == "api-key":
            return f"the API key from {self.place}"
        tenant = f" of tenant {self.tenant}" if self.tenant else ""
        program = f", signed in with {self.application}" if self.application else ""
        return f"{self.account or 'an account without a name'}{tenant}{program}"


class ChosenCredentials:
    """The credentials that the settings ask for, and their owner."""

    def __init__(
        self, way: str, credentials: EntraCredentials | FixedCredentials, place: str = ""
    ) -> None:
        self.way: Final = way
        self._credentials: Credentials = credentials
        self._entra = credentials if isinstance(credentials, EntraCredentials) else None
        self._place = place

    async def credential(self, refused: Credential | None = None) -> Credential:
        """Return the header to send; see `Credentials`. Raises Failure."""
        return await self._credentials.credential(refused)

    async def describe(self) -> Identity:
        """Say who is let in by these, signing in where that is needed. Raises Failure."""
        if self._entra is None:
            return Identity(self.way, place=self._place)
        owner = await self._entra.owner()
        return Identity(
            self.way, account=owner.account, tenant=owner.tenant, application=owner.application
        )


@contextmanager
def _telling(tell: Tell, sentence: str) -> Iterator[None]:
    """Show the sentence if what is done meanwhile takes its time."""
    timer = asyncio.get_running_loop().call_later(_KEYRING_SILENT_S, tell, sentence)
    try:
        yield
    finally:
        timer.cancel()


@asynccontextmanager
async def credentials_for(
    settings: Settings,
    *,
    tell: Tell,
    host_token: HandedToken | None = None,
    host_key: str = "",
    variables: Mapping[str, str] = os.environ,
    keyring: Keyring | None = None,
    scopes: ScopeMemory | None = None,
    clock: Callable[[], float] = time.time,
    library: Mapping[str, Any] | None = None,
) -> AsyncIterator[ChosenCredentials]:
    """Have the credentials for the endpoint that is set. Nobody signs in before one is asked for.

    `tell` shows a sentence to the person who signs in; `host_token` and `host_key` are what VS Code hands
    in. `library` goes to azure-identity. With `auto`, a keyring that hangs is only one key less. Raises
    Failure where the settings cannot be met.
    """
    host = urlsplit(settings.endpoint).netloc
    way: Way
    match settings.credential:
        case "auto" | "api-key" as asked:
            try:
                with _telling(
                    tell, "Waiting for the system's keyring; it may want to be unlocked."
                ):
                    key = await find_key(host, variables, host_key, keyring)
            except Failure as failure:
                if asked == "api-key" or failure.problem.code != "keyring-slow":
                    raise
                tell(f"{failure.problem.says} Going on without a key from there.")
                key = None
            if key is not None:
                fixed = FixedCredentials(Credential.api_key(key.value))
                yield ChosenCredentials("api-key", fixed, key.place)
                return
            if asked == "api-key":
                raise Failure("key-missing", host=host or "the resource")
            way = "default" if host_token is None else "host"
        case asked:
            way = asked
    tried = SignIn(way, settings.tenant, settings.client_id)
    source: TokenSource | None = host_token if way == "host" else None
    source = source or token_source(tried, tell, library)
    async with EntraCredentials(
        source,
        tried,
        host,
        scopes or ScopeMemory.of_user(),
        limit_s=None if way in _BY_A_PERSON else 60.0,
        renews=way not in _UNASKED,
        clock=clock,
    ) as credentials:
        yield ChosenCredentials(way, credentials)
