"""From 48 kHz to 16 kHz without a fold or a seam."""

from __future__ import annotations

import time

import numpy as np
import pytest

from voicepilot.emulator.ear import Third


def tone(hz: float, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(48_000 * seconds)) / 48_000).astype(np.float32)


@pytest.mark.parametrize(
    ("hz", "least", "most"), [(300, 0.95, 1.05), (4000, 0.9, 1.05), (10_000, 0, 0.01)]
)
def test_speech_passes_and_what_would_fold_does_not(hz: float, least: float, most: float) -> None:
    reduced = Third().reduce(tone(hz))[100:]
    assert least <= float(np.abs(reduced).max()) <= most


def test_chunks_of_any_length_make_one_stream() -> None:
    sound = tone(700)
    whole = Third().reduce(sound)
    for length in (1, 7, 480, 960, 961):
        third = Third()
        parts = [third.reduce(sound[at : at + length]) for at in range(0, len(sound), length)]
        assert np.allclose(np.concatenate(parts), whole, atol=1e-5)
    assert len(whole) == 16_000


def test_it_costs_little() -> None:
    third, frame = Third(), tone(300, 0.02)
    begin = time.thread_time()
    for _ in range(500):
        third.reduce(frame)
    assert (time.thread_time() - begin) / 500 < 0.001
