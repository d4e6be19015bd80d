"""Who mints the key that is kept ready, while nobody waits for it?

`KeptKeys` owns the one task that does. When it mints is decided by `session.key_lease`; how, by whom it
is given. Only what passes by itself is tried again unasked: where a person has to act, above all to sign
in, nothing more happens until one opens a page or presses Talk, so no window opens by itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from voicepilot.backend.failure import Failure
from voicepilot.protocol.dialects import Dialect
from voicepilot.session.key_lease import KeyLease, KeyPolicy

_log = logging.getLogger(__name__)

_PASSING: Final = frozenset(
    {
        "host-unknown",
        "proxy-refused",
        "service-busy",
        "service-failed",
        "service-slow",
        "service-throttled",
        "service-unreachable",
    }
)
"""Troubles of the network and the service that end without anybody's doing."""

C = TypeVar("C")
"""What a key is minted for: where, and with which configuration."""


@dataclass(frozen=True, slots=True)
class MintedKey:
    """An ephemeral key: good for one offer to `offer_url`.

    `expires_at` is the service's Unix time, None where it did not say; `life_s` counts from the minting.
    `region` is the preview's, "" in GA.
    """

    value: str = field(repr=False)
    offer_url: str
    dialect: Dialect
    expires_at: int | None
    life_s: float
    region: str = ""


class KeptKeys(Generic[C]):
    """An async context manager; inside it, `keep` has a key minted and replaced in time."""

    def __init__(
        self,
        mint: Callable[[C], Awaitable[MintedKey]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mint = mint
        self._clock = clock
        self._lease: KeyLease[C, MintedKey] = KeyLease()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> KeptKeys[C]:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def keep(self, policy: KeyPolicy, configuration: C) -> None:
        """Follow this policy from now on, for calls with this configuration."""
        self._lease.want(policy, configuration, self._clock())
        self._changed.set()

    def take(self, configuration: C) -> MintedKey | None:
        """Return the key that is kept for this configuration, if one is; it is kept no more."""
        key = self._lease.take(configuration, self._clock())
        self._changed.set()
        return key

    async def _keep(self) -> None:
        while True:
            self._changed.clear()
            due = self._lease.mint_at
            try:
                async with asyncio.timeout(None if due is None else due - self._clock()):
                    await self._changed.wait()
            except TimeoutError:
                await self._renew()

    async def _renew(self) -> None:
        wanted, asked_at = self._lease.wanted, self._clock()
        if wanted is None:
            return
        try:
            key = await self._mint(wanted)
        except Failure as failure:
            _log.warning("no key can be kept ready: %s", failure.problem.code)
            if failure.problem.code in _PASSING:
                self._lease.failed(wanted, self._clock())
            elif wanted == self._lease.wanted:
                self._lease.want(
                    "just-in-time", wanted, self._clock()
                )  # none until the next `keep`
        except Exception:
            _log.exception("no key can be kept ready")
            self._lease.failed(wanted, self._clock())
        else:
            self._lease.minted(wanted, key, key.life_s, asked_at)
