"""The page posts its own offer: with a key that nobody can find afterwards, to one host and no other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, Request, expect
from tests.page.backends import KEY, running
from tests.page.call_page import CallPage, Visit, open_page

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.configuration import Configuration
from voicepilot.backend.desk import Desk
from voicepilot.backend.feed import Feed
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.page_files import load_page
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.session.feed import Entry, encode
from voicepilot.settings.layers import table

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Ear:
    """Hears the feed."""

    def __init__(self) -> None:
        self.heard_so_far: list[str] = []

    def heard(self, page: str, entry: Entry) -> None:
        self.heard_so_far.append(json.dumps(encode(entry)))

    def missed(self, page: str) -> None:
        raise AssertionError("nothing may be lost")


@asynccontextmanager
async def direct_backend(
    page_folder: Path, service: str, folder: Path, ear: Ear
) -> AsyncIterator[PageServer]:
    """A backend that gives its page keys for the service at this address."""
    page = load_page(page_folder)
    values = {"endpoint": service, "deployment": "any", "signalling": "direct"}
    configuration = Configuration((table(values, "this test"),))
    target = Target(service, FixedCredentials(Credential.api_key(KEY)))
    feed = Feed()
    feed.listen(ear)
    async with Calls.at(target) as calls:
        desk = Desk(page.build, calls, configuration, tools.Toolbox(folder), feed=feed)

        async def serve_bridge(bridge: web.WebSocketResponse) -> None:
            await BridgeLink(SocketLine(bridge), desk).serve()

        async with PageServer(
            page, listen(0), serve_bridge, services=target.offer_origins
        ) as server:
            yield server


async def everything(page: CallPage) -> str:
    """All that the page keeps where a script, or a person, could find it."""
    found: str = await page.page.evaluate(
        """async () => JSON.stringify({
             document: document.documentElement.outerHTML,
             address: String(location),
             stores: [{ ...localStorage }, { ...sessionStorage }, document.cookie],
             databases: (await indexedDB.databases()).length,
             names: Object.keys(globalThis).map((name) => {
               try { return JSON.stringify(globalThis[name]); } catch { return name; }
             }),
             asked: performance.getEntriesByType("resource").map(({ name }) => name),
           })"""
    )
    return found


async def test_a_page_calls_directly_and_keeps_no_key(
    chromium: Browser, built_page: Path, project: Path
) -> None:
    ear, offers = Ear(), list[Request]()
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=project) as service:
        address = await service.says(r"http://\S+")
        async with (
            direct_backend(built_page, address, project, ear) as server,
            open_page(chromium, server.url, Visit()) as page,
        ):
            page.page.on(
                "request", lambda each: offers.append(each) if "/calls" in each.url else None
            )
            await page.ready()
            answer = await page.page.context.request.get(server.url.partition("#")[0])
            policy = answer.headers["content-security-policy"]
            reached = policy.partition("connect-src ")[2].partition(";")[0].split()
            own = f"127.0.0.1:{server.port}"
            assert [each for each in reached if own not in each] == [address]

            await page.talk()
            await page.write("What is ten plus ten?")
            await page.answered("20")

            (offer,) = offers
            assert offer.url == f"{address}/openai/v1/realtime/calls"
            key = offer.headers["authorization"].removeprefix("Bearer ")
            assert key.startswith("ek_")
            await page.page.locator("#details > summary").click()
            async with page.page.expect_download() as coming:
                await page.button("Download").click()
            log = (await (await coming.value).path()).read_text("utf-8")
            assert "20" in log
            assert any('"answered"' in each for each in ear.heard_so_far)
            for kept in (log, await everything(page), "".join(ear.heard_so_far)):
                assert key not in kept
                assert KEY not in kept
            await page.stop()


async def test_a_service_out_of_reach_is_told_with_the_other_way(
    chromium: Browser, built_page: Path, project: Path
) -> None:
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=project) as service:
        address = await service.says(r"http://\S+")
        visit = Visit(expected_errors=("ERR_FAILED", "ERR_BLOCKED"))
        async with (
            direct_backend(built_page, address, project, Ear()) as server,
            open_page(chromium, server.url, visit) as page,
        ):
            await page.page.route("**/realtime/calls", lambda route: route.abort())
            await page.ready()
            await page.button("Talk").click()
            assert "relay" in await page.alert("direct-unreachable")
            await expect(page.alerts).to_have_count(1)
