"""Who owns what belongs to one call?

A call is a session and a peer, and lives from the offer until the page is gone, the client hangs up,
the session expires or the service ends. Whatever ends it, :meth:`Call.run` lets go of everything.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from voicepilot.emulator.hearing import Hearing
from voicepilot.emulator.ids import call_identifier
from voicepilot.emulator.peer import Peer
from voicepilot.emulator.session import Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from voicepilot.emulator.configuration import Configuration
    from voicepilot.emulator.ice_tcp import IceTcpFront
    from voicepilot.emulator.mind import Mind
    from voicepilot.emulator.models import Models

logger = logging.getLogger(__name__)


class Call:
    """One call. ``answer`` it, then ``run`` it in a task; ``hang_up`` ends that task."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        front: IceTcpFront,
        models: Callable[[], Awaitable[Models]],
        mind: Mind,
    ) -> None:
        self.id = call_identifier()
        self._configuration = configuration
        self._session = Session(
            configuration, send=self._send, hang_up=self.hang_up, models=models, mind=mind
        )
        self._peer = Peer(
            front,
            self._session.playout,
            on_samples=self._session.hear,
            on_open=self._session.open,
            on_text=self._session.receive,
        )

    async def answer(self, offer: str) -> str:
        """The answer to the page's offer.

        Raises:
            Refused: the offer cannot be used; the call is over then.
        """
        try:
            return await self._peer.answer(offer)
        except BaseException:
            await self._close()
            raise

    async def run(self) -> None:
        """Hold the call until it is over."""
        logger.info("Call %s: answered.", self.id)
        try:
            # The voice activity model takes 60 ms to load: in a thread, while the page connects.
            hearing = await asyncio.to_thread(Hearing, self._configuration.hearing())
            self._session.listen(hearing)
            await self._peer.over.wait()
        finally:
            await asyncio.shield(self._close())
            logger.info("Call %s: over.", self.id)

    def hang_up(self) -> None:
        """End the call."""
        self._peer.over.set()

    def _send(self, text: str) -> None:
        self._peer.send(text)

    async def _close(self) -> None:
        await self._session.close()
        await self._peer.close()
