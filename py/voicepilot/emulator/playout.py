"""What does the person hear, and how much of it so far?

The outgoing track takes a frame of 20 ms from the replies that wait, or silence, at the pace of the
clock, and encodes it. A reply counts as played when its samples have left. The track encodes itself
(24 kHz mono, as the voice gives it, a tenth of a millisecond a frame) instead of leaving that to aiortc,
which resamples and hands each frame to a thread.
"""

from __future__ import annotations

import asyncio
import fractions
from collections import deque
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from voicepilot.emulator.reply import Reply
from voicepilot.emulator.speech import OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FRAME_MS = 20
LEAD_MS = 3000
"""How far the making of sound runs ahead of its hearing."""

_FRAME = OUTPUT_RATE * FRAME_MS // 1000
_RTP_RATE = 48_000
_RTP_FRAME = _RTP_RATE * FRAME_MS // 1000
_TIME_BASE = fractions.Fraction(1, _RTP_RATE)
_FALLEN_BEHIND_S = 0.2


class Playout(MediaStreamTrack):
    """The outgoing audio track of one call: an :class:`~.reply.Outlet` that keeps the listener's time.

    Args:
        on_started: called when the first sound of a reply is next to leave.
        on_stopped: called when a finished reply that had any sound has left completely.
    """

    kind = "audio"

    def __init__(
        self, on_started: Callable[[Reply], None], on_stopped: Callable[[Reply], None]
    ) -> None:
        super().__init__()
        self._on_started = on_started
        self._on_stopped = on_stopped
        self._replies: deque[Reply] = deque()
        self._encoder: av.AudioCodecContext | None = _encoder()
        self._frames = 0
        self._start: float | None = None
        self._drained = asyncio.Event()

    def open(self, response_id: str, item_id: str) -> Reply:
        """A new reply, to be played after those that wait already."""
        reply = Reply(response_id, item_id)
        self._replies.append(reply)
        return reply

    @property
    def playing(self) -> bool:
        """Whether any reply is not over yet."""
        return bool(self._replies)

    def feed(self, reply: Reply, samples: NDArray[np.int16]) -> None:
        """Add sound to the end of a reply: 24 kHz mono."""
        reply.feed(samples)
        self._announce_start()

    def clear(self) -> list[Reply]:
        """Be silent from the next frame on; returns the replies that were cut short."""
        cut = list(self._replies)
        self._replies.clear()
        self._drained.set()
        return cut

    async def ready(self, reply: Reply) -> None:
        """Wait until no more than :data:`LEAD_MS` of the reply wait to be played, or it was cleared."""
        while reply in self._replies and reply.waiting_ms > LEAD_MS:
            self._drained.clear()
            await self._drained.wait()

    async def recv(self) -> av.Packet[Any]:
        """The next 20 ms, encoded, when it is time for it."""
        loop = asyncio.get_running_loop()
        if self._start is None:
            self._start = loop.time()
        due = self._start + self._frames * FRAME_MS / 1000
        late = loop.time() - due
        if late < 0:
            await asyncio.sleep(-late)
        elif late > _FALLEN_BEHIND_S:
            # After a stall, go on from now: a burst of old frames would only fill the page's buffer.
            self._start += late
        if self._encoder is None:
            raise MediaStreamError
        samples = self._next_samples()
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = OUTPUT_RATE
        packet = av.Packet(b"".join(bytes(each) for each in self._encoder.encode(frame)))
        packet.pts = self._frames * _RTP_FRAME
        packet.time_base = _TIME_BASE
        self._frames += 1
        return packet

    def _next_samples(self) -> NDArray[np.int16]:
        frame = np.zeros(_FRAME, np.int16)
        filled = 0
        while self._replies and filled < _FRAME:
            reply = self._replies[0]
            filled += reply.take(frame[filled:])
            if reply.waiting or not reply.finished:
                break
            self._replies.popleft()
            if reply.played:
                self._on_stopped(reply)
            self._announce_start()
        self._drained.set()
        return frame

    def _announce_start(self) -> None:
        if self._replies and not self._replies[0].started and self._replies[0].waiting:
            self._replies[0].started = True
            self._on_started(self._replies[0])

    def stop(self) -> None:
        """End the track."""
        super().stop()
        self.clear()
        # It has threads, which must not wait for the collector of cycles.
        self._encoder = None


def _encoder() -> av.AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 -- tells the type checker what libopus is
    encoder.format = "s16"
    encoder.layout = "mono"
    encoder.sample_rate = OUTPUT_RATE
    encoder.bit_rate = 48_000
    encoder.time_base = fractions.Fraction(1, OUTPUT_RATE)
    encoder.options = {"application": "voip", "frame_duration": str(FRAME_MS)}
    return encoder
