"""How does the service say no?

Over HTTP with a status and Azure's body ``{"error": {"code", "message"}}``; inside a call with an ``error``
event, after which the session goes on. Both are raised as exceptions and written down at one place
each: :mod:`voicepilot.emulator.service` and :mod:`voicepilot.emulator.session`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class Refused(Exception):  # noqa: N818 -- an answer of the protocol, not a fault of the program
    """An HTTP request is answered with an error status."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        param: str | None = None,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.code = code
        self.message = message
        self.param = param

    def body(self) -> dict[str, Any]:
        """The JSON body, as Azure writes it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


class Rejected(Exception):  # noqa: N818 -- an answer of the protocol, not a fault of the program
    """A client event or a configuration is not accepted, and has changed nothing.

    ``code`` is one of the service's codes, ``param`` the path of the field that is at fault.
    """

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param

    def error(self, event_id: str | None) -> dict[str, Any]:
        """The ``error`` object of the event that answers the client's event ``event_id``."""
        return {
            "type": "invalid_request_error",
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": event_id,
        }


def access_denied() -> Refused:
    """No key, or not this service's key."""
    return Refused(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. "
        "Make sure to provide a valid key for an active subscription.",
    )


def ephemeral_only() -> Refused:
    """``calls`` was asked with something else than an ephemeral key."""
    return Refused(401, "Unauthorized", "This operation requires ephemeral authentication.")


def key_expired() -> Refused:
    """The ephemeral key was good, and is not any more."""
    return Refused(
        401, "Unauthorized", "The ephemeral key is invalid or has expired. Mint a new one."
    )


def unreadable_offer(why: str) -> Refused:
    """The page's offer cannot be used."""
    return Refused(
        400, "invalid_offer", f"The SDP offer cannot be used: {why or 'it cannot be parsed'}."
    )


def not_found(what: str = "Resource") -> Refused:
    """There is nothing at this path."""
    return Refused(404, "404", f"{what} not found")
