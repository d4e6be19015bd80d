"""Ways to the service beside the relay: the page posts its own offer, the backend takes part in the call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Request, expect
from tests.page.backends import KEY, running
from tests.page.call_page import CallPage, Visit, open_page

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.azure.sideband import Sidebands
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
    """Hears the feed, and the sidebands."""

    def __init__(self) -> None:
        self.heard_so_far: list[str] = []
        self.answered: list[str] = []
        """The function calls that were answered, as the service says, as often as they were."""

    def heard(self, page: str, entry: Entry) -> None:
        self.heard_so_far.append(json.dumps(encode(entry)))

    def overheard(self, event: dict[str, Any], call_id: str) -> None:
        match event:
            case {
                "type": "conversation.item.added",
                "item": {"type": "function_call_output", "call_id": str(name)},
            }:
                self.answered.append(name)

    def missed(self, page: str) -> None:
        raise AssertionError("nothing may be lost")


@asynccontextmanager
async def configured_backend(
    page_folder: Path, service: str, folder: Path, ear: Ear, **values: object
) -> AsyncIterator[PageServer]:
    """A backend as `serve` has it, with these settings, for the service at this address."""
    page = load_page(page_folder)
    values = {"endpoint": service, "deployment": "any", **values}
    configuration = Configuration((table(values, "this test"),))
    target = Target(service, FixedCredentials(Credential.api_key(KEY)))
    feed = Feed()
    feed.listen(ear)
    toolbox = tools.Toolbox(folder)
    services = target.offer_origins if values.get("signalling") == "direct" else ()
    async with Calls.at(target) as calls, Sidebands(toolbox.run, ear) as sidebands:
        desk = Desk(*(page.build, calls, configuration, toolbox), feed=feed, sidebands=sidebands)

        async def serve_bridge(bridge: web.WebSocketResponse) -> None:
            await BridgeLink(SocketLine(bridge), desk).serve()

        async with PageServer(page, listen(0), serve_bridge, services=services) as server:
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
            configured_backend(built_page, address, project, ear, signalling="direct") as server,
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
            configured_backend(built_page, address, project, Ear(), signalling="direct") as server,
            open_page(chromium, server.url, visit) as page,
        ):
            await page.page.route("**/realtime/calls", lambda route: route.abort())
            await page.ready()
            await page.button("Talk").click()
            assert "relay" in await page.alert("direct-unreachable")
            await expect(page.alerts).to_have_count(1)


async def test_with_a_sideband_the_backend_answers_and_the_page_asks_on(
    chromium: Browser, built_page: Path, project: Path
) -> None:
    ear = Ear()
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=project) as service:
        address = await service.says(r"http://\S+")
        async with (
            configured_backend(built_page, address, project, ear, sideband=True) as server,
            open_page(chromium, server.url, Visit()) as page,
        ):
            await page.ready()
            await page.talk()
            await page.write("What is in notes.txt?")
            await page.answered("Tuesday")
            await page.write("What is in budget.csv?")
            await page.answered("chair")
            assert len(ear.answered) == len(set(ear.answered)) == 2
            sent = [each["item"]["type"] for each in await page.events("conversation.item.create")]
            assert sent == ["message", "message"], "the page sent no output itself"
            await page.stop()
