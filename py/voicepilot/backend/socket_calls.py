"""Which way does a page's call begin, and who holds it where it goes over WebSocket?

The setting `transport` says so; with `auto` also what was seen of this network within the last day. A call
that tried WebRTC in vain and got through over WebSocket is what is remembered.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from voicepilot.backend.azure.calls import Calls
from voicepilot.backend.azure.socket_relay import SocketService, relay_call
from voicepilot.backend.failure import Failure
from voicepilot.backend.network_memory import NetworkMemory
from voicepilot.bridge.call_socket import refused
from voicepilot.bridge.messages import AUTO, FALLBACK
from voicepilot.protocol.session_config import SessionConfig


class SocketCalls:
    """Holds calls over WebSocket at the service of `calls`.

    `transport` and `session` are asked each time, since settings change. Without a `memory` every call of
    `auto` tries WebRTC first.
    """

    def __init__(
        self,
        calls: Calls,
        transport: Callable[[], str],
        session: Callable[[], SessionConfig],
        memory: NetworkMemory | None = None,
    ) -> None:
        self._calls = calls
        self._transport = transport
        self._session = session
        self._memory = memory

    @property
    def begins_with(self) -> str:
        """What a call from here begins with now (`bridge.messages.TRANSPORTS`)."""
        transport = self._transport()
        if transport == AUTO and self._memory is not None and self._memory.needs_fallback():
            return FALLBACK
        return transport

    async def serve(self, page: web.WebSocketResponse, tried_webrtc: bool) -> None:
        """Hold the call of a page that has opened `/call`, until it ends."""

        def opened() -> str:
            if tried_webrtc and self._memory is not None:
                self._memory.fell_back()
            return self.begins_with

        try:
            target, session = await self._calls.target(), self._session()
        except Failure as failure:
            await page.send_str(refused(failure.problem))
            return
        known = self._calls.speaks(target)
        dialect = known if known == "preview" else target.dialect
        service = SocketService(target.base, target.credentials, dialect)
        await relay_call(page, service, session, opened)
