"""Who owns what belongs to one call?

A call is a session and a peer, and lives from the offer until the page is gone, the client hangs up,
the session expires or the service ends. Whatever ends it, :meth:`Call.run` lets go of everything.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from voicepilot.emulator.echo import Echo
from voicepilot.emulator.garbage import Garbler
from voicepilot.emulator.hearing import Hearing
from voicepilot.emulator.ids import call_identifier
from voicepilot.emulator.peer import Peer
from voicepilot.emulator.playout import Playout
from voicepilot.emulator.session import Session

if TYPE_CHECKING:
    from voicepilot.emulator.configuration import Configuration
    from voicepilot.emulator.events import Event
    from voicepilot.emulator.ice_tcp import IceTcpFront
    from voicepilot.emulator.reply import Reply
    from voicepilot.emulator.session import Means

logger = logging.getLogger(__name__)


class Call:
    """One call. ``answer`` it, then ``run`` it in a task; ``hang_up`` ends that task."""

    def __init__(self, configuration: Configuration, *, front: IceTcpFront, means: Means) -> None:
        self.id = call_identifier()
        self._configuration = configuration
        playout = Playout(self._sound_started, self._sound_stopped)
        self._session = Session(
            configuration, means=means, outlet=playout, send=self._send, hang_up=self.hang_up
        )
        hear = self._session.hear
        if "echo" in means.faults:
            hear = Echo(playout.open("echo", "echo")).hear
        self._peer = Peer(
            front,
            playout,
            on_samples=hear,
            on_open=self._session.open,
            on_text=self._receive,
            faults=means.faults,
        )
        self._faults = means.faults
        self._garbler = Garbler(self._peer.send)
        self._unwatch = means.faults.watch(self._faults_changed)

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

    def _receive(self, text: str) -> None:
        self._session.receive(text, lambda event: event)

    def _send(self, event: Event) -> None:
        text = json.dumps(event, ensure_ascii=False)
        if "garbage-events" in self._faults:
            self._garbler.send(text)
        else:
            self._peer.send(text)

    def _sound_started(self, reply: Reply) -> None:
        self._session.sound_started(reply)

    def _sound_stopped(self, reply: Reply) -> None:
        self._session.sound_stopped(reply)

    def _faults_changed(self) -> None:
        self._garbler.flush()
        self._session.faults_changed()
        self._peer.faults_changed()

    async def _close(self) -> None:
        self._unwatch()
        self._garbler.close()
        await self._session.close()
        await self._peer.close()
