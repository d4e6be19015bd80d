"""The settings drawer: what it shows, what it refuses, what a running call takes of a change."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.page.call_page import SOON, CallPage
from tests.page.drawer import OwnService, by_hand, choose, field, open_drawer, own_service
from tests.page.test_accessibility import violations
from tests.page.test_screenshots import photograph

pytestmark = pytest.mark.asyncio(loop_scope="session")

BY_SILENCE = ("Silence that ends a turn", "Speech threshold", "Sound before speech")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(chromium: Browser, built_page: Path, project: Path) -> AsyncIterator[OwnService]:
    async with own_service(chromium, built_page, project) as started:
        yield started


async def last_session(page: CallPage, kind: str) -> dict[str, Any]:
    """The session in the newest event of this type."""
    await page.until(f"witness.events.some(({{ event }}) => event.type === '{kind}')")
    session: dict[str, Any] = (await page.events(kind))[-1]["session"]
    return session


async def test_only_what_the_chosen_turn_detection_knows_is_shown(service: OwnService) -> None:
    async with service.page() as page:
        await expect(page.page.locator("#settings")).not_to_have_attribute("open", "")
        await open_drawer(page)
        shown = {
            "server_vad": set(BY_SILENCE),
            "semantic_vad": {"Eagerness"},
            "push-to-talk": {"Push-to-talk button"},
        }
        for detection in ("semantic_vad", "push-to-talk", "server_vad"):
            await field(page, "End of turn").select_option(detection)
            for label in set().union(*shown.values()):
                await expect(field(page, label)).to_be_visible(
                    visible=label in shown[detection], timeout=SOON
                )
        # Every field says what it means and within which limits.
        described = field(page, "Silence that ends a turn")
        await expect(described).to_have_accessible_description(re.compile("From 0 to 10000 ms"))


async def test_a_wrong_value_is_refused_at_its_field(service: OwnService) -> None:
    async with service.page() as page:
        await open_drawer(page)
        silence = field(page, "Silence that ends a turn")
        for wrong in ("20000", "a while", "700.5", ""):
            await silence.fill(wrong)
            await silence.press("Tab")
            await expect(silence).to_have_attribute("aria-invalid", "true", timeout=SOON)
            refusal = page.page.locator("#setting-silence-duration-ms-refusal")
            await expect(refusal).to_contain_text(
                f"from 0 to 10000 ms, not “{wrong}”", timeout=SOON
            )
            await expect(refusal).to_be_in_viewport()
            assert await silence.input_value() == wrong
        await expect(page.page.locator(".refusal:visible")).to_have_count(1)
        assert await violations(page) == []
        await photograph(page, "8-setting-refused")

        await silence.fill("600")
        await silence.press("Enter")
        await expect(silence).not_to_have_attribute("aria-invalid", "true", timeout=SOON)
        await expect(page.page.locator(".refusal:visible")).to_have_count(0)
        await page.talk()
        created = await last_session(page, "session.created")
        assert created["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 600


async def test_a_running_call_takes_what_it_can(service: OwnService) -> None:
    async with service.page() as page:
        await open_drawer(page)
        await page.talk()
        silence = field(page, "Silence that ends a turn")
        await silence.fill("650")
        await silence.press("Enter")
        detection = (await last_session(page, "session.updated"))["audio"]["input"][
            "turn_detection"
        ]
        assert detection["silence_duration_ms"] == 650

        # A voice stays as long as its call.
        await choose(page, "Voice", "cedar")
        assert len(await page.events("session.update")) == 1
        about = page.page.locator(".setting", has=field(page, "Voice"))
        await expect(about).to_contain_text("Counts from the next call.")
        await page.stop()
        await page.talk()
        await page.until(
            "witness.events.filter(({ event }) => event.type === 'session.created').length === 2"
        )
        created = await last_session(page, "session.created")
        assert created["audio"]["output"]["voice"] == "cedar"
        assert created["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 650
        await expect(page.alerts).to_have_count(0)


async def test_a_change_that_the_service_ignores_counts_from_the_next_call(
    service: OwnService,
) -> None:
    async with service.page() as page, service.broken("ignore-session-update"):
        await page.talk()
        await by_hand(page)
        told = await page.alert("settings-next-call")
        assert "next call" in told
        await expect(page.button("Hold to talk")).to_be_hidden()
        await page.write("What is ten plus ten?")
        await page.answered("20")  # the call goes on
        await page.stop()
        await page.talk()
        await expect(page.button("Hold to talk")).to_be_visible()
        await expect(page.alerts).to_have_count(0)


async def test_the_drawer_is_used_by_keyboard_alone(service: OwnService) -> None:
    async with service.page() as page:
        keyboard = page.page.keyboard
        await page.page.locator("#settings > summary").focus()
        await keyboard.press("Enter")
        await expect(page.page.locator("#setting-voice")).to_be_visible(timeout=SOON)
        order = ["voice", "speed", "modality", "language", "instructions", "turn-detection"]
        for name in order:
            await keyboard.press("Tab")
            await expect(page.page.locator(f"#setting-{name}")).to_be_focused()
        await keyboard.press("End")
        await expect(field(page, "Push-to-talk button")).to_be_visible(timeout=SOON)
        await expect(page.page.locator("#setting-turn-detection")).to_be_focused()
