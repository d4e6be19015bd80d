"""A panel that may not use the microphone shows and controls the call of a page that may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.page.call_page import SOON, CallPage, Visit, open_page
from tests.page.editor import Editor, editor, packed_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def vscode(
    chromium: Browser, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    page = packed_page(tmp_path_factory.mktemp("for-the-editor"))
    async with editor(chromium, page, project) as opened:
        yield opened


async def both(panel: CallPage, tab: CallPage) -> None:
    """Wait until the panel shows the same as the call page, in every respect that a person sees."""
    shown = "(id) => document.getElementById(id).innerText"
    for part in ("state-name", "transcript", "latency", "connection"):
        there = await tab.page.evaluate(shown, part)
        await expect(panel.page.locator(f"#{part}")).to_have_text(
            there, use_inner_text=True, timeout=SOON
        )
    assert await panel.turns() == await tab.turns()


async def test_the_panel_follows_a_call_and_controls_it(chromium: Browser, vscode: Editor) -> None:
    panel = await vscode.open()
    await panel.state("idle")
    await panel.button("Talk").click()
    address = await vscode.opened.get()
    assert "Press Talk there" in await panel.alert("talk-there")

    async with open_page(chromium, address, Visit(listen=False)) as tab:
        await tab.ready()
        await tab.talk()
        await panel.state("listening")
        await expect(panel.alerts).to_have_count(0)
        await tab.speak("What is twelve times seven?")
        await panel.answered("84")
        await tab.answered("84")
        await both(panel, tab)
        await expect(panel.page.locator("#latency-total")).not_to_be_empty()

        await panel.button("Mute").click()
        await expect(tab.button("Unmute")).to_be_visible(timeout=SOON)
        await expect(panel.button("Unmute")).to_be_visible(timeout=SOON)
        await panel.button("Unmute").click()
        await expect(tab.button("Mute")).to_be_visible(timeout=SOON)

        await panel.write("Count from one to sixty.")
        await panel.state("assistant-speaking")
        await panel.until(
            "document.querySelector('#level-assistant .level-word').textContent === 'audible'"
        )
        await panel.button("Interrupt").click()
        await tab.state("listening")
        await panel.state("listening")
        await both(panel, tab)

        names = panel.page.locator("#microphone option")
        await expect(names).to_have_count(await tab.page.locator("#microphone option").count())
        other = await names.nth(1).get_attribute("value")
        await panel.page.locator("#microphone").select_option(value=other)
        await expect(tab.page.locator("#microphone")).to_have_value(other or "", timeout=SOON)

        # Closing the panel ends nothing, and it catches up when it is opened again.
        await vscode.close()
        await tab.speak("What is ten plus ten?")
        await tab.answered("20")
        panel = await vscode.open()
        await panel.answered("20")
        await both(panel, tab)

        await panel.button("Stop").click()
        await tab.state("ended")
        await panel.state("ended")
        await panel.button("Talk").click()
        await tab.state("listening")
        await panel.state("listening")
        assert vscode.opened.empty()
    await panel.state("ended")
    assert "closed" in await panel.alert("call-page-closed")
    await panel.page.reload()
    await panel.ready()
    await panel.state("ended")
    assert "20" in (await panel.turns())[-1].text
    await vscode.close()


async def test_one_page_at_a_time_has_the_call(chromium: Browser, vscode: Editor) -> None:
    panel = await vscode.open()
    async with (
        open_page(chromium, await vscode.address(), Visit(listen=False)) as first,
        open_page(chromium, await vscode.address(), Visit(listen=False)) as second,
    ):
        await first.ready()
        await first.talk()
        await panel.state("listening")
        await second.ready()
        assert "Talk" in await second.alert("call-elsewhere")

        await second.talk()
        await first.state("ended")
        assert "Talk" in await first.alert("call-elsewhere")
        await expect(second.alerts).to_have_count(0)
        await panel.state("listening")
        await second.write("What is ten plus ten?")
        await panel.answered("20")
        assert await first.turns() == []

        await panel.button("Stop").click()
        await second.state("ended")
    await vscode.close()
