"""@openai/agents-realtime, unmodified, in a real browser, holds a spoken call with the service."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright
from tests import voices
from tests.clients.service import KEY, ROOT, Service, words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = ROOT / "tests" / "clients"
CHROMIUM = os.environ.get("VOICEPILOT_CHROMIUM", "/usr/bin/chromium")
QUESTION = "What is seven times eight?"
BEFORE_QUESTION_MS = 3500
"""The browser's microphone starts when it is opened; by then the session must have begun."""

WITHIN_S = 20.0
POLL_MS = 50
AUDIBLE = 1e-3
"""Energy as WebRTC's statistics count it: 1 is a second at full scale."""


class Client:
    """The page with the public client, connected."""

    def __init__(self, page: Page, call_id: str, preflights: list[dict[str, str]]) -> None:
        self.page = page
        self.call_id = call_id
        self.preflights = preflights

    async def state(self) -> dict[str, Any]:
        """What the client knows of its call."""
        state: dict[str, Any] = await self.page.evaluate("client.state()")
        return state

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask the page until its state is as wanted, and return it: energy comes without news."""
        state: dict[str, Any] = {}
        try:
            async with asyncio.timeout(WITHIN_S):
                while not holds(state := await self.state()):
                    await self.page.wait_for_timeout(POLL_MS)
        except TimeoutError:
            pytest.fail(f"it has not happened within {WITHIN_S} s; {state}")
        return state

    async def silent(self) -> None:
        """Wait until a quarter of a second has brought no sound."""
        readings: list[float] = []

        def unchanged(state: dict[str, Any]) -> bool:
            readings.append(state["energy"])
            return len(readings) > 5 and readings[-1] - readings[-6] < AUDIBLE / 1000

        await self.until(unchanged)

    async def say(self, text: str) -> None:
        """Type a message."""
        await self.page.evaluate("(text) => client.say(text)", text)


def said(state: dict[str, Any], role: str) -> list[str]:
    """What ``role`` has said or typed so far, a text a message, as the client's history holds it."""
    return [
        " ".join(part.get("transcript") or part.get("text") or "" for part in item["content"])
        for item in state["history"]
        if item["type"] == "message" and item["role"] == role
    ]


def starts(state: dict[str, Any]) -> int:
    """How many answers have begun to sound."""
    count: int = state["events"].count("output_audio_buffer.started")
    return count


def answered(text: str, answers: list[str]) -> bool:
    return any(text in answer for answer in answers)


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's page, bundled."""
    folder = tmp_path_factory.mktemp("agents")
    shutil.copy(HERE / "index.html", folder)
    packages = ROOT / "webview" / "node_modules"
    subprocess.run(
        [
            *(str(packages / ".bin" / "esbuild"), str(HERE / "agents_page.js"), "--bundle"),
            *("--format=esm", "--platform=browser", "--log-level=warning"),
            f"--outfile={folder / 'page.js'}",
        ],
        env={**os.environ, "NODE_PATH": str(packages)},
        check=True,
    )
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page_address(page_folder: Path) -> AsyncIterator[str]:
    """Where the page is served: an origin that is not the service's."""
    application = web.Application()
    application.router.add_static("/", page_folder)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/index.html"
    await runner.cleanup()


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's microphone hears, once."""
    return voices.write_wav(
        tmp_path_factory.mktemp("microphone") / "question.wav",
        voices.sentence(QUESTION),
        lead_silence_ms=BEFORE_QUESTION_MS,
        tail_silence_ms=2000,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(microphone: Path) -> AsyncIterator[Browser]:
    arguments = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # as root, Chromium starts only without it
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(browser: Browser, service: Service, page_address: str) -> AsyncIterator[Client]:
    """The client in its call; the tests go through it in their order."""
    context = await browser.new_context(permissions=["microphone"])
    page = await context.new_page()
    preflights: list[dict[str, str]] = []
    network = await context.new_cdp_session(page)
    await network.send("Network.enable")

    def requested(event: dict[str, Any]) -> None:
        if event["request"]["method"] == "OPTIONS":
            preflights.append(event["request"]["headers"])

    network.on("Network.requestWillBeSent", requested)
    await page.goto(page_address)
    call_id = await page.evaluate(
        "([address, key]) => client.connect(address, key)",
        [f"{service.openai_base}/realtime/calls", await ephemeral_key(service)],
    )
    yield Client(page, call_id, preflights)
    await page.evaluate("client.close()")
    await context.close()


async def ephemeral_key(service: Service) -> str:
    """A key minted as a backend does it."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{service.openai_base}/realtime/client_secrets",
            headers={"Authorization": f"Bearer {KEY}"},
            json={"session": {"type": "realtime", "model": "my-deployment"}},
        ) as reply,
    ):
        assert reply.status == 200, await reply.text()
        value: str = (await reply.json())["value"]
        return value


async def test_the_browser_lets_it_call_from_another_origin(client: Client) -> None:
    (preflight,) = client.preflights
    asked = preflight["Access-Control-Request-Headers"]
    assert {"authorization", "content-type", "x-openai-agents-sdk"} <= set(asked.split(","))
    assert client.call_id.startswith("rtc_"), "the Location header can be read"


async def test_a_spoken_turn_is_in_the_history_and_its_answer_is_heard(client: Client) -> None:
    state = await client.until(
        lambda state: answered("56", said(state, "assistant")) and any(said(state, "user"))
    )
    assert [words(text) for text in said(state, "user")] == [words(QUESTION)]
    assert len(said(state, "assistant")) == 1
    sounding = await client.until(lambda now: "output_audio_buffer.stopped" in now["events"])
    assert sounding["energy"] > AUDIBLE
    assert sounding["errors"] == []


async def test_a_tool_is_called_and_its_result_is_told(client: Client) -> None:
    before = await client.state()
    await client.say("Please get the weather in Paris.")
    state = await client.until(
        lambda state: (
            answered("snowing in Paris", said(state, "assistant"))
            and state["events"].count("output_audio_buffer.stopped")
            > before["events"].count("output_audio_buffer.stopped")
        )
    )
    assert state["asked"] == ["Paris"]
    (call,) = (item for item in state["history"] if item["type"] == "function_call")
    assert (call["name"], call["status"]) == ("get_weather", "completed")
    assert call["output"] == "It is snowing in Paris."
    assert state["energy"] > before["energy"] + AUDIBLE
    assert state["errors"] == []


async def test_an_interrupted_answer_falls_silent_and_the_call_goes_on(client: Client) -> None:
    before = await client.state()
    await client.say("Count to thirty.")
    begun = await client.until(lambda state: starts(state) > starts(before))
    await client.until(lambda state: state["seconds"] > begun["seconds"] + 1.5)
    await client.page.evaluate("client.interrupt()")
    await client.until(lambda state: "output_audio_buffer.cleared" in state["events"])
    await client.silent()
    state = await client.until(lambda state: "30" not in said(state, "assistant")[-1])
    assert said(state, "assistant")[-1].startswith("1, 2"), "the history keeps what was heard"
    assert state["energy"] > begun["energy"] + AUDIBLE
    assert "output_audio_buffer.stopped" not in state["events"][len(begun["events"]) :]

    await client.say("What is two plus two?")
    state = await client.until(
        lambda state: (
            answered("4", said(state, "assistant")[-1:])
            and state["events"][-1] == "output_audio_buffer.stopped"
        )
    )
    assert state["status"] == "connected"
    assert state["errors"] == []
