"""Which ephemeral key does the next call use, and when is another one minted?

A key is only good for opening a call; the running call outlives it. Two policies:

- *just-in-time*: none is kept. A key is minted when a call is opened.
- *standby*: one is kept ready, so that opening a call costs one request and not two. It is used once, and
  replaced at 5/6 of its life (a key of one minute after 50 seconds) or as soon as it is used. A key has the
  configuration of its session in it, so a kept one serves only calls that want exactly that.

How long a key lives is the difference of two times of the service: `expires_at` in its reply and the
`Date` of that reply. Our own clock may be wrong by hours without doing harm. A life that is not told, or
cannot be, is taken for the shortest that is known, one minute.

`now` is a float in seconds on a monotonic clock. Such a clock may stand still while the computer sleeps; a
key that expired meanwhile is then refused, and whoever uses it mints anew, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeAlias, TypeVar

KeyPolicy: TypeAlias = Literal["just-in-time", "standby"]

SHORTEST_LIFE_S: Final = 60.0
"""A key of the preview protocol, by its documentation."""

LONGEST_LIFE_S: Final = 7200.0
"""The most that can be asked for, and what Azure gives without being asked (recorded 2026-07)."""

RENEW_AT: Final = 5 / 6
"""The part of a key's life after which it is replaced."""

_LEAST_LIFE_S: Final = 10.0  # the least that can be asked for
_ROUNDING_S: Final = 2.0  # both times are in whole seconds, and a second may pass between them
_FIRST_REST_S: Final = 5.0
_LONGEST_REST_S: Final = 300.0

C = TypeVar("C")
K = TypeVar("K")


def life(expires_at: float | None, service_time: float | None) -> float:
    """Return how many seconds a key lives from its minting.

    Both are the service's, in Unix seconds: when the key expires, and when the service answered.
    """
    if expires_at is None or service_time is None:
        return SHORTEST_LIFE_S
    told = expires_at - service_time
    return told if _LEAST_LIFE_S <= told <= LONGEST_LIFE_S + _ROUNDING_S else SHORTEST_LIFE_S


@dataclass(frozen=True, slots=True)
class _Kept(Generic[K]):
    key: K
    renew_at: float
    ends_at: float


class KeyLease(Generic[C, K]):
    """The key that is kept ready, if one is, and when to mint the next.

    `C` is a configuration, compared for equality; `K` is what a key is.
    """

    def __init__(self) -> None:
        self._wanted: C | None = None
        self._kept: _Kept[K] | None = None
        self._rest_until = 0.0
        self._failures = 0

    def want(self, policy: KeyPolicy, configuration: C, now: float) -> None:
        """Follow this policy from now on, for calls with this configuration.

        Nothing changes where a key for it is wanted already.
        """
        wanted = configuration if policy == "standby" else None
        if wanted != self._wanted:
            self._wanted, self._kept = wanted, None
            self._rest_until, self._failures = now, 0

    @property
    def wanted(self) -> C | None:
        """The configuration that keys are kept for, None for none."""
        return self._wanted

    @property
    def mint_at(self) -> float | None:
        """When to mint the next key to keep, None for never."""
        if self._wanted is None:
            return None
        due = self._kept.renew_at if self._kept is not None else self._rest_until
        return max(due, self._rest_until)

    def take(self, configuration: C, now: float) -> K | None:
        """Return the key that is kept for this configuration and good; it is kept no more."""
        kept = self._kept
        if kept is None or configuration != self._wanted:
            return None
        self._kept = None
        self._rest_until = max(self._rest_until, now)
        return kept.key if now < kept.ends_at else None

    def minted(self, configuration: C, key: K, life_s: float, now: float) -> None:
        """A key to keep was asked for at `now` and lives for `life_s` seconds from then.

        One that came too late, for a configuration that is wanted no more, is not kept.
        """
        if configuration == self._wanted:
            self._kept = _Kept(key, now + life_s * RENEW_AT, now + life_s)
            self._failures = 0

    def failed(self, configuration: C, now: float) -> None:
        """A key for this configuration could not be had: rest for a while, longer each time."""
        if configuration != self._wanted:
            return
        rest = min(_LONGEST_REST_S, _FIRST_REST_S * 2.0 ** min(self._failures, 10))
        self._rest_until = now + rest
        self._failures += 1
