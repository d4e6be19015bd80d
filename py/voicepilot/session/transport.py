"""Which way does a call take: WebRTC, or the backend's WebSocket where WebRTC does not get through?

Rules
- `webrtc` and `websocket` are taken at their word; there is no second way.
- `auto` begins with WebRTC. A sound connection that is not there `PATIENCE_SECONDS` after the service's
  answer, or that fails before it was there, is given up, and the same attempt goes on over WebSocket. Only
  that: a service that refuses the call would refuse it on either way.
- `fallback` is `auto` where WebRTC is known not to get through the network: WebSocket from the start, and the
  person is told why.

Media that get through are there within a second; a browser itself gives up after 15.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, TypeAlias, get_args

Preference: TypeAlias = Literal["auto", "webrtc", "websocket", "fallback"]
PREFERENCES: Final[tuple[Preference, ...]] = get_args(Preference)

PATIENCE_SECONDS: Final = 4.0
"""How long `auto` waits for WebRTC's sound connection."""


class Way(StrEnum):
    """What carries a call's sound and events."""

    WEBRTC = "webrtc"
    WEBSOCKET = "websocket"


def check_preference(name: str) -> Preference:
    """Return `name` if it is a preference; raise ValueError with the known ones otherwise."""
    for known in PREFERENCES:
        if name == known:
            return known
    raise ValueError(f"{name!r} is no transport; known are {', '.join(PREFERENCES)}")


class Transport:
    """The way that the present attempt takes."""

    def __init__(self, preference: Preference = "webrtc") -> None:
        self.preference: Preference = preference
        self.way = Way.WEBRTC
        self._next: Preference = preference

    def prefer(self, preference: Preference) -> None:
        """Begin later attempts so; the present one goes on as it is."""
        self._next = preference

    def begin(self) -> Way:
        """Choose the way for a new attempt."""
        self.preference = self._next
        direct = self.preference in ("websocket", "fallback")
        self.way = Way.WEBSOCKET if direct else Way.WEBRTC
        return self.way

    @property
    def patience(self) -> float | None:
        """How many seconds WebRTC's sound connection may take; None leaves it at the usual limit."""
        return PATIENCE_SECONDS if self.may_fall_back else None

    @property
    def may_fall_back(self) -> bool:
        """Whether this attempt can still go over to WebSocket."""
        return self.preference == "auto" and self.way is Way.WEBRTC

    @property
    def fell_back(self) -> bool:
        """Whether WebSocket is used because WebRTC does not get through, not because it was chosen."""
        return self.way is Way.WEBSOCKET and self.preference != "websocket"

    def fall_back(self) -> None:
        """Go on over WebSocket. Raises ValueError where there is no second way."""
        if not self.may_fall_back:
            raise ValueError(f"{self.preference} has no second way")
        self.way = Way.WEBSOCKET
