"""Everybody can use the page: by keyboard alone, by screen reader, without motion."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import expect
from tests.page.backends import ROOT
from tests.page.call_page import SOON, CallPage
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = (ROOT / "webview" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


async def violations(page: CallPage) -> list[str]:
    """What axe-core finds wrong with the page as it is now, by any of its rules."""
    if not await page.page.evaluate("() => 'axe' in globalThis"):
        await page.page.evaluate(AXE)
    found = await page.page.evaluate("() => axe.run(document)")
    assert len(found["passes"]) > 20
    return [
        f"{each['id']}: {each['help']}: {json.dumps([node['html'] for node in each['nodes']])[:600]}"
        for each in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_state(open_call_page: Open, scheme: str) -> None:
    context = {"color_scheme": scheme, "reduced_motion": "reduce"}
    async with open_call_page(context=context) as page:
        await page.ready()
        assert await violations(page) == []

        await page.talk()
        await page.write("List the files.")
        await page.answered("notes")
        await page.write("Count to forty.")
        await page.state("assistant-speaking")
        assert await violations(page) == []

        await page.page.keyboard.press("Escape")
        await page.state("listening")
        await page.log.locator(".tool summary").click()
        await page.page.locator("#details > summary").click()
        await expect(page.page.locator("#events > details").first).to_be_visible()
        assert await violations(page) == []

        await page.stop()
        await page.page.evaluate("() => { witness.refusal = 'NotFoundError'; }")
        await page.button("Talk").click()
        await page.alert("microphone-missing")
        assert await violations(page) == []


async def focused(page: CallPage) -> str:
    return await page.page.evaluate(
        "() => document.activeElement.id || document.activeElement.localName"
    )


async def tab_order(page: CallPage, steps: int) -> list[str]:
    """Where Tab leads from the top of the page."""
    await page.button("Talk").or_(page.button("Stop")).focus()
    await page.page.keyboard.press("Shift+Tab")
    order = []
    for _ in range(steps):
        await page.page.keyboard.press("Tab")
        order.append(await focused(page))
    return order


async def test_everything_is_reached_and_pressed_by_keyboard(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        keyboard = page.page.keyboard
        # The two drawers: settings, details.
        order = ["talk", "microphone", "transcript", "message", "summary", "summary"]
        assert await tab_order(page, len(order)) == order
        await keyboard.press("Enter")
        await expect(page.page.locator("#details")).to_have_attribute("open", "")
        order += ["events-filter", "events-pause", "events-clear", "events-download", "events"]
        assert await tab_order(page, len(order)) == order
        # Where the focus is can be seen.
        outline = "() => getComputedStyle(document.activeElement).outlineStyle"
        assert await page.page.evaluate(outline) != "none"

        await page.button("Talk").focus()
        await keyboard.press("Enter")
        await page.state("listening")
        live = ["talk", "mute", "microphone", "transcript", "message", "send", "summary"]
        assert await tab_order(page, len(live)) == live
        await page.button("Mute").focus()
        await keyboard.press("Space")
        await expect(page.button("Unmute")).to_be_focused()
        await keyboard.press("Space")
        await expect(page.button("Mute")).to_be_focused()

        await page.message.focus()
        await keyboard.type("Count to forty.")
        await keyboard.press("Tab")
        await keyboard.press("Enter")
        await page.state("assistant-speaking")
        await page.button("Interrupt").focus()
        await keyboard.press("Space")
        await page.state("listening")

        await page.button("Stop").focus()
        await keyboard.press("Space")
        await page.state("ended")
        await expect(page.button("Talk")).to_be_focused()


async def test_state_and_words_are_announced(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        status = page.page.get_by_role("status")
        await expect(status).to_contain_text("Ready")
        await page.talk()
        await expect(status).to_contain_text("Listening")
        await expect(page.log).to_have_attribute("aria-live", "polite")
        await page.write("Count to twenty.")
        await expect(status).to_contain_text("Assistant speaking", timeout=SOON)
        # An answer that still grows is read when it is whole.
        answer = page.log.locator(".turn[data-role=assistant]")
        await expect(answer).to_have_attribute("aria-busy", "true")
        await page.answered("20")
        await expect(answer).to_have_attribute("aria-busy", "false")
        meter = page.page.get_by_role("meter", name="Your level")
        await expect(meter).to_have_attribute("aria-valuetext", "silent")
        await page.stop()
        await expect(status).to_contain_text("Call ended")
        await expect(meter).to_have_attribute("aria-valuetext", "off")


async def animations(page: CallPage) -> int:
    return await page.page.evaluate(
        """() => document.getAnimations()
             .filter(({ playState, effect }) => playState === "running"
               && effect.getComputedTiming().duration > 1).length"""
    )


async def test_nothing_moves_for_those_who_want_no_motion(open_call_page: Open) -> None:
    moving = {}
    for motion in ("no-preference", "reduce"):
        async with open_call_page(context={"reduced_motion": motion}) as page:
            await page.ready()
            await page.talk()
            moving[motion] = await animations(page)
    assert moving["no-preference"] > 0
    assert moving["reduce"] == 0
