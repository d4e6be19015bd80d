"""How is a page visited so that its times can be read?"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from playwright.async_api import Browser, BrowserContext, Error, Page, Playwright, Route
from tests.bench.sites import HERE, Site
from tests.page.conftest import CHROMIUM, QUIET

PROBE = (HERE / "probe.js").read_text("utf-8")
WITHIN_MS = 60_000
_GLANCE_MS = 800
"""Nobody presses Talk sooner after a page is there; what a page does meanwhile is its own affair."""

Heed = Literal["boot", "call", "events"]
T = TypeVar("T")


def switches(microphone: Path | None = None) -> list[str]:
    """The browser's command line; `microphone` is what its microphone hears each time it opens."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    heard = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
    return [*QUIET, *root, *heard, "--use-fake-ui-for-media-stream"]


@contextlib.asynccontextmanager
async def browser(playwright: Playwright, microphone: Path) -> AsyncIterator[Browser]:
    """A browser for many visits."""
    started = await playwright.chromium.launch(executable_path=CHROMIUM, args=switches(microphone))
    try:
        yield started
    finally:
        await started.close()


@contextlib.asynccontextmanager
async def profile(playwright: Playwright, folder: Path) -> AsyncIterator[BrowserContext]:
    """A browser process with the profile in `folder`."""
    context = await playwright.chromium.launch_persistent_context(
        str(folder), executable_path=CHROMIUM, args=switches()
    )
    try:
        yield context
    finally:
        await context.close()


@dataclass(frozen=True, slots=True)
class Visited:
    """A page that is ready."""

    page: Page
    ready_ms: float

    async def probe(self, expression: str, *arguments: Any) -> Any:
        """What `probe.EXPRESSION` gives."""
        async with asyncio.timeout(WITHIN_MS / 1000):
            return await self.page.evaluate(f"(given) => probe.{expression}", list(arguments))

    async def talk(self) -> float:
        """Press Talk; milliseconds until the data channel was open."""
        await self.probe("next()")
        await self.page.locator("#talk").click()
        return float(await self.probe("connected()"))

    async def stop(self) -> float:
        """Press Stop; milliseconds until the microphone was released."""
        await self.page.locator("#talk").click()
        released = float(await self.probe("released()"))
        await self.page.locator("#call[data-state=ended]").wait_for(state="attached")
        return released

    async def until(self, condition: str) -> None:
        """Wait until this JavaScript condition holds. Raises AssertionError if it never does."""
        # Playwright's wait_for_function makes a function from text, which the policy forbids.
        holds = await self.page.evaluate(
            f"""() => new Promise((done) => {{
                  const end = Date.now() + {WITHIN_MS};
                  const look = () => {{
                    const holds = Boolean({condition});
                    if (holds || Date.now() > end) done(holds); else setTimeout(look, 20);
                  }};
                  look();
                }})"""
        )
        if not holds:
            raise AssertionError(f"never in {WITHIN_MS} ms: {condition}")


async def stubbornly(run: Callable[[], Awaitable[T]]) -> T:
    """Do one run, and again if it failed: what a busy machine breaks is no result. Fails the third time."""
    for _ in range(2):
        try:
            return await run()
        except (AssertionError, TimeoutError, Error) as reason:
            print(f"  once more: {str(reason).splitlines()[0]}", file=sys.stderr, flush=True)
    return await run()


async def visit(
    context: BrowserContext, site: Site, heed: Heed, *, listen: bool = False
) -> Visited:
    """Open the site in a new page of `context` and wait until it is ready."""
    await site.admit(context)
    settings = json.dumps({"heed": heed, "listen": listen})
    page = await context.new_page()
    page.set_default_timeout(WITHIN_MS)
    await page.add_init_script(f"({PROBE})({settings})")
    if heed == "events":
        # A document that was not fetched from its address counts as one from elsewhere.
        await context.grant_permissions(["local-network-access"])
        await page.route(site.address, _isolated)
    await page.goto(site.address, wait_until="commit")
    async with asyncio.timeout(WITHIN_MS / 1000):  # a page that breaks off says neither
        ready = await page.evaluate("() => probe.ready")
    if ready["how"] != "ready":
        raise AssertionError(f"the page of {site.name} did not start")
    visited = Visited(page, float(ready["at"]))
    if heed != "boot":
        await visited.until("document.getElementById('service').textContent !== ''")
        await page.wait_for_timeout(_GLANCE_MS)
    return visited


async def _isolated(route: Route) -> None:
    """Isolate the page from other origins: only then its clock counts in 5 microseconds."""
    answer = await route.fetch()
    headers = {**answer.headers, "cross-origin-embedder-policy": "require-corp"}
    await route.fulfill(response=answer, headers=headers)
