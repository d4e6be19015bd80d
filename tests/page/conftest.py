"""One browser and one demo for all tests of the page; each test has a browser context of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, StorageState, async_playwright
from tests.page.backends import Demo, demo, witnessed_page
from tests.page.call_page import CallPage, Visit, open_page

CHROMIUM = os.environ.get("VOICEPILOT_CHROMIUM", "/usr/bin/chromium")

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--use-fake-device-for-media-stream",
)

Open = Callable[..., AbstractAsyncContextManager[CallPage]]


async def launch(playwright: Playwright, *switches: str) -> Browser:
    """Start Chromium; as root it starts only without its sandbox."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*QUIET, *sandbox, *switches]
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    browser = await launch(playwright)
    yield browser
    await browser.close()


@pytest.fixture(scope="session")
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built page, with the tests' worklet in its own."""
    return witnessed_page(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files that the tools may show, and a link to one outside that they may not."""
    folder = tmp_path_factory.mktemp("outside") / "project"
    folder.mkdir()
    (folder / "notes.txt").write_text("The meeting is on Tuesday.\n")
    (folder / "budget.csv").write_text("item,price\nchair,40\n")
    (folder.parent / "secret.txt").write_text("Nobody may hear this.\n")
    (folder / "shortcut.txt").symlink_to("../secret.txt")
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_demo(built_page: Path, project: Path) -> AsyncIterator[Demo]:
    """The demo as people start it, in the folder of the project."""
    async with demo(built_page, project) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cookie(chromium: Browser, running_demo: Demo) -> StorageState:
    """What the one-time token of the printed address was exchanged for."""
    async with open_page(chromium, running_demo.url, Visit()) as page:
        await page.ready()
        await page.until("document.getElementById('service').textContent !== ''")
        return await page.page.context.storage_state()


@pytest.fixture
def running_demo_address(running_demo: Demo, cookie: StorageState) -> str:
    """Where the demo is, without its token, which is spent."""
    return running_demo.url.partition("#")[0]


@pytest.fixture
def open_call_page(chromium: Browser, running_demo_address: str, cookie: StorageState) -> Open:
    """Opens the demo's page: ``async with open_call_page(on_cue=False) as page``."""

    def open_it(**how: object) -> AbstractAsyncContextManager[CallPage]:
        return open_page(chromium, running_demo_address, Visit(**how), cookie)

    return open_it
