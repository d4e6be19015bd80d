"""The person interrupts: by voice, by Escape, by the button. Nothing unheard stays on the page."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect
from tests.page.call_page import AUDIBLE, CallPage, Turn, words_of
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMIT_MS = 50
"""From the arrival of `speech_started` to silence in the page."""

SPEECH = 0.0145
"""Characters that are spoken in a millisecond, more or less."""

FORTY = [str(number) for number in range(1, 41)]


async def counting(page: CallPage) -> None:
    """Start a call in which the assistant is heard counting to forty, and well under way."""
    await page.ready()
    await page.talk()
    await page.speak("Count to forty.")
    await page.state("assistant-speaking")
    await page.until(f"witness.loudness.filter(([, rms]) => rms > {AUDIBLE}).length > 300")


async def silence_after(page: CallPage, cause: float) -> float:
    """Milliseconds from ``cause`` to the last sound of the answer that it interrupted."""
    await page.until(f"witness.loudness.at(-1)[0] > {cause} + 400")
    sounding = [at for at, rms in await page.loudness() if rms > AUDIBLE]
    assert any(cause - 1000 < at <= cause for at in sounding), "there was nothing to silence"
    # The next answer cannot begin so soon; until then all sound is of the interrupted one.
    return max((at for at in sounding if cause < at < cause + 400), default=cause) - cause


async def muted_after(page: CallPage, cause: float) -> float:
    """Milliseconds from ``cause`` until the page's loudspeaker was off."""
    return (
        next(c["at"] for c in await page.changes("muted") if c["value"] and c["at"] >= cause)
        - cause
    )


def is_cut(turn: Turn) -> None:
    """The caption holds the first numbers only, and says in words that it was interrupted."""
    numbers = words_of(turn.text)
    assert 0 < len(numbers) < len(FORTY)
    assert numbers == FORTY[: len(numbers)]
    assert (turn.status, turn.remark) == ("interrupted", "Interrupted")


async def test_speaking_silences_the_answer_and_is_answered(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await counting(page)
        await page.speak("What is ten plus ten?")
        await page.answered("20")

        turns = await page.turns()
        assert [turn.role for turn in turns] == ["user", "assistant"] * 2
        is_cut(turns[1])
        assert words_of(turns[2].text) == words_of("What is ten plus ten?")

        arrived = (await page.events("input_audio_buffer.speech_started"))[-1]["at"]
        silent, muted = await silence_after(page, arrived), await muted_after(page, arrived)
        print(f"\nbarge-in: loudspeaker off after {muted:.0f} ms, last sound after {silent:.0f} ms")
        assert muted <= LIMIT_MS
        assert silent <= LIMIT_MS


async def test_escape_interrupts(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await counting(page)
        await page.page.keyboard.press("Escape")
        await page.state("listening")
        await expect(page.log.locator(".turn[data-status=interrupted]")).to_be_visible()
        is_cut((await page.turns())[-1])
        pressed = (await page.changes("key"))[-1]["at"]
        assert await silence_after(page, pressed) <= LIMIT_MS
        began = (await page.events("output_audio_buffer.started"))[-1]["at"]
        heard = len((await page.turns())[-1].text)
        assert heard == pytest.approx((pressed - began) * SPEECH, rel=0.5, abs=8)

        # The service is told, and the call goes on.
        assert await page.events("output_audio_buffer.clear") != []
        await page.write("What is ten plus ten?")
        await page.answered("20")


async def test_the_button_interrupts_and_only_while_there_is_an_answer(
    open_call_page: Open,
) -> None:
    async with open_call_page() as page:
        await page.ready()
        await expect(page.button("Interrupt")).to_be_disabled()
        await counting(page)
        await page.button("Interrupt").click()
        await page.state("listening")
        await expect(page.button("Interrupt")).to_be_disabled()
        is_cut((await page.turns())[-1])
        pressed = (await page.changes("click"))[-1]["at"]
        assert await silence_after(page, pressed) <= LIMIT_MS
        # The service has stopped too: it says so, and no more of the answer comes.
        await page.until(
            "witness.events.some(({ event }) => event.type === 'output_audio_buffer.cleared')"
        )
        await expect(page.turn("assistant", re.compile(r"\b40\b"))).to_have_count(0)
