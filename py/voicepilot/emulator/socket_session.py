"""Who owns what belongs to a session over WebSocket?

The session and its line. It lives from the handshake until the client closes it, the session expires
(1001) or the service ends; whatever ends it, :meth:`SocketSession.run` lets go of everything.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode

from voicepilot.emulator.delivery import Delivery
from voicepilot.emulator.hearing import Hearing
from voicepilot.emulator.session import Session

if TYPE_CHECKING:
    from voicepilot.emulator.configuration import Configuration
    from voicepilot.emulator.events import Event
    from voicepilot.emulator.line import Line
    from voicepilot.emulator.session import Means
    from voicepilot.emulator.tongue import Tongue


class SocketSession:
    """One session over one WebSocket."""

    def __init__(
        self, configuration: Configuration, tongue: Tongue, line: Line, *, means: Means
    ) -> None:
        self._configuration = configuration
        self._tongue = tongue
        self._line = line
        self._session = Session(
            configuration,
            means=means,
            outlet=Delivery(self._announce),
            send=self._send,
            hang_up=self._expire,
            sound_in_events=True,
        )

    async def run(self) -> None:
        """Hold the session until it is over."""
        try:
            # First of all, for no sound may be lost that the client appends.
            hearing = await asyncio.to_thread(Hearing, self._configuration.hearing())
            self._session.listen(hearing)
            self._session.open()
            await self._line.run(self._receive)
        finally:
            await asyncio.shield(self._session.close())

    def _receive(self, text: str) -> None:
        self._session.receive(text, self._tongue.read)

    def _send(self, event: Event) -> None:
        said = self._tongue.say(event)
        if said is not None:
            self._line.send(said)

    def _announce(self, event: Event) -> None:
        self._session.announce(event)

    def _expire(self) -> None:
        self._line.end(WSCloseCode.GOING_AWAY)
