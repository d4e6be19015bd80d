"""What do the service's identifiers look like?

Like the real service's: a prefix and 21 characters of base 62, of which the first five tell the second
of creation, counted from 2019-12-20. Clients treat them as opaque; people who read logs see at a glance
which things were made together.
"""

from __future__ import annotations

import secrets
import string
import time

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_EPOCH = 1_576_800_000
_TIME_DIGITS = 5
_RANDOM_DIGITS = 16


def identifier(prefix: str, seconds: float | None = None) -> str:
    """A new identifier such as ``item_E6jskSLJZmjKRlS2RvB2X``; ``seconds`` is Unix time, by default now."""
    remaining = max(int(time.time() if seconds is None else seconds) - _EPOCH, 0)
    moment = ""
    for _ in range(_TIME_DIGITS):
        remaining, digit = divmod(remaining, len(_DIGITS))
        moment = _DIGITS[digit] + moment
    return f"{prefix}_{moment}{noise(_RANDOM_DIGITS)}"


def noise(length: int) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def call_identifier() -> str:
    """A WebRTC call's identifier, the last part of the ``Location`` of its answer."""
    return f"rtc_{secrets.token_hex(16)}"
