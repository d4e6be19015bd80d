"""Who owns what belongs to a call that is played from a recording?

A peer and a player in the place of a peer and a session; for the rest it is like :mod:`.call`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from voicepilot.emulator.call import FOR_FILTERED_PAGES
from voicepilot.emulator.ids import call_identifier
from voicepilot.emulator.peer import Peer
from voicepilot.emulator.playout import Playout
from voicepilot.emulator.recording import Player, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from voicepilot.emulator.events import Event
    from voicepilot.emulator.ice_tcp import IceTcpFront
    from voicepilot.emulator.line import Line
    from voicepilot.emulator.scenarios import Faults
    from voicepilot.session.recording import RecordedEvent


class RecordedCall:
    """One call over WebRTC. ``answer`` it, then ``run`` it in a task; ``hang_up`` ends that task.

    Args:
        events: what is played.
        filtered: whether the page is sent less, as in a call.
        front: where TCP connections arrive.
        faults: what is to go wrong with the link.
    """

    def __init__(
        self,
        events: Sequence[RecordedEvent],
        *,
        filtered: bool,
        front: IceTcpFront,
        faults: Faults,
    ) -> None:
        self.id = call_identifier()
        self._filtered = filtered
        self._sidebands: set[Line] = set()
        self._open = asyncio.Event()
        self._player = Player(events, self._send)
        self._peer = Peer(
            front,
            Playout(_nothing, _nothing),
            on_samples=_nothing,
            on_open=self._open.set,
            on_text=self._player.receive,
            faults=faults,
        )
        self._unwatch = faults.watch(self._peer.faults_changed)

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
        """Play as soon as the page is there, and hold the call until it is over."""
        playing = asyncio.create_task(self._play())
        try:
            await self._peer.over.wait()
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            await asyncio.shield(self._close())

    @property
    def over(self) -> bool:
        """Whether it has ended, though not everything of it may be gone."""
        return self._peer.over.is_set()

    def hang_up(self) -> None:
        """End the call."""
        self._peer.over.set()

    @contextlib.contextmanager
    def sideband(self, line: Line) -> Iterator[Callable[[str], None]]:
        """Tell this line everything that happens; gives what takes its texts."""
        self._sidebands.add(line)
        if self.over:
            line.end()
        try:
            yield self._player.receive
        finally:
            self._sidebands.discard(line)

    async def _play(self) -> None:
        await self._open.wait()
        await self._player.run()

    def _send(self, event: Event) -> None:
        for line in self._sidebands:
            line.send(event)
        if not self._filtered or event["type"] in FOR_FILTERED_PAGES:
            self._peer.send(as_text(event))

    async def _close(self) -> None:
        self._unwatch()
        for line in self._sidebands:
            line.end()
        await self._peer.close()


async def play_over(line: Line, events: Sequence[RecordedEvent]) -> None:
    """Play a recorded call over a WebSocket, and hold it until either end closes it."""
    player = Player(events, line.send)
    playing = asyncio.create_task(player.run())
    try:
        await line.run(player.receive)
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


def _nothing(_: object) -> None:
    pass
