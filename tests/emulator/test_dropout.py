"""A stream that stops in the middle of a word."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests import voices

from voicepilot.emulator.dropout import AFTER_S, Dropout

if TYPE_CHECKING:
    from tests.emulator.client import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_page_that_stops_sending_has_finished_its_turn(bench: Bench) -> None:
    client = await bench.call()
    text = "Repeat after me: we walk along the river and we talk about the boats."
    client.microphone.say(await asyncio.to_thread(voices.sentence, text))
    await client.wait("input_audio_buffer.speech_started")
    client.pc.getSenders()[0].replaceTrack(None)
    stopped_at = time.perf_counter()
    stopped = await client.wait("input_audio_buffer.speech_stopped", within=5)
    arrived = client.arrived[client.events.index(stopped)] - stopped_at
    assert AFTER_S - 0.1 < arrived < AFTER_S + 1.5
    await client.wait("response.created")
    await client.close()


async def test_silence_comes_after_a_second_and_never_before_the_first_sound() -> None:
    heard: list[int] = []
    came = asyncio.Event()

    def take(samples: np.ndarray) -> None:
        heard.append(len(samples))
        came.set()

    dropout = Dropout(take)
    assert heard == []
    dropout.hear(np.ones(320, np.float32))
    came.clear()
    begin = time.perf_counter()
    await asyncio.wait_for(came.wait(), 3)
    assert time.perf_counter() - begin >= AFTER_S - 0.05
    assert heard == [320, 4000]
    dropout.close()
