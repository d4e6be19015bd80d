"""Sound in events: base64 at 24 kHz becomes one stream at 16 kHz."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from voicepilot.emulator.client_audio import AppendedAudio


@pytest.mark.parametrize("pieces", [1, 7, 240, 4801])
def test_appended_pieces_are_one_stream(pieces: int) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(9600) / 24_000)).astype("<i2")
    whole = AppendedAudio().samples(base64.b64encode(tone.tobytes()).decode())
    appended = AppendedAudio()
    parts = [
        appended.samples(base64.b64encode(tone[start : start + pieces].tobytes()).decode())
        for start in range(0, len(tone), pieces)
    ]
    joined = np.concatenate(parts)
    assert np.allclose(joined, whole, atol=1e-6)
    assert abs(len(joined) - 6400) < 20
    middle = joined[1000:5000]
    loudest = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle)))))
    assert loudest * 16_000 / len(middle) == pytest.approx(440, abs=5)
    assert np.abs(middle).max() == pytest.approx(8000 / 32768, rel=0.02)
