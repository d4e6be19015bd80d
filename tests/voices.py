"""Spoken sentences for tests that need a person at the microphone.

``from tests.voices import sentence, write_wav``
"""

from __future__ import annotations

import functools
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from voicepilot.emulator.speech import OUTPUT_RATE, Voice

if TYPE_CHECKING:
    from numpy.typing import NDArray


_PAUSE_BELOW = 300  # of 32768: -40 dB


@functools.cache
def voice() -> Voice:
    """The one voice of a test run."""
    return Voice()


def sentence(text: str, speed: float = 1.0) -> NDArray[np.int16]:
    """``text`` spoken by hibari: 24 kHz mono, sound from the first 10 ms to a pause at the end."""
    return np.concatenate([piece.samples for piece in voice().speak(text, speed)])


def up_to_last_sound(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """``samples`` without the pause at the end, for those who measure from the last sound."""
    sound = np.flatnonzero(np.abs(samples.astype(np.int32)) > _PAUSE_BELOW)
    return samples[: sound[-1] + 1] if len(sound) else samples[:0]


def silence(ms: float, rate: int = OUTPUT_RATE) -> NDArray[np.int16]:
    """Digital silence."""
    return np.zeros(round(ms * rate / 1000), np.int16)


def at_16_khz(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """24 kHz int16 as hearing and recognition take it: 16 kHz, float32 in [-1, 1]."""
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], "s16", "mono")
    frame.sample_rate = OUTPUT_RATE
    resampler = av.AudioResampler("flt", "mono", 16_000)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float32)


def write_wav(
    path: Path,
    samples: NDArray[np.int16],
    rate: int = OUTPUT_RATE,
    lead_silence_ms: float = 0,
    tail_silence_ms: float = 0,
) -> Path:
    """Write a mono WAV that Chromium takes as ``--use-file-for-fake-audio-capture=PATH%noloop``."""
    whole = np.concatenate(
        (silence(lead_silence_ms, rate), samples, silence(tail_silence_ms, rate))
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.astype("<i2").tobytes())
    return path
