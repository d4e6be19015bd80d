"""Who may talk to the page server? Only the browser that was given the printed address.

Three checks, each for an attack of its own:

- *Host* must be the server's own loopback name. A page elsewhere that makes its DNS name resolve to
  127.0.0.1 (DNS rebinding) sends its own name here.
- *Origin*, where the browser sends one, must be the origin of that Host. A page elsewhere cannot
  change its Origin.
- The *bridge* needs a cookie, and the cookie is given once, for the one-time token in the fragment
  of the printed address. Fragments are not sent and not logged; other users of this computer can
  reach the port but know neither secret.
"""

from __future__ import annotations

import secrets
from collections import deque
from typing import Final

_SECRET_BYTES: Final = 32

MOST_UNSPENT: Final = 4
"""Tokens that may be on their way to a browser at once; a new one makes the oldest worthless."""


class Door:
    """The secrets and the names of one server on `port`. A token opens once, the cookie always.

    `token` is the newest. A `cookie` that is given was let in by a door before this one.
    """

    def __init__(self, port: int, cookie: str = "") -> None:
        self._unspent: deque[str] = deque(maxlen=MOST_UNSPENT)
        self.token = self.new_token()
        self.cookie: Final = cookie or secrets.token_urlsafe(_SECRET_BYTES)
        # Cookies do not tell ports apart (RFC 6265, section 8.5), so the name does.
        self.cookie_name: Final = f"voicepilot-{port}"
        self.hosts: Final = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._opened = bool(cookie)

    def new_token(self) -> str:
        """Make a one-time token for one more browser."""
        self.token = secrets.token_urlsafe(_SECRET_BYTES)
        self._unspent.append(self.token)
        return self.token

    def knows_host(self, host: str | None) -> bool:
        """Whether a Host header names this server."""
        return host is not None and host.lower() in self.hosts

    def knows_origin(self, origin: str | None, host: str) -> bool:
        """Whether an Origin header is the origin of the page served under `host`."""
        return origin is not None and origin.lower() == origin_of(host)

    def spend(self, token: str) -> bool:
        """Take a one-time token; True the first time that it is right, False ever after."""
        for unspent in tuple(self._unspent):
            if secrets.compare_digest(_bytes(token), _bytes(unspent)):
                self._unspent.remove(unspent)
                self._opened = True
                return True
        return False

    def admits(self, cookie: str | None) -> bool:
        """Whether this is the cookie that the token was exchanged for."""
        return (
            self._opened
            and cookie is not None
            and secrets.compare_digest(_bytes(cookie), _bytes(self.cookie))
        )


def origin_of(host: str) -> str:
    """The origin of a page that is served under this Host header."""
    return f"http://{host.lower()}"


def _bytes(secret: str) -> bytes:
    # JSON may bring lone surrogates, which plain UTF-8 refuses to encode.
    return secret.encode("utf-8", "surrogatepass")
