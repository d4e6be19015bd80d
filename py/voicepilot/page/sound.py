"""How does the page sound, and how loud are the two sides?

One AudioContext and one audio element, made in the first press of Talk (a browser gives sound only to
pages that were touched) and kept for the page's life: making them anew for each call leaks devices.

The reply is silenced in two places at once, its track and the element, because either alone leaves up
to a buffer of it sounding.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from voicepilot.page import seam
from voicepilot.page.refusals import AUTOPLAY_REFUSED
from voicepilot.page.scope import Scope

if TYPE_CHECKING:
    from voicepilot.page.seam import (
        AudioContext,
        AudioWorkletNode,
        HTMLAudioElement,
        MediaStream,
        MediaStreamTrack,
    )


@dataclass(frozen=True, slots=True)
class Level:
    """What a meter hears. `rms` is 1 at full scale, `silence` seconds of exact zeros up to now.

    `began` is true in the one reading that is made because sound began after a pause.
    """

    rms: float
    silence: float
    began: bool


_log = logging.getLogger(__name__)

Hear: TypeAlias = Callable[[Level], None]


def level_in(event: seam.MessageEvent) -> Level:
    """What the worklet `level-meter` has posted."""
    reading: Any = event.data
    return Level(reading.rms, reading.silence, reading.began)


class Sound:
    """The page's loudspeaker and its meters. `blocked(bool)` tells when the browser withholds sound."""

    def __init__(self, scope: Scope, meter_url: str, blocked: Callable[[bool], None]) -> None:
        self._scope = scope
        self._meter_url = meter_url
        self._blocked = blocked
        self._context: AudioContext | None = None
        self._audio: HTMLAudioElement | None = None
        self._meters_ready = False
        # Used again and again: Chromium keeps a worklet's node for as long as its context lives.
        self._idle_meters: list[AudioWorkletNode] = []
        self._reply: MediaStreamTrack | None = None

    def unlock(self) -> None:
        """Make or wake context and element; call this while a press of a button is handled."""
        if self._context is None:
            self._context = seam.audio_context()
            self._audio = seam.new_audio()
        self._scope.start(self._wake(self._context), "waking the sound")

    def play(self, scope: Scope, track: MediaStreamTrack, hear: Hear) -> None:
        """Let this remote track sound and be metered until `scope` ends."""
        if self._audio is None:
            raise RuntimeError("sound is unlocked before anything plays")
        self._reply = track
        stream = seam.stream_of([track])
        self._audio.muted = False
        self._audio.srcObject = stream
        scope.own(self._stop)
        self.meter(scope, stream, hear)
        scope.start(self._play(), "playing the reply")

    def silence_reply(self) -> None:
        """Take the reply's sound away at once."""
        if self._reply is not None:
            self._reply.enabled = False
        if self._audio is not None:
            self._audio.muted = True

    def let_reply_sound(self) -> None:
        """Let the reply be heard again."""
        if self._reply is not None:
            self._reply.enabled = True
        if self._audio is not None:
            self._audio.muted = False

    def meter(self, scope: Scope, stream: MediaStream, hear: Hear) -> None:
        """Tell `hear` about twenty times a second how loud `stream` is, until `scope` ends."""
        scope.start(self._meter(scope, stream, hear), "metering")

    def rest(self) -> None:
        """No call any more: give the output device back. `unlock` wakes it."""
        if self._context is not None:
            self._scope.start(self._suspend(self._context), "resting the sound")

    async def _meter(self, scope: Scope, stream: MediaStream, hear: Hear) -> None:
        context = self._context
        if context is None:
            return
        if not self._meters_ready:
            try:
                await context.audioWorklet.addModule(self._meter_url)
            except seam.BrowserRefusal:
                # The server is gone (the page says so elsewhere). A call can do without meters.
                _log.info("the level meter could not be loaded")
                return
            self._meters_ready = True
        source = context.createMediaStreamSource(stream)
        node = self._idle_meters.pop() if self._idle_meters else self._new_meter(context)

        def end() -> None:
            source.disconnect()
            self._idle_meters.append(node)

        scope.own(end)
        if not scope.ended:
            seam.listen(scope, node.port, "message", lambda event: hear(level_in(event)))
            source.connect(node)

    def _new_meter(self, context: AudioContext) -> AudioWorkletNode:
        node = seam.worklet_node(context, "level-meter")
        node.port.start()
        # Its output is silence; without a way to the output the browser would not run the node.
        node.connect(context.destination)
        return node

    async def _play(self) -> None:
        if self._audio is None:
            return
        try:
            await self._audio.play()
        except seam.BrowserRefusal as refusal:
            # Other names mean that the stream was taken away meanwhile.
            if refusal.name == AUTOPLAY_REFUSED:
                self._blocked(True)
        else:
            self._blocked(False)

    async def _wake(self, context: AudioContext) -> None:
        if self._reply is not None:
            await self._play()
        # Without a touch of the page this promise waits; nothing waits for it.
        await context.resume()

    async def _suspend(self, context: AudioContext) -> None:
        await context.suspend()

    def _stop(self) -> None:
        self._reply = None
        if self._audio is not None:
            self._audio.pause()
            self._audio.srcObject = None
        self._blocked(False)
