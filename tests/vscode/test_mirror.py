"""Where the panel has no microphone, the call runs in a tab, and the panel follows and controls it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Playwright, expect
from tests.vscode.conftest import Serve
from tests.vscode.workbench import SOON, CallFrame, Origin, chromium, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = re.compile("(twelve|12) times (seven|7)", re.IGNORECASE)
LIVE = ("listening", "user-speaking", "thinking", "assistant-speaking")


async def test_the_panel_follows_and_controls_the_call_of_a_tab(
    playwright: Playwright, serve: Serve, spoken: str
) -> None:
    async with (
        serve() as server,
        chromium(playwright, Origin.OTHER, spoken) as browser,
        window(browser, server, Origin.OTHER) as workbench,
    ):
        context = workbench.page.context
        async with context.expect_page(timeout=SOON) as opened:
            await workbench.run("VoicePilot: Talk")
            await workbench.choose("Try the offline demo")
        tab = await opened.value
        call = CallFrame(tab.main_frame)
        await call.ready()
        await tab.get_by_role("button", name="Talk", exact=True).click()

        panel = CallFrame(await workbench.panel())
        await panel.state(*LIVE)
        await panel.heard("user", SAID)
        await panel.heard("assistant", "84")
        await call.heard("assistant", "84")
        await expect(panel.frame.locator("#latency-total")).not_to_be_empty(timeout=SOON)

        button = panel.frame.get_by_role("button", name="Mute", exact=True)
        await button.click(timeout=SOON)
        await expect(tab.get_by_role("button", name="Unmute", exact=True)).to_be_visible(
            timeout=SOON
        )
        await expect(workbench.status).to_contain_text("Muted", timeout=SOON)
        await panel.frame.get_by_role("textbox", name="Message").fill("What is ten plus ten?")
        await panel.frame.get_by_role("button", name="Send", exact=True).click()
        await panel.heard("assistant", "20")

        await panel.state("listening")
        assert await panel.violations() == []

        await tab.close()
        await panel.state("ended")
        closed = panel.frame.locator("[role=alert][data-code=call-page-closed]")
        await expect(closed).to_be_visible(timeout=SOON)
        await expect(workbench.status).to_contain_text("Call ended", timeout=SOON)


async def test_the_panel_of_a_window_that_is_loaded_anew_catches_up(
    playwright: Playwright, serve: Serve, spoken: str
) -> None:
    async with (
        serve() as server,
        chromium(playwright, Origin.OTHER, spoken) as browser,
        window(browser, server, Origin.OTHER) as workbench,
    ):
        context = workbench.page.context
        async with context.expect_page(timeout=SOON) as opened:
            await workbench.run("VoicePilot: Talk")
            await workbench.choose("Try the offline demo")
        tab = await opened.value
        call = CallFrame(tab.main_frame)
        await call.ready()
        await tab.get_by_role("button", name="Talk", exact=True).click()
        await call.heard("assistant", "84")
        await call.state("listening")
        await workbench.open(server.address, server.workspace)
        await workbench.run("VoicePilot: Show Panel")
        panel = CallFrame(await workbench.panel())
        await panel.heard("user", SAID)
        await panel.heard("assistant", "84")
