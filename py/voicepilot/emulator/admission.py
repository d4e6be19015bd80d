"""Who may ask the service for something?

The standing key comes as ``api-key`` or as a bearer token, for WebSockets also as the query parameter
``api-key``: the only way that a browser has there. Ephemeral keys come as bearer tokens.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from voicepilot.emulator.errors import access_denied
from voicepilot.emulator.keys import PREFIX

if TYPE_CHECKING:
    from aiohttp import web


def bearer(request: web.Request) -> str:
    """The bearer token of a request, empty if it has none."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


def credential(request: web.Request) -> str:
    """The key that an HTTP request shows, empty if it shows none."""
    return request.headers.get("api-key", "") or bearer(request)


def socket_credential(request: web.Request) -> str:
    """The key that a WebSocket's handshake shows, empty if it shows none."""
    return credential(request) or request.query.get("api-key", "")


def is_ephemeral(shown: str) -> bool:
    """Whether it looks like an ephemeral key."""
    return shown.startswith(PREFIX)


class Admission:
    """Knows the standing key. Without one, any credential that is not empty is taken for it."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key

    def admits(self, request: web.Request) -> bool:
        """Whether an HTTP request shows the standing key."""
        return self.is_standing(credential(request))

    def is_standing(self, shown: str) -> bool:
        """Whether this is the standing key."""
        if self._api_key is None:
            return bool(shown)
        return secrets.compare_digest(shown.encode(), self._api_key.encode())

    def expect(self, shown: str) -> None:
        """Make sure that this is the standing key, and no ephemeral one.

        Raises:
            Refused: it is not.
        """
        if is_ephemeral(shown) or not self.is_standing(shown):
            raise access_denied()
