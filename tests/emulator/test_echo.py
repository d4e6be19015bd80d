"""The scenario `echo`: the user's sound comes straight back, for measuring."""

from __future__ import annotations

import numpy as np

from voicepilot.emulator.echo import MOST_WAITING_MS, Echo
from voicepilot.emulator.hearing import INPUT_RATE
from voicepilot.emulator.reply import Reply
from voicepilot.emulator.speech import OUTPUT_RATE


def tone(rate: int, samples: int) -> np.ndarray:
    return np.sin(np.arange(samples) * 2 * np.pi * 400 / rate) * 0.5


def test_the_sound_comes_back_as_it_was() -> None:
    reply = Reply("", "")
    echo = Echo(reply)
    sound = tone(INPUT_RATE, INPUT_RATE // 50).astype(np.float32)
    echo.hear(sound)
    back = np.zeros(OUTPUT_RATE // 50, np.int16)
    assert reply.take(back) == len(back)
    expected = tone(OUTPUT_RATE, len(back))
    # The last sample lies after the last one that was given.
    assert np.abs(back[:-1] / 32767 - expected[:-1]).max() < 0.01


def test_nothing_waits_for_long() -> None:
    reply = Reply("", "")
    echo = Echo(reply)
    for _ in range(50):
        echo.hear(np.zeros(INPUT_RATE // 50, np.float32))
    assert reply.waiting_ms <= MOST_WAITING_MS + 20
