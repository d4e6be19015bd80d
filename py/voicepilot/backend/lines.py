"""Over what do frames of the bridge reach one page?

Over a WebSocket where the page came from the page server, over VS Code where it lies in a webview:
there the frames pass through the extension host, which cannot read them and need not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from aiohttp import WSMsgType, web


class Line(Protocol):
    """A connection to one page, until either end closes it."""

    def texts(self) -> AsyncIterator[str]:
        """The frames that come, until the connection ends."""

    async def send(self, text: str) -> None:
        """Send a frame. Raises ConnectionError where the page has left."""


class SocketLine:
    """A WebSocket that is connected already."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def texts(self) -> AsyncIterator[str]:
        """The frames that come, until the connection ends."""
        async for frame in self._socket:
            if frame.type is WSMsgType.TEXT:  # the bridge is text
                yield frame.data

    async def send(self, text: str) -> None:
        """Send a frame. Raises ConnectionError where the page has left."""
        await self._socket.send_str(text)


class HostedLine:
    """A page in a webview of VS Code; `pass_on` takes a frame to it."""

    def __init__(self, pass_on: Callable[[str], None]) -> None:
        self._pass_on = pass_on
        self._come: asyncio.Queue[str | None] = asyncio.Queue()
        self._closed = False

    def take(self, text: str) -> None:
        """A frame has come from the page."""
        if not self._closed:
            self._come.put_nowait(text)

    def close(self) -> None:
        """The page has left, or is to connect anew."""
        if not self._closed:
            self._closed = True
            self._come.put_nowait(None)

    async def texts(self) -> AsyncIterator[str]:
        """The frames that come, until the connection ends."""
        while (text := await self._come.get()) is not None:
            yield text

    async def send(self, text: str) -> None:
        """Send a frame. Raises ConnectionError where the page has left."""
        if self._closed:
            raise ConnectionResetError("the page has left")
        self._pass_on(text)
