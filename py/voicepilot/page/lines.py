"""Over what does the page reach its backend?

- `ServerLine`: a WebSocket to the page server that the page came from. Before each opening the page asks
  `GET /session` whether it may: a refused WebSocket tells a page nothing about the reason. The one-time
  token of the printed address is spent first, once.
- `EditorLine`: messages to the editor that shows the page, which passes the frames on to the backend. Who
  may see the page there may use it, so nobody is asked.

Of the editor's messages `kind` says what they are: `connect` from the page, answered by `connected` when
there is a backend, and ended by `closed`; `frame`, with its `text`, goes both ways; `elsewhere` asks for
the page in a place where it may use the microphone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs

from voicepilot.page import seam
from voicepilot.page.scope import Scope

if TYPE_CHECKING:
    from voicepilot.page.seam import Editor

_SESSION: Final = "/session"
_BRIDGE: Final = "/bridge"


class Admission(Enum):
    """Whether the page may speak with the backend."""

    GRANTED = auto()
    REFUSED = auto()
    UNANSWERED = auto()


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears what becomes of a connection: that it is there, that it ended, each frame."""

    opened: Callable[[], None]
    closed: Callable[[], None]
    received: Callable[[str], None]


class Line(Protocol):
    """A way to the backend."""

    async def knock(self) -> Admission:
        """Ask whether the page may connect."""

    def connect(self, scope: Scope, hearing: Hearing) -> Callable[[str], None]:
        """Connect until `scope` ends; returns what sends a frame once the connection is there."""


class ServerLine:
    """To the page server, with the `fragment` of the page's address."""

    def __init__(self, fragment: str) -> None:
        self._token = parse_qs(fragment).get("token", [""])[0]

    async def knock(self) -> Admission:
        """Ask whether the page may connect."""
        status = await self._status()
        # Spent or wrong, either way it is of no more use; after an outage it may still be good.
        self._token = self._token if status == 0 else ""
        if status == HTTPStatus.NO_CONTENT:
            return Admission.GRANTED
        return Admission.REFUSED if status == HTTPStatus.FORBIDDEN else Admission.UNANSWERED

    def connect(self, scope: Scope, hearing: Hearing) -> Callable[[str], None]:
        """Connect until `scope` ends; returns what sends a frame once the connection is there."""
        socket = seam.web_socket(seam.socket_address(_BRIDGE))
        scope.own(socket.close)
        seam.listen(scope, socket, "open", lambda _event: hearing.opened())
        seam.listen(scope, socket, "close", lambda _event: hearing.closed())
        seam.listen(scope, socket, "message", lambda event: hearing.received(event.data))
        return socket.send

    async def _status(self) -> int:
        if self._token:
            status = await seam.request("POST", _SESSION, json.dumps({"token": self._token}))
            if status in (0, HTTPStatus.NO_CONTENT):
                return status
        # No token, or one that was spent before: then the cookie from that time may be good.
        return await seam.request("GET", _SESSION)


class EditorLine:
    """To the editor around the page."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    async def knock(self) -> Admission:
        """Nobody is asked."""
        return Admission.GRANTED

    def connect(self, scope: Scope, hearing: Hearing) -> Callable[[str], None]:
        """Connect until `scope` ends; returns what sends a frame once the connection is there."""

        def heard(event: Any) -> None:
            match getattr(event.data, "kind", None):
                case "connected":
                    hearing.opened()
                case "closed":
                    hearing.closed()
                case "frame":
                    hearing.received(event.data.text)

        seam.listen_to_window(scope, "message", heard)
        self._post("connect", talks=seam.microphone_allowed_here())
        return lambda text: self._post("frame", text=text)

    def open_elsewhere(self) -> None:
        """Ask the editor for the page in a place where it may use the microphone."""
        self._post("elsewhere")

    def _post(self, kind: str, **fields: Any) -> None:
        self._editor.postMessage(seam.options({"kind": kind, **fields}))
