"""What stands at our end of a WebRTC call?

A peer answers one offer with everything in it (no trickle), gives out what the microphone hears as
samples, sends what a :class:`~.playout.Playout` has to be heard, and passes texts over the data channel,
whatever its label. It ends when the page hangs up, when the page has vanished (no sign of life for 30 s),
or when nobody connects; :attr:`Peer.over` tells.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError

from voicepilot.emulator.candidates import (
    as_the_service_answers,
    offer_loopback,
    without_hidden,
)
from voicepilot.emulator.dropout import Dropout
from voicepilot.emulator.ear import Ear
from voicepilot.emulator.errors import unreadable_offer
from voicepilot.emulator.jitter import JitterTap
from voicepilot.emulator.link_gate import LinkGate

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from aioice import Connection
    from aiortc import RTCDataChannel
    from numpy.typing import NDArray

    from voicepilot.emulator.ice_tcp import IceTcpFront
    from voicepilot.emulator.playout import Playout
    from voicepilot.emulator.scenarios import Faults

logger = logging.getLogger(__name__)

CONNECT_WITHIN_S = 30.0
"""A call whose page never connects is given up after this time."""

_CAPABILITIES = RTCRtpReceiver.getCapabilities("audio")
_OPUS = [c for c in (_CAPABILITIES.codecs if _CAPABILITIES else ()) if c.mimeType == "audio/opus"]


class Peer:
    """One call's end of the peer connection.

    Args:
        front: where TCP connections of this call arrive.
        playout: the sound for the page.
        on_samples: called with what the microphone heard: 16 kHz mono float32.
        on_open: called when the data channel is open.
        on_text: called with each text from it.
        faults: what is to go wrong with the link and the channel.
    """

    def __init__(
        self,
        front: IceTcpFront,
        playout: Playout,
        on_samples: Callable[[NDArray[np.float32]], None],
        on_open: Callable[[], None],
        on_text: Callable[[str], None],
        faults: Faults,
    ) -> None:
        self.over = asyncio.Event()
        """Set when the page is gone or was never there."""
        self._front = front
        self._playout = playout
        self._on_open = on_open
        self._on_text = on_text
        self._channel: RTCDataChannel | None = None
        self._faults = faults
        self._gate = LinkGate(faults)
        self._ice: list[Connection] = []
        self._dropout = Dropout(on_samples)
        self._ear = Ear(self._dropout.hear)
        self._tap = JitterTap(self._ear.hear)
        # No STUN server: both ends are on this machine or in its network.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._pc.on("datachannel", self._channel_came)
        self._pc.on("connectionstatechange", self._state_changed)
        self._patience: asyncio.TimerHandle | None = None

    async def answer(self, offer: str) -> str:
        """The answer to the page's offer, with all our candidates.

        Raises:
            Refused: the offer cannot be read, or lacks audio or a data channel.
        """
        transceiver = self._pc.addTransceiver(self._playout, "sendrecv")
        transceiver.setCodecPreferences(_OPUS)
        try:
            await self._pc.setRemoteDescription(
                RTCSessionDescription(without_hidden(offer), "offer")
            )
        except Exception as error:
            # aiortc's parser lets out whatever it stumbles over: ValueError, IndexError, KeyError, ...
            raise unreadable_offer(str(error)) from error
        if transceiver.mid is None:
            raise unreadable_offer("it has no audio section")
        if self._pc.sctp is None:
            raise unreadable_offer("it has no data channel; create one before the offer")
        self._tap.install(transceiver.receiver)
        for transport in {transceiver.receiver.transport, self._pc.sctp.transport}:
            connection = transport.transport.iceGatherer._connection
            offer_loopback(connection)
            self._front.register(connection, self._gate)
            self._ice.append(connection)
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        for connection in self._ice:
            for protocol in connection._protocols:
                self._gate.guard(protocol, "udp")
        self._patience = asyncio.get_running_loop().call_later(CONNECT_WITHIN_S, self._unconnected)
        return as_the_service_answers(self._pc.localDescription.sdp, self._front.addresses)

    def send(self, text: str) -> None:
        """Send a text to the page; nothing happens where the channel is not open.

        What is longer than the page said that it takes is not sent; a sideband has it all the same.
        """
        if self._channel is not None and self._channel.readyState == "open":
            try:
                self._channel.send(text)
            except (InvalidStateError, ConnectionError):
                self.over.set()
            except ValueError:
                logger.info("An event of %d characters is too long for the page.", len(text))

    def faults_changed(self) -> None:
        """Another scenario is on than before."""
        if "close-channel" in self._faults and self._channel is not None:
            self._channel.close()

    async def close(self) -> None:
        """Hang up and let go of everything."""
        self.over.set()
        if self._patience is not None:
            self._patience.cancel()
        self._tap.close()
        self._dropout.close()
        for connection in self._ice:
            self._front.forget(connection)
        self._playout.stop()
        await self._pc.close()

    def _channel_came(self, channel: RTCDataChannel) -> None:
        if self._channel is not None:
            return
        self._channel = channel
        channel.on("message", self._message_came)
        channel.on("close", self.over.set)
        self._on_open()
        self.faults_changed()

    def _message_came(self, message: str | bytes) -> None:
        self._on_text(message if isinstance(message, str) else message.decode(errors="replace"))

    def _state_changed(self) -> None:
        state = self._pc.connectionState
        if state == "connected" and self._patience is not None:
            self._patience.cancel()
        if state in ("failed", "closed"):
            self.over.set()

    def _unconnected(self) -> None:
        if self._pc.connectionState != "connected":
            logger.info("Nobody connected to the call within %.0f s.", CONNECT_WITHIN_S)
            self.over.set()
