"""How does the page reach the realtime service?

One `RTCPeerConnection` with the microphone's track one way, the reply's track the other, and the data
channel `oai-events` for the protocol. The offer goes out at once, without waiting for ICE gathering: the
service's candidates come in the answer, and it learns ours from our connectivity checks.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from voicepilot.page import seam
from voicepilot.page.link_statistics import FIELDS
from voicepilot.page.microphone import Microphone
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.protocol.problems import problem

if TYPE_CHECKING:
    from voicepilot.page.seam import MediaStreamTrack

CHANNEL: Final = "oai-events"
_SAMPLE_SECONDS: Final = 1.0


class PeerOwner(Protocol):
    """Who is told what happens on a peer."""

    def channel_opened(self) -> None:
        """Events can be sent."""

    def received(self, text: str) -> None:
        """A text arrived on the data channel."""

    def channel_closed(self) -> None:
        """The service closed the data channel."""

    def link_changed(self, state: str) -> None:
        """`connectionState` is this now."""

    def reply_track(self, track: MediaStreamTrack) -> None:
        """The reply's track is there; it carries silence until the assistant speaks."""

    def sampled(self, entries: list[dict[str, Any]]) -> None:
        """Statistics of this second, as `link_statistics.Sampler.take` wants them."""


class Peer:
    """A peer connection of one attempt. Its scope closes it."""

    def __init__(self, scope: Scope, microphone: Microphone, owner: PeerOwner) -> None:
        self._scope = scope
        self._owner = owner
        self._connection = seam.peer_connection()
        scope.own(self._connection.close)
        self._sender = self._connection.addTrack(microphone.track, microphone.stream)
        self._channel = self._connection.createDataChannel(CHANNEL)
        scope.own(self._channel.close)
        # Listeners are owned after what they listen to, so they go first and hear nothing of our close.
        seam.listen(scope, self._channel, "open", lambda _event: owner.channel_opened())
        seam.listen(scope, self._channel, "message", lambda event: owner.received(event.data))
        seam.listen(scope, self._channel, "close", lambda _event: owner.channel_closed())
        seam.listen(scope, self._connection, "connectionstatechange", self._state_changed)
        seam.listen(scope, self._connection, "track", lambda event: owner.reply_track(event.track))

    async def offer(self) -> str:
        """Make the offer; returns its SDP."""
        # The browser makes the offer itself: one round of promises less than createOffer() before it.
        await self._connection.setLocalDescription()
        return self._connection.localDescription.sdp

    async def answer(self, sdp: str) -> None:
        """Take the service's answer. Raises `Trouble` where it is none."""
        try:
            await self._connection.setRemoteDescription(
                seam.options({"type": "answer", "sdp": sdp})
            )
        except seam.BrowserRefusal as refusal:
            raise Trouble(problem("bad-answer")) from refusal
        self._scope.start(self._sample(), "sampling the connection")

    def send(self, text: str) -> bool:
        """Send a text on the data channel; False where it is not open."""
        if self._channel.readyState != "open":
            return False
        self._channel.send(text)
        return True

    async def change_microphone(self, microphone: Microphone) -> None:
        """Send this microphone's sound from now on; nothing is negotiated anew."""
        await self._sender.replaceTrack(microphone.track)

    def _state_changed(self, _event: object) -> None:
        self._owner.link_changed(self._connection.connectionState)

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            report = await self._connection.getStats()
            entries: list[dict[str, Any]] = []
            for entry in report.values():
                kind = entry.type
                if kind in FIELDS:
                    read = {name: getattr(entry, name, None) for name in FIELDS[kind]}
                    entries.append({"type": kind, "id": entry.id, **read})
            self._owner.sampled(entries)
