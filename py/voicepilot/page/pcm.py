"""How does sound get into events and out of them, where no track carries it?

An AudioContext of its own at the protocol's rate, with the worklet `webview/worklets/pcm.js` in it: one
node makes texts of the microphone's sound, one plays texts and tells how much of each sound was heard.
Samples never come to Python. Context and nodes are made for the first call that needs them and kept for the
page's life, like those of `sound`: Chromium keeps a worklet's node for as long as its context lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from voicepilot.page import seam
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.page.sound import Level, level_in
from voicepilot.protocol.problems import problem

if TYPE_CHECKING:
    from voicepilot.page.seam import AudioContext, AudioNode, AudioWorkletNode, MediaStream

RATE: Final = 24_000
"""Samples in a second, both ways; what the sessions are configured with."""


class PcmOwner(Protocol):
    """Who hears of the sound of one call."""

    def captured(self, audio: str) -> None:
        """The microphone's next frame, base64 of 16-bit samples: some fifty a second."""

    def played(self, item_id: str, content_index: int, milliseconds: float) -> None:
        """So much of this sound has been played, from its beginning."""

    def hear_reply(self, level: Level) -> None:
        """The reply is as loud as this."""


class PcmSound:
    """The page's means for sound in events. `worklet_url` and `meter_url` name the worklets."""

    def __init__(self, scope: Scope, worklet_url: str, meter_url: str) -> None:
        self._scope = scope
        self._urls = (worklet_url, meter_url)
        self._context: AudioContext | None = None
        self._capture: AudioWorkletNode | None = None
        self._player: AudioWorkletNode | None = None
        self._meter: AudioWorkletNode | None = None
        self._source: AudioNode | None = None

    async def open(self, scope: Scope, stream: MediaStream, owner: PcmOwner) -> None:
        """Capture `stream` and play for `owner` until `scope` ends. Raises `Trouble`."""
        capture, player, meter = await self._nodes()
        if scope.ended:
            return
        player.port.postMessage(seam.options({"flush": True}))
        scope.own(self._close)
        seam.listen(scope, capture.port, "message", lambda event: owner.captured(event.data))
        seam.listen(scope, player.port, "message", lambda event: _tell(owner, event.data))
        seam.listen(scope, meter.port, "message", lambda event: owner.hear_reply(level_in(event)))
        self.use(stream)

    def use(self, stream: MediaStream) -> None:
        """Capture this microphone's stream from now on. Raises `Trouble`."""
        if self._context is None or self._capture is None:
            raise RuntimeError("a stream is captured after opening only")
        try:
            source = self._context.createMediaStreamSource(stream)
        except seam.BrowserRefusal as refusal:  # it cannot change the microphone's rate
            raise Trouble(problem("browser-outdated")) from refusal
        source.connect(self._capture)
        if self._source is not None:
            self._source.disconnect()
        self._source = source

    def play(self, item_id: str, content_index: int, audio: str) -> None:
        """Play this piece after those before it."""
        if self._player is not None:
            piece = {"item": item_id, "index": content_index, "audio": audio}
            self._player.port.postMessage(seam.options(piece))

    def silence(self) -> None:
        """Play nothing more of what came so far."""
        if self._player is not None:
            self._player.port.postMessage(seam.options({"flush": True}))

    def unlock(self) -> None:
        """The person pressed a button: a context that the browser held back may run now."""
        if self._context is not None and self._source is not None:
            self._scope.start(self._wake(self._context), "waking the sound")

    async def _nodes(self) -> tuple[AudioWorkletNode, AudioWorkletNode, AudioWorkletNode]:
        if not seam.knows_base64():
            raise Trouble(problem("browser-outdated"))
        if self._context is None:
            self._context = seam.audio_context(RATE)
        context = self._context
        # Not awaited: a browser that holds sound back never answers.
        self._scope.start(self._wake(context), "waking the sound")
        if self._capture is None or self._player is None or self._meter is None:
            try:
                for url in self._urls:
                    await context.audioWorklet.addModule(url)
            except seam.BrowserRefusal as refusal:
                raise Trouble(problem("backend-unreachable")) from refusal
            self._capture = seam.worklet_node(context, "pcm-capture")
            self._player = seam.worklet_node(context, "pcm-player")
            self._meter = seam.worklet_node(context, "level-meter")
            for node in (self._capture, self._player, self._meter):
                node.port.start()
                node.connect(context.destination)  # a node that leads nowhere is not run
            self._player.connect(self._meter)
        return self._capture, self._player, self._meter

    def _close(self) -> None:
        self.silence()
        if self._source is not None:
            self._source.disconnect()
            self._source = None
        if self._context is not None:
            self._scope.start(self._suspend(self._context), "resting the sound")

    async def _wake(self, context: AudioContext) -> None:
        await context.resume()

    async def _suspend(self, context: AudioContext) -> None:
        await context.suspend()


def _tell(owner: PcmOwner, report: Any) -> None:
    owner.played(report.item, report.index, report.ms)
