"""How does received Opus become samples?

Opus comes out at 48 kHz, the models take 16 kHz: a third. The reduction is done here, by a filter of
48 taps: the one of FFmpeg would start two threads for each call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

from voicepilot.emulator.hearing import INPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from voicepilot.emulator.jitter import Encoded

_RTP_RATE = 48_000
_FACTOR = _RTP_RATE // INPUT_RATE
_TAPS = 48
_PASS_HZ = 7_000


def _low_pass() -> NDArray[np.float32]:
    """A windowed sinc: flat to 6 kHz, 50 dB down from 9 kHz on."""
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _PASS_HZ / _RTP_RATE * at) * np.hamming(_TAPS)
    low_pass: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return low_pass


class Third:
    """Makes 16 kHz of 48 kHz, chunk by chunk, as if it were one stream."""

    def __init__(self) -> None:
        self._taps = _low_pass()
        self._past = np.zeros(_TAPS - 1, np.float32)

    def reduce(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """One of three samples, low-passed; what is left over waits for the next chunk."""
        stream = np.concatenate((self._past, samples))
        count = (len(stream) - _TAPS) // _FACTOR + 1
        if count <= 0:
            self._past = stream
            return np.empty(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(stream, _TAPS)[::_FACTOR][:count]
        self._past = stream[count * _FACTOR :].copy()
        reduced: NDArray[np.float32] = windows @ self._taps
        return reduced


class Ear:
    """Decodes Opus packets to samples at 16 kHz, mono, in [-1, 1]."""

    def __init__(self, on_samples: Callable[[NDArray[np.float32]], None]) -> None:
        self._on_samples = on_samples
        decoder = av.CodecContext.create("libopus", "r")
        assert isinstance(decoder, av.AudioCodecContext)  # noqa: S101 -- tells the type checker
        decoder.format = "s16"
        decoder.layout = "mono"
        decoder.sample_rate = _RTP_RATE
        self._decoder = decoder
        self._third = Third()

    def hear(self, packets: list[Encoded]) -> None:
        """Decode packets in order; what is missing between them becomes silence."""
        parts: list[NDArray[np.float32]] = []
        for packet in packets:
            if packet.missing:
                parts.append(np.zeros(packet.missing, np.float32))
            if packet.data:
                parts += self._decoded(packet.data)
        if parts:
            samples = self._third.reduce(np.concatenate(parts))
            if len(samples):
                self._on_samples(samples)

    def _decoded(self, data: bytes) -> list[NDArray[np.float32]]:
        try:
            frames = self._decoder.decode(av.Packet(data))
        except av.FFmpegError:
            return []
        return [frame.to_ndarray()[0].astype(np.float32) / np.float32(32768) for frame in frames]
