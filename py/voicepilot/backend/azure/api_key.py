"""Where does an API key come from, and where is one kept?

From whoever hands it in, from `AZURE_OPENAI_API_KEY`, or from the system's keyring under the service
`voicepilot`, one for each host; in this order. Never from a file: one in a workspace ends in a repository.
A key is never shown, also not in part. A keyring may ask its user to unlock it, and blocks meanwhile: it
runs in its own thread and has limited time. A system without a keyring is nothing unusual when a key is
looked for, and a problem only when one shall be kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from voicepilot.backend.azure.own_thread import in_own_thread
from voicepilot.backend.failure import Failure

_log = logging.getLogger(__name__)

VARIABLE: Final = "AZURE_OPENAI_API_KEY"
_SERVICE: Final = "voicepilot"
_LONGEST_KEY: Final = 512

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and where it comes from."""

    value: str = field(repr=False)
    place: Literal["the host", "the environment", "the keyring", "the input"]

    @classmethod
    def read(
        cls, text: str, place: Literal["the host", "the environment", "the keyring", "the input"]
    ) -> ApiKey:
        """Take what was copied from somewhere. Raises Failure for what no key looks like.

        What ends up in a header must be one word of ASCII. Quotes around it are a shell's, not the key's.
        """
        value = text.strip().strip("\"'")
        fits = value.isascii() and value.isprintable() and " " not in value
        if not fits or not 0 < len(value) <= _LONGEST_KEY:
            raise Failure("key-malformed", place=place)
        return cls(value, place)


class Keyring:
    """The system's keyring, one key for each host. `limit_s` is how long it may take, in seconds."""

    def __init__(self, limit_s: float = 20.0) -> None:
        self._limit_s = limit_s

    async def get(self, host: str) -> ApiKey | None:
        """Return the key for this host, None where there is none or no keyring. Raises Failure."""

        def read() -> str | None:
            import keyring  # it looks for its backends; most people never need them

            return keyring.get_password(_SERVICE, host)

        try:
            found = await self._limited(read)
        except Failure:
            raise
        except Exception as error:  # each backend has its own; none is a reason not to sign in
            _log.info("no keyring: %s", type(error).__name__)
            return None
        return ApiKey.read(found, "the keyring") if found else None

    async def set(self, host: str, key: ApiKey) -> None:
        """Keep the key for this host. Raises Failure."""

        def write() -> bool:
            import keyring

            keyring.set_password(_SERVICE, host, key.value)
            # Some backends take everything and keep nothing.
            return keyring.get_password(_SERVICE, host) == key.value

        if not await self._changed(write):
            raise Failure("keyring-missing", remark="")

    async def delete(self, host: str) -> bool:
        """Forget the key for this host; returns whether there was one. Raises Failure."""

        def remove() -> bool:
            import keyring

            if keyring.get_password(_SERVICE, host) is None:
                return False
            keyring.delete_password(_SERVICE, host)
            return True

        return await self._changed(remove)

    async def _changed(self, function: Callable[[], bool]) -> bool:
        """Run what needs a keyring. Raises Failure where there is none."""
        try:
            return await self._limited(function)
        except (Failure, ModuleNotFoundError):
            raise
        except Exception as error:
            trouble = type(error).__name__
        raise Failure("keyring-missing", remark=f"({trouble})")

    async def _limited(self, function: Callable[[], T]) -> T:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limit_s):
                return await in_own_thread("keyring", function)
        raise Failure("keyring-slow", seconds=round(self._limit_s))


async def find_key(
    host: str,
    environment: Mapping[str, str],
    handed: str = "",
    keyring: Keyring | None = None,
) -> ApiKey | None:
    """Find the key for the resource at `host`. Raises Failure for one that cannot be a key."""
    if handed:
        return ApiKey.read(handed, "the host")
    if environment.get(VARIABLE, "").strip():
        return ApiKey.read(environment[VARIABLE], "the environment")
    return await (keyring or Keyring()).get(host)
