"""Push-to-talk: the button and the space bar, held and toggled, with words that are really spoken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.page.call_page import CallPage
from tests.page.drawer import OwnService, by_hand, own_service
from tests.page.test_accessibility import violations
from tests.page.test_screenshots import photograph

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "What is twelve times seven?"
COMMIT = "input_audio_buffer.commit"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(chromium: Browser, built_page: Path, project: Path) -> AsyncIterator[OwnService]:
    async with own_service(chromium, built_page, project) as started:
        yield started


async def microphone_is(page: CallPage, on: bool) -> None:
    """Wait until the one microphone is let through, or not."""
    enabled = "witness.microphones().at(-1).enabled"
    await page.until(f"{enabled} === {str(on).lower()}")


async def test_what_is_said_while_the_button_is_held_is_answered(service: OwnService) -> None:
    async with service.page() as page:
        await by_hand(page)
        await page.talk()
        button = page.button("Hold to talk")
        await expect(button).to_be_focused()  # Talk was, and would be Stop for the space bar
        await microphone_is(page, False)
        # Nothing is heard, and nothing answered, while nobody holds it.
        await page.speak("What is ten plus ten?")
        await expect(page.main).to_have_attribute("data-state", "listening")

        await button.hover()
        await page.page.mouse.down()
        await page.state("user-speaking")
        await expect(button).to_have_attribute("aria-pressed", "true")
        await microphone_is(page, True)
        await page.speak(QUESTION)
        await page.page.mouse.move(5, 5)  # off the button, and still held
        await expect(button).to_have_attribute("aria-pressed", "true")
        await page.page.mouse.up()
        await expect(button).to_have_attribute("aria-pressed", "false")
        await page.answered("84")
        await microphone_is(page, False)

        assert [turn.role for turn in await page.turns()] == ["user", "assistant"]
        assert await page.events("input_audio_buffer.speech_started") == []
        assert len(await page.events(COMMIT)) == 1
        await expect(page.alerts).to_have_count(0)
        assert await violations(page) == []


async def test_the_space_bar_is_held_anywhere_but_where_it_has_a_use(service: OwnService) -> None:
    async with service.page() as page:
        await by_hand(page)
        await page.talk()
        keyboard = page.page.keyboard
        await page.log.focus()
        await keyboard.down("Space")
        await page.state("user-speaking")
        await keyboard.down("Space")  # the key repeats
        await page.speak(QUESTION)
        await keyboard.up("Space")
        await page.answered("84")
        assert len(await page.events("input_audio_buffer.clear")) == 1

        await page.message.focus()
        await keyboard.type("a b")
        assert await page.message.input_value() == "a b"
        await page.button("Mute").focus()
        await keyboard.press("Space")
        await expect(page.button("Unmute")).to_be_visible()
        # Muted is muted.
        await page.button("Hold to talk").focus()
        await keyboard.down("Enter")
        await keyboard.up("Enter")
        await expect(page.main).to_have_attribute("data-state", "listening")
        assert len(await page.events("input_audio_buffer.clear")) == 1


async def test_a_press_interrupts_the_answer(service: OwnService) -> None:
    async with service.page() as page:
        await by_hand(page)
        await page.talk()
        await page.write("Count to forty.")
        await page.state("assistant-speaking")
        await page.log.focus()  # in the message a space is a space
        await page.page.keyboard.down("Space")
        await page.state("user-speaking")
        await photograph(page, "9-held")
        await page.speak(QUESTION)
        await page.page.keyboard.up("Space")
        await page.answered("84")
        assert (await page.turns())[1].status == "interrupted"


async def test_a_tap_is_no_turn_and_no_error(service: OwnService) -> None:
    async with service.page() as page:
        await by_hand(page)
        await page.talk()
        await page.page.evaluate(
            """() => {
                 for (const kind of ["keydown", "keyup"]) {
                   document.body.dispatchEvent(new KeyboardEvent(kind, { key: " ", bubbles: true }));
                 }
               }"""
        )
        await page.until(
            "witness.events.filter(({ event }) =>"
            " event.type === 'input_audio_buffer.cleared').length === 2"
        )
        await page.state("listening")
        await microphone_is(page, False)
        assert await page.events(COMMIT) == []
        await expect(page.alerts).to_have_count(0)


async def test_a_window_that_loses_the_focus_lets_go(service: OwnService) -> None:
    async with service.page() as page:
        await by_hand(page)
        await page.talk()
        await page.page.keyboard.down("Space")
        await page.speak(QUESTION)
        await page.page.evaluate("() => window.dispatchEvent(new Event('blur'))")
        await expect(page.button("Hold to talk")).to_have_attribute("aria-pressed", "false")
        await page.answered("84")
        await page.page.keyboard.up("Space")
        assert len(await page.events(COMMIT)) == 1


async def test_the_toggle_form_begins_and_ends_with_a_press(service: OwnService) -> None:
    async with service.page() as page:
        await by_hand(page, "toggle")
        await page.talk()
        button = page.button("Press to talk")
        await button.click()
        await page.state("user-speaking")
        await expect(button).to_have_attribute("aria-pressed", "true")
        await page.speak(QUESTION)
        await button.press("Enter")
        await page.answered("84")
        await expect(button).to_have_attribute("aria-pressed", "false")

        await page.log.focus()
        await page.page.keyboard.press("Space")
        await page.state("user-speaking")
        # Stop ends the turn with the call, and gives the microphone back.
        await page.stop()
        await expect(button).to_be_hidden()
        assert [each["state"] for each in await page.witness("microphones()")] == ["ended"]
        assert len(await page.events(COMMIT)) == 1


async def test_who_can_only_click_toggles_in_the_hold_form_too(service: OwnService) -> None:
    async with service.page() as page:
        await by_hand(page)
        await page.talk()
        button = page.button("Hold to talk")
        # As assistive technology presses: a click without a pointer or a key.
        await button.evaluate("(button) => button.click()")
        await page.state("user-speaking")
        await page.speak(QUESTION)
        await button.evaluate("(button) => button.click()")
        await page.answered("84")


async def test_push_to_talk_begins_and_ends_in_a_running_call(service: OwnService) -> None:
    async with service.page() as page:
        await page.talk()
        await by_hand(page)
        await expect(page.button("Hold to talk")).to_be_visible()
        await microphone_is(page, False)
        await page.page.keyboard.press("Escape")
        await page.log.focus()
        await page.page.keyboard.down("Space")
        await page.speak(QUESTION)
        await page.page.keyboard.up("Space")
        await page.answered("84")

        await page.page.locator("#settings > summary").click()
        await page.page.get_by_label("End of turn").select_option("server_vad")
        await expect(page.button("Hold to talk")).to_be_hidden()
        await microphone_is(page, True)
        await page.speak("What is ten plus ten?")
        await page.answered("20")
        await expect(page.alerts).to_have_count(0)
