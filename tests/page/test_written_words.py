"""What is typed is a turn of the same conversation, answered aloud."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from tests.page.call_page import AUDIBLE
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_typed_and_spoken_turns_stand_in_one_transcript(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.message.fill("What is ten plus ten?")
        await page.button("Send").click()
        await page.answered("20")
        assert any(rms > AUDIBLE for _, rms in await page.loudness())
        await expect(page.message).to_have_value("")
        await page.speak("What is twelve times seven?")
        await page.answered("84")
        assert [turn.role for turn in await page.turns()] == ["user", "assistant"] * 2
        assert (await page.turns())[0].text == "What is ten plus ten?"
        assert len(await page.events("session.created")) == 1


async def test_enter_sends_and_shift_enter_starts_a_new_line(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.message.press_sequentially("Say hello")
        await page.message.press("Shift+Enter")
        await page.message.press_sequentially("to my friend")
        assert await page.message.input_value() == "Say hello\nto my friend"
        assert await page.turns() == []
        await page.message.press("Enter")
        await expect(page.turn("user", "to my friend")).to_be_visible()
        await expect(page.message).to_have_value("")
        await page.answered("Hello to my friend")


async def test_empty_messages_are_not_sent(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.message.press("Enter")
        await page.message.fill("  \n ")
        await page.message.press("Enter")
        await page.write("What is ten plus ten?")
        await page.answered("20")
        assert [turn.role for turn in await page.turns()] == ["user", "assistant"]


async def test_what_is_written_and_pressed_before_python_is_ready_counts(
    open_call_page: Open,
) -> None:
    async with open_call_page(hold="**/*.wasm") as page:
        await expect(page.main).to_have_attribute("data-boot", "starting")
        await page.message.fill("What is ten plus ten?")
        await page.button("Talk").click()
        await expect(page.button("Stop")).to_be_visible()
        page.release()
        await page.ready()
        await page.state("listening")
        await expect(page.message).to_have_value("What is ten plus ten?")
        await page.message.press("Enter")
        await page.answered("20")


async def test_without_a_call_the_page_says_how_to_send(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.message.fill("What is ten plus ten?")
        await page.message.press("Enter")
        await expect(page.button("Send")).to_be_disabled()
        await expect(page.message).to_have_value("What is ten plus ten?")
        await expect(page.message).to_have_accessible_description(
            "Messages go into a running call. Press Talk to start one."
        )
