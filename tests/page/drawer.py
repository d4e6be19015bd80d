"""A page with settings of its own, before a service of its own that can be told to go wrong.

The demo that the other tests share would remember what a test has set.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Locator, expect
from tests.page.backends import KEY, backend, running
from tests.page.call_page import SOON, CallPage, Visit, open_page


@dataclass(frozen=True)
class OwnService:
    """The embedded service in a process of its own."""

    address: str
    http: aiohttp.ClientSession
    browser: Browser
    built_page: Path
    folder: Path

    @asynccontextmanager
    async def page(self, **how: Any) -> AsyncIterator[CallPage]:
        """A page whose backend has the demo's settings anew."""
        async with (
            backend(self.built_page, self.address, self.folder) as server,
            open_page(self.browser, server.url, Visit(**how)) as page,
        ):
            await page.ready()
            await expect(page.page.locator("#service")).not_to_be_empty(timeout=SOON)
            yield page

    @asynccontextmanager
    async def broken(self, scenario: str) -> AsyncIterator[None]:
        """The service with this scenario on."""
        await self._switch("PUT", f"/{scenario}")
        try:
            yield
        finally:
            await self._switch("DELETE", "")

    async def _switch(self, method: str, name: str) -> None:
        url = f"{self.address}/_control/scenarios{name}"
        async with self.http.request(method, url, headers={"api-key": KEY}) as reply:
            assert reply.status == 200, await reply.text()


@asynccontextmanager
async def own_service(
    browser: Browser, built_page: Path, folder: Path
) -> AsyncIterator[OwnService]:
    """The service for as long as it is needed."""
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=folder) as program, aiohttp.ClientSession() as http:
        address = await program.says(r"http://\S+")
        yield OwnService(address, http, browser, built_page, folder)


async def open_drawer(page: CallPage) -> None:
    """Open the settings, and wait for their fields."""
    await page.page.locator("#settings > summary").click()
    await expect(page.page.locator("#setting-voice")).to_be_visible(timeout=SOON)


def field(page: CallPage, label: str) -> Locator:
    """The field with this label."""
    return page.page.get_by_label(label, exact=True)


async def choose(page: CallPage, label: str, value: str) -> None:
    """Choose a value and wait until the backend has it, by what it says of its source."""
    control = field(page, label)
    await control.select_option(value)
    await expect(page.page.locator(".setting", has=control)).to_contain_text(
        "changed in the page", timeout=SOON
    )


async def by_hand(page: CallPage, form: str = "hold") -> None:
    """Choose push-to-talk, and close the drawer."""
    await open_drawer(page)
    await choose(page, "End of turn", "push-to-talk")
    if form != "hold":
        await choose(page, "Push-to-talk button", form)
    await page.page.locator("#settings > summary").click()
