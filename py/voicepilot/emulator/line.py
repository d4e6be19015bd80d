"""How do events get over a WebSocket?

They are put in line and written by a task, because the sessions that make them never wait. A client that does
not read is let go when too many of them wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicepilot.emulator.events import Event

logger = logging.getLogger(__name__)

LARGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message: the longest append, and what stands around it."""

_MOST_WAITING = 4096
_HEARTBEAT_S = 30.0


class Line:
    """One WebSocket, from our end. :meth:`run` it in the request's own task; :meth:`end` ends it politely."""

    def __init__(self) -> None:
        self._socket = web.WebSocketResponse(
            max_msg_size=LARGEST_MESSAGE, heartbeat=_HEARTBEAT_S, compress=False
        )
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._code = int(WSCloseCode.OK)
        self._ended = False

    def send(self, event: Event) -> None:
        """Put an event in line; nothing happens once the line has ended."""
        if self._ended:
            return
        if self._waiting.qsize() >= _MOST_WAITING:
            logger.info("A client does not read its events; its WebSocket is closed.")
            self.end(WSCloseCode.POLICY_VIOLATION)
            return
        self._waiting.put_nowait(json.dumps(event, ensure_ascii=False))

    def end(self, code: int = WSCloseCode.OK) -> None:
        """Close the WebSocket after what is in line."""
        if not self._ended:
            self._ended = True
            self._code = code
            self._waiting.put_nowait(None)

    async def open(self, request: web.Request) -> web.WebSocketResponse:
        """Take the request's connection for it; the handler returns what this returns."""
        await self._socket.prepare(request)
        return self._socket

    async def run(self, on_text: Callable[[str], None]) -> None:
        """Hold it until either end closes it."""
        writing = asyncio.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    on_text(message.data)
                elif message.type is WSMsgType.BINARY:
                    on_text(message.data.decode(errors="replace"))
        finally:
            self._ended = True
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self) -> None:
        while (text := await self._waiting.get()) is not None:
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                return  # the reading side hears of it too
        await self._socket.close(code=self._code)
