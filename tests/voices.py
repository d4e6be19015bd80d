"""Spoken sentences for tests that need a person at the microphone."""

from __future__ import annotations

import functools
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voicepilot.emulator.speech import OUTPUT_RATE, Voice

if TYPE_CHECKING:
    from numpy.typing import NDArray


@functools.cache
def voice() -> Voice:
    """The one voice of a test run."""
    return Voice()


def sentence(text: str, speed: float = 1.0) -> NDArray[np.int16]:
    """``text`` spoken by hibari: 24 kHz mono, sound from the first 10 ms to a pause at the end."""
    return np.concatenate([piece.samples for piece in voice().speak(text, speed)])


def silence(ms: float, rate: int = OUTPUT_RATE) -> NDArray[np.int16]:
    """Digital silence."""
    return np.zeros(round(ms * rate / 1000), np.int16)


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
