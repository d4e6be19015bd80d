"""A person speaks, is understood, reads and hears the answer."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Playwright, StorageState, expect
from tests.page.backends import Demo
from tests.page.call_page import AUDIBLE, CallPage, Visit, open_page, words_of
from tests.page.conftest import Open, launch
from tests.voices import sentence, silence, write_wav

pytestmark = pytest.mark.asyncio(loop_scope="session")

A_TURN = ["user-speaking", "thinking", "assistant-speaking", "listening"]


async def states_since_talk(page: CallPage) -> list[str]:
    states = [entry["state"] for entry in await page.witness("states")]
    return states[states.index("connecting") :]


async def seconds_of_sound(page: CallPage) -> float:
    return sum(rms > AUDIBLE for _, rms in await page.loudness()) * 0.005


async def test_sentences_from_a_microphone_are_written_down_and_answered(
    playwright: Playwright, running_demo: Demo, cookie: StorageState, tmp_path: Path
) -> None:
    said = ("What is twelve times seven?", "Repeat after me, the garden is full of flowers.")
    track = np.concatenate([part for words in said for part in (sentence(words), silence(6000))])
    wav = write_wav(tmp_path / "said.wav", track, lead_silence_ms=2500, tail_silence_ms=60_000)
    browser = await launch(playwright, f"--use-file-for-fake-audio-capture={wav}%noloop")
    address = running_demo.url.partition("#")[0]
    try:
        async with open_page(browser, address, Visit(on_cue=False), cookie) as page:
            await page.ready()
            await page.talk()
            await page.answered("84")
            assert await seconds_of_sound(page) > 0.5
            await page.answered(re.compile("full of flowers", re.I))

            turns = await page.turns()
            assert [turn.role for turn in turns] == ["user", "assistant"] * 2
            assert [words_of(turn.text) for turn in turns[::2]] == [words_of(text) for text in said]
            assert words_of(turns[3].text) == words_of("The garden is full of flowers.")
            assert {turn.status for turn in turns} == {"completed"}
            assert await states_since_talk(page) == ["connecting", "listening", *A_TURN, *A_TURN]
    finally:
        await browser.close()


async def test_the_latency_of_the_last_turn_is_shown_in_parts(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await expect(page.page.locator("#latency")).to_be_hidden()
        spoken = await page.speak("What is twelve times seven?")
        await page.answered("84")

        heard = next(at for at, rms in await page.loudness() if at > spoken and rms > AUDIBLE)
        parts = page.page.locator("#latency-parts li")
        assert [await part.inner_text() for part in await parts.all()] != []
        names = [await part.locator("span").first.inner_text() for part in await parts.all()]
        assert names == ["End of turn", "Answer", "Voice", "Way to you"]
        figures = [
            milliseconds(await part.locator(".figure").inner_text()) for part in await parts.all()
        ]
        total = milliseconds(await page.page.locator("#latency-total").inner_text())
        assert total == pytest.approx(sum(figures), abs=15)
        # What the page tells is what a listener measures: the shown total begins when the service
        # believes the turn to have ended, which is a little after the last sound.
        print(
            f"\nend of speech to first reply audio: {heard - spoken:.0f} ms, shown {total:.0f} ms"
        )
        assert total == pytest.approx(heard - spoken, abs=300)


def milliseconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * (1000 if unit == "s" else 1)
