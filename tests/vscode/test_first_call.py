"""From an empty user folder to a conversation: what a person does who has just installed the extension."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Playwright, expect
from tests.vscode.conftest import Serve
from tests.vscode.workbench import SOON, CallFrame, Origin, chromium, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

INSTALLING = 400_000
"""Milliseconds in which everything for the offline demo is downloaded and installed."""


async def test_a_call_in_the_panel_with_nothing_installed_before(
    playwright: Playwright, serve: Serve, spoken: str
) -> None:
    async with (
        serve(own_python=True) as server,
        chromium(playwright, Origin.SAME, spoken) as browser,
        window(browser, server) as workbench,
    ):
        await workbench.run("VoicePilot: Talk")
        await workbench.choose("Try the offline demo")
        await expect(workbench.page.get_by_role("dialog")).to_contain_text("240 MB", timeout=SOON)
        await workbench.press("Download and Install")
        call = CallFrame(await workbench.panel(INSTALLING))
        await call.state("listening", "user-speaking", "thinking", "assistant-speaking")
        await call.heard("user", re.compile("(twelve|12) times (seven|7)", re.IGNORECASE))
        await call.heard("assistant", "84")
        await call.audible()
        assert await call.violations() == []
        await workbench.run("VoicePilot: Stop")
        await call.state("ended")
        await expect(workbench.status).to_contain_text("Call ended", timeout=SOON)


async def test_a_call_in_a_tab_where_the_panel_has_no_microphone(
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
        await call.heard("user", re.compile("(twelve|12) times (seven|7)", re.IGNORECASE))
        await call.heard("assistant", "84")
        await call.audible()
        await expect(workbench.status).not_to_contain_text("Call ended")
        panel = CallFrame(await workbench.panel())
        assert await panel.violations() == []
        await tab.close()
        await expect(workbench.status).to_contain_text("Call ended", timeout=SOON)
