"""How does the page reach the realtime service where WebRTC does not get through?

Over a WebSocket to its own server, which passes frames on to the service (`bridge.call_socket`). Events go
over it as over a data channel; sound goes in events, too (`pcm`). The microphone's frames are not shown to
the core: it has no use for them, and there are fifty a second.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from voicepilot.bridge.call_socket import CALL_PATH, TRIED_WEBRTC, SocketOpened, read_greeting
from voicepilot.bridge.messages import MessageError
from voicepilot.page import seam
from voicepilot.page.link_statistics import WEBSOCKET, LinkStatistics
from voicepilot.page.microphone import Microphone
from voicepilot.page.pcm import PcmSound
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.page.sound import Level
from voicepilot.protocol.client_events import AppendAudio
from voicepilot.protocol.problems import Problem, problem

if TYPE_CHECKING:
    from voicepilot.page.seam import MessageEvent

_APPEND: Final = (f'{{"type":"{AppendAudio.TYPE}","audio":"', '"}')
_SAMPLE_SECONDS: Final = 1.0
_MOST_WAITING: Final = 512_000
"""Bytes that the network may owe us, some 8 s of sound; frames beyond are dropped, not queued."""


class SocketOwner(Protocol):
    """Who is told what happens on a call's socket."""

    def socket_opened(self, opened: SocketOpened) -> None:
        """The service is there; events can be sent."""

    def socket_refused(self, why: Problem) -> None:
        """There is no call."""

    def socket_closed(self) -> None:
        """The backend closed the socket."""

    def received(self, text: str) -> None:
        """An event came."""

    def played(self, item_id: str, content_index: int, milliseconds: float) -> None:
        """So much of this sound has been played."""

    def hear_reply(self, level: Level) -> None:
        """The reply is as loud as this."""

    def measured(self, statistics: LinkStatistics) -> None:
        """Statistics of this second came."""


class CallSocket:
    """The WebSocket of one attempt, and its sound (`pcm.PcmOwner`). Its scope closes both.

    `tried_webrtc`: the attempt began over WebRTC and got no connection.
    """

    def __init__(
        self,
        scope: Scope,
        microphone: Microphone,
        pcm: PcmSound,
        owner: SocketOwner,
        *,
        tried_webrtc: bool,
    ) -> None:
        self._scope = scope
        self._microphone = microphone
        self._pcm = pcm
        self._owner = owner
        self._greeted = False
        self._sent = self._received = 0
        query = f"?{TRIED_WEBRTC}=1" if tried_webrtc else ""
        self._socket = seam.web_socket(seam.socket_address(CALL_PATH + query))
        scope.own(self._socket.close)
        seam.listen(scope, self._socket, "message", self._take)
        seam.listen(scope, self._socket, "close", lambda _event: owner.socket_closed())

    def send(self, text: str) -> bool:
        """Send an event; False where the service is not there yet or no longer."""
        if not self._greeted or self._socket.readyState != seam.SOCKET_OPEN:
            return False
        self._socket.send(text)
        self._sent += len(text)
        return True

    async def change_microphone(self, microphone: Microphone) -> None:
        """Send this microphone's sound from now on. Raises `Trouble`."""
        self._microphone = microphone
        if self._greeted:
            self._pcm.use(microphone.stream)

    def play(self, item_id: str, content_index: int, audio: str) -> None:
        """Play this piece of the reply after those before it."""
        self._pcm.play(item_id, content_index, audio)

    def silence(self) -> None:
        """Play nothing more of the reply that came so far."""
        self._pcm.silence()

    # ---- pcm.PcmOwner

    def captured(self, audio: str) -> None:
        """A frame of the microphone's sound: send it."""
        if self._socket.bufferedAmount < _MOST_WAITING:
            self.send(_APPEND[0] + audio + _APPEND[1])

    def played(self, item_id: str, content_index: int, milliseconds: float) -> None:
        """So much of this sound has been played."""
        self._owner.played(item_id, content_index, milliseconds)

    def hear_reply(self, level: Level) -> None:
        """The reply is as loud as this."""
        self._owner.hear_reply(level)

    # ---- inside

    def _take(self, event: MessageEvent) -> None:
        text: str = event.data
        if self._greeted:
            self._received += len(text)
            self._owner.received(text)
            return
        try:
            greeting = read_greeting(text)
        except MessageError as error:
            greeting = problem("internal", detail=str(error))
        if isinstance(greeting, Problem):
            self._owner.socket_refused(greeting)
            return
        self._greeted = True
        self._owner.socket_opened(greeting)
        self._scope.start(self._sound(), "the sound of a call over WebSocket")

    async def _sound(self) -> None:
        try:
            await self._pcm.open(self._scope, self._microphone.stream, self)
        except Trouble as trouble:
            self._owner.socket_refused(trouble.problem)
            return
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            self._measure()

    def _measure(self) -> None:
        bits = 8 / 1000 / _SAMPLE_SECONDS
        rates = LinkStatistics(
            received_rate=self._received * bits, sent_rate=self._sent * bits, transport=WEBSOCKET
        )
        self._sent = self._received = 0
        self._owner.measured(rates)
