"""Which ephemeral keys are good, until when, and for which session?

A key is good for opening calls from its minting until its expiry; a call that is open outlives it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicepilot.emulator.errors import ephemeral_only, key_expired
from voicepilot.emulator.tongue import GA

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicepilot.emulator.configuration import Configuration
    from voicepilot.emulator.scenarios import Faults
    from voicepilot.emulator.tongue import Tongue

PREFIX = "ek_"
DEFAULT_LIFETIME_S = 7200
"""What Azure gives when the request does not say; recorded 2026-07."""

PREVIEW_LIFETIME_S = 60
"""How long a key of the preview protocol is good, as its documentation says; nobody is asked."""


@dataclass(frozen=True, slots=True)
class EphemeralKey:
    """One minted key. ``expires_at`` is Unix time in whole seconds."""

    value: str
    expires_at: int
    configuration: Configuration
    tongue: Tongue


class Keys:
    """The keys that were minted and have not expired.

    Args:
        clock: gives Unix time in seconds.
        faults: whether keys are to be taken for expired.
    """

    def __init__(self, clock: Callable[[], float], faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._keys: dict[str, EphemeralKey] = {}

    def mint(
        self, configuration: Configuration, lifetime_s: int, tongue: Tongue = GA
    ) -> EphemeralKey:
        """A new key for sessions with this configuration, in this dialect."""
        now = self._clock()
        self._keys = {value: key for value, key in self._keys.items() if key.expires_at > now}
        value = f"{PREFIX}{secrets.token_hex(16)}"
        key = EphemeralKey(value, int(now) + lifetime_s, configuration, tongue)
        self._keys[key.value] = key
        return key

    def redeem(self, credential: str, tongue: Tongue = GA) -> EphemeralKey:
        """The key that was shown, where this dialect is spoken.

        Raises:
            Refused: it is not an ephemeral key, none of ours, minted for the other dialect, or has expired.
        """
        if not credential.startswith(PREFIX):
            raise ephemeral_only()
        key = self._keys.get(credential)
        if key is None or key.tongue is not tongue or self._clock() >= key.expires_at:
            raise key_expired()
        if "key-expired" in self._faults:
            raise key_expired()
        return key
