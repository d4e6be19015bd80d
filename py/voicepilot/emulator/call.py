"""Who owns what belongs to one call?

A call is a session and a peer, and lives from the offer until the page is gone, the client hangs up,
the session expires or the service ends. Whatever ends it, :meth:`Call.run` lets go of everything, and the
sidebands that listen in (:mod:`.sockets`) are closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING

from voicepilot.emulator.echo import Echo
from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.garbage import Garbler
from voicepilot.emulator.hearing import Hearing
from voicepilot.emulator.ids import call_identifier
from voicepilot.emulator.peer import Peer
from voicepilot.emulator.playout import Playout
from voicepilot.emulator.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from voicepilot.emulator.configuration import Configuration
    from voicepilot.emulator.events import Event
    from voicepilot.emulator.ice_tcp import IceTcpFront
    from voicepilot.emulator.line import Line
    from voicepilot.emulator.reply import Reply
    from voicepilot.emulator.session import Means
    from voicepilot.emulator.tongue import Tongue

logger = logging.getLogger(__name__)


FOR_FILTERED_PAGES = frozenset(
    {
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.added",
        "conversation.item.created",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
    }
)
"""What the page is sent where the call was opened with ``webrtcfilter=on``, as documented."""

_NOT_FOR_SIDEBANDS = frozenset({"input_audio_buffer.append", "input_audio_buffer.commit"})


class Call:
    """One call. ``answer`` it, then ``run`` it in a task; ``hang_up`` ends that task.

    Args:
        configuration: as minted with the key.
        tongue: the page's dialect; sidebands speak GA.
        filtered: whether the page is sent :data:`FOR_FILTERED_PAGES` only.
        front: where TCP connections arrive.
        means: what the session is held with.
    """

    def __init__(
        self,
        configuration: Configuration,
        tongue: Tongue,
        *,
        filtered: bool,
        front: IceTcpFront,
        means: Means,
    ) -> None:
        self.id = call_identifier()
        self._configuration = configuration
        self._tongue = tongue
        self._filtered = filtered
        self._sidebands: set[Line] = set()
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
            yield self._receive_from_sideband
        finally:
            self._sidebands.discard(line)

    def _receive(self, text: str) -> None:
        self._session.receive(text, self._tongue.read)

    def _receive_from_sideband(self, text: str) -> None:
        self._session.receive(text, _without_audio)

    def _send(self, event: Event) -> None:
        for line in self._sidebands:
            line.send(event)
        if self._filtered and event["type"] not in FOR_FILTERED_PAGES:
            return
        said = self._tongue.say(event)
        if said is not None:
            self._send_to_page(json.dumps(said, ensure_ascii=False))

    def _send_to_page(self, text: str) -> None:
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
        self._peer.faults_changed()

    async def _close(self) -> None:
        self._unwatch()
        self._garbler.close()
        for line in self._sidebands:
            line.end()
        await self._session.close()
        await self._peer.close()


def _without_audio(event: Event) -> Event:
    if event.get("type") in _NOT_FOR_SIDEBANDS:
        raise Rejected(
            "invalid_value",
            f"{event['type']} is not supported on a sideband connection: the call brings the audio.",
            "type",
        )
    return event
