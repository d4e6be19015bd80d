"""What signs in, by the way that is chosen? azure-identity's credentials, made as we need them.

The browser and the device code exist for threads only; they get one of their own. Libraries on the way log
what other programs print and what services answer; they are kept silent, since our own log says what
happened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

import azure.identity
import azure.identity.aio
from azure.core.credentials import AccessToken

from voicepilot.backend.azure.entra import TokenSource
from voicepilot.backend.azure.own_thread import in_own_thread
from voicepilot.backend.azure.sign_in_failures import SignIn
from voicepilot.backend.failure import Failure

Tell: TypeAlias = Callable[[str], None]
"""Shows a sentence to the person who signs in, in the event loop's thread."""

_LOGGERS: Final = ("azure", "msal", "msal_extensions")
_NOWHERE: Final = logging.NullHandler()
_PROGRAM_S: Final = 20
"""How long `az` may take, in seconds: its first start on a slow machine takes more than ten."""


def token_source(
    tried: SignIn, tell: Tell, library: Mapping[str, Any] | None = None
) -> TokenSource:
    """Make what signs in; the way `host` is not among it. Raises Failure.

    `library` goes to azure-identity: another authority, certificates to trust.
    """
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False  # whatever the level of those below it
        logger.addHandler(_NOWHERE)  # it is there once, however often it is added
    try:
        return _made(tried, tell, dict(library or {}))
    except (ValueError, OSError) as error:  # variables that contradict each other, a missing file
        reason = str(error).partition("\n")[0].rstrip(". ")
    if tried.way == "workload-identity":
        raise Failure("workload-identity-missing", remark="")
    raise Failure("sign-in-misconfigured", detail=f"{reason}.")


def _made(tried: SignIn, tell: Tell, library: dict[str, Any]) -> TokenSource:
    tenant, client = tried.tenant, tried.client_id
    named: dict[str, Any] = {"client_id": client} if client else {}
    match tried.way:
        case "default":
            if tenant:
                library |= {
                    "workload_identity_tenant_id": tenant,
                    "additionally_allowed_tenants": [tenant],
                }
            if client:
                library["managed_identity_client_id"] = client
            return azure.identity.aio.DefaultAzureCredential(
                # The one is Windows' and superseded, the other needs a package of Microsoft's that is
                # not installed; both only lengthen what is said when nobody is signed in.
                exclude_shared_token_cache_credential=True,
                exclude_visual_studio_code_credential=True,
                process_timeout=_PROGRAM_S,
                **library,
            )
        case "managed-identity":
            return azure.identity.aio.ManagedIdentityCredential(**named, **library)
        case "workload-identity":
            return azure.identity.aio.WorkloadIdentityCredential(
                **({"tenant_id": tenant} if tenant else {}), **named, **library
            )
        case "browser":
            if tenant:
                library["tenant_id"] = tenant
            return _Threaded(azure.identity.InteractiveBrowserCredential(**named, **library))
        case "device-code":
            if tenant:
                library["tenant_id"] = tenant
            prompt = _prompt(tell)
            return _Threaded(
                azure.identity.DeviceCodeCredential(prompt_callback=prompt, **named, **library)
            )
        case "host":
            raise Failure("host-token-missing")


def _prompt(tell: Tell) -> Callable[[str, str, datetime], None]:
    """Pass the device code from the thread that got it to the person."""
    loop = asyncio.get_running_loop()

    def show(address: str, code: str, _: datetime) -> None:
        sentence = f"To sign in, open {address} in any browser and enter the code {code}."
        loop.call_soon_threadsafe(tell, sentence)

    return show


class _Blocking(Protocol):
    def get_token(self, *scopes: str, tenant_id: str | None = None) -> AccessToken: ...

    def close(self) -> None: ...


class _Threaded:
    """A credential for threads, as one for the event loop."""

    def __init__(self, blocking: _Blocking) -> None:
        self._blocking = blocking

    async def get_token(self, *scopes: str, tenant_id: str | None = None) -> AccessToken:
        return await in_own_thread(
            "sign-in", lambda: self._blocking.get_token(*scopes, tenant_id=tenant_id)
        )

    async def close(self) -> None:
        self._blocking.close()
