"""What does the page show when the service breaks in each of its ways? And afterwards Talk works.

One page holds all calls, one after the other, so its transcript grows: nothing that was said may be lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.page.backends import KEY, backend, running
from tests.page.call_page import CallPage, Visit, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "What is ten plus ten?"


@dataclass(frozen=True)
class Fragile:
    """A page, and the switches of the service behind it."""

    page: CallPage
    http: aiohttp.ClientSession
    control: str

    async def switch(self, method: str, name: str = "") -> None:
        headers = {"api-key": KEY}
        async with self.http.request(method, f"{self.control}{name}", headers=headers) as reply:
            assert reply.status == 200, await reply.text()

    @asynccontextmanager
    async def broken(self, name: str) -> AsyncIterator[None]:
        """The service with this scenario on."""
        await self.switch("PUT", f"/{name}")
        try:
            yield
        finally:
            await self.switch("DELETE")

    async def ask(self, words: str = QUESTION, answer: str = "20") -> None:
        """A question in writing, and its answer heard to its end."""
        answers = self.page.turn("assistant", answer)
        before = await answers.count()
        await self.page.write(words)
        await expect(answers).to_have_count(before + 1, timeout=15_000)
        await self.page.answered(answer)

    async def notice(self, code: str, *words: str) -> None:
        """This notice is shown, with these words, and the call goes on."""
        told = await self.page.alert(code)
        for part in words:
            assert part in told
        await self.page.state("listening")

    async def failed(self, code: str, *words: str) -> None:
        """The call failed with this problem, told with these words; nothing stayed open."""
        page = self.page
        told = await page.alert(code)
        for part in words:
            assert part in told
        await page.state("failed")
        assert await page.witness("livePeers()") == 0
        assert all(track["state"] == "ended" for track in await page.witness("microphones()"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def one_page(chromium: Browser, built_page: Path, project: Path) -> AsyncIterator[Fragile]:
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=project) as service, aiohttp.ClientSession() as http:
        address = await service.says(r"http://\S+")
        async with (
            backend(built_page, address, project) as server,
            # The witness, too, stumbles over what is no JSON.
            open_page(chromium, server.url, Visit(expected_errors=("JSON",))) as page,
        ):
            await page.ready()
            fragile = Fragile(page, http, f"{address}/_control/scenarios")
            await page.talk()
            await fragile.ask()
            await page.stop()
            yield fragile


@pytest_asyncio.fixture(loop_scope="session")
async def fragile(one_page: Fragile) -> AsyncIterator[Fragile]:
    """The page at rest; afterwards every turn is still there, and Talk works or the call went on."""
    page = one_page.page
    before = [(turn.role, turn.text) for turn in await page.turns()]
    yield one_page
    if await page.main.get_attribute("data-state") == "failed":
        await page.talk()
        await expect(page.alerts).to_have_count(0)
    await page.stop()
    assert [(turn.role, turn.text) for turn in await page.turns()][: len(before)] == before


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("mint-401", "key-refused", ("does not accept the key (status 401: ", "Check the key")),
        ("mint-403-role", "role-missing", ("no role", "Cognitive Services OpenAI User")),
        ("mint-404-deployment", "deployment-missing", ("no deployment", "not the model's")),
        ("mint-429", "service-throttled", ("quota", "Wait 20 seconds, then press Talk")),
        ("mint-503", "service-failed", ("status 503: ServiceUnavailable", "Press Talk again")),
        ("key-expired", "call-key-refused", ("short-lived key", "Press Talk again for a new key")),
        ("sdp-400", "offer-refused", ("description of the call (status 400", "Press Talk again")),
    ],
)
async def test_a_call_that_is_refused(
    fragile: Fragile, name: str, code: str, words: tuple[str, ...]
) -> None:
    async with fragile.broken(name):
        await fragile.page.button("Talk").click()
        await fragile.failed(code, *words)


async def test_slow_sdp(fragile: Fragile) -> None:
    async with fragile.broken("slow-sdp"):
        await fragile.page.button("Talk").click()
        await fragile.page.state("connecting")
        await fragile.page.state("listening")
        await fragile.ask()
        await expect(fragile.page.alerts).to_have_count(0)


async def test_no_media(fragile: Fragile) -> None:
    async with fragile.broken("no-media"):
        await fragile.page.talk()
        await fragile.notice("websocket-fallback", "goes over WebSocket", "to port 3478")
        await fragile.ask()


async def test_udp_blocked(fragile: Fragile) -> None:
    async with fragile.broken("udp-blocked"):
        await fragile.page.talk()
        await fragile.ask()
        summary = fragile.page.page.locator("#details > summary")
        await summary.click()
        await expect(fragile.page.page.locator("#details")).to_contain_text("TCP")
        await summary.click()


async def test_cut_link(fragile: Fragile) -> None:
    await fragile.page.talk()
    async with fragile.broken("cut-link"):
        await fragile.page.state("reconnecting")
        await fragile.failed("connection-lost", "was lost", "the transcript stays here")


async def test_close_channel(fragile: Fragile) -> None:
    await fragile.page.talk()
    async with fragile.broken("close-channel"):
        await fragile.failed("connection-lost", "was lost", "Press Talk to call again")


async def test_session_expires(fragile: Fragile) -> None:
    await fragile.page.talk()
    async with fragile.broken("session-expires:1"):
        await fragile.failed("session-expired", "the longest time", "Press Talk to call again")


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("rate_limit_exceeded", "response-failed", ("Rate limit", "Ask again")),
        ("content_filter", "response-filtered", ("content filter", "Ask in other words")),
    ],
)
async def test_response_failed(
    fragile: Fragile, reason: str, code: str, words: tuple[str, ...]
) -> None:
    await fragile.page.talk()
    async with fragile.broken(f"response-failed:{reason}"):
        await fragile.page.write(QUESTION)
        await fragile.notice(code, *words)
    await fragile.ask()
    await expect(fragile.page.alerts).to_have_count(0)


async def test_transcription_failed(fragile: Fragile) -> None:
    await fragile.page.talk()
    async with fragile.broken("transcription-failed"):
        await fragile.page.speak(QUESTION)
        await fragile.page.answered("20")
        await fragile.notice("transcription-missing", "no such transcription deployment", "goes on")
        user, _ = (await fragile.page.turns())[-2:]
        assert user.text == "Your words were not written down."


async def test_transcript_late(fragile: Fragile) -> None:
    await fragile.page.talk()
    async with fragile.broken("transcript-late"):
        before = len(await fragile.page.turns())
        await fragile.page.speak(QUESTION)
        pending = fragile.page.turn("user", "Writing down what you said")
        await expect(pending).to_be_visible()
        await fragile.page.answered("20")
        await expect(pending).to_have_count(0, timeout=8000)
        user, assistant = (await fragile.page.turns())[before:]
        assert (user.role, assistant.role) == ("user", "assistant")  # where it was said
        assert "10 plus 10" in user.text.lower().replace("ten", "10")
        await expect(fragile.page.alerts).to_have_count(0)


async def test_ignore_session_update(fragile: Fragile) -> None:
    async with fragile.broken("ignore-session-update"):
        await fragile.page.talk()
        await fragile.ask()  # everything was said when the key was minted
        sent = await fragile.page.events("session.update")
        assert sent == []


async def test_garbage_events(fragile: Fragile) -> None:
    page = fragile.page
    async with fragile.broken("garbage-events"):
        await page.talk()
        before, answers = len(await page.turns()), await page.turn("assistant", "20").count()
        await fragile.ask("What is twelve times seven?", "84")
        await page.speak(QUESTION)
        await expect(page.turn("assistant", "20")).to_have_count(answers + 1)
        await page.answered("20")
        turns = (await page.turns())[before:]
        assert [turn.role for turn in turns] == ["user", "assistant"] * 2
        texts = [turn.text for turn in turns]
        assert texts[:2] == ["What is twelve times seven?", "12 times 7 is 84."]
        assert texts[3] == "10 plus 10 is 20."
        await expect(page.alerts).to_have_count(0)


async def test_silent_model(fragile: Fragile) -> None:
    page = fragile.page
    await page.talk()
    async with fragile.broken("silent-model"):
        await page.speak(QUESTION)
        await page.state("thinking")
        await fragile.notice("no-answer", "not answered for 5 seconds", "Ask again")
    await fragile.ask()
    await expect(page.alerts).to_have_count(0)


async def test_preview_only(fragile: Fragile) -> None:
    """The last: the backend remembers what the resource knows."""
    page = fragile.page
    async with fragile.broken("preview-only"):
        await page.talk()
        await fragile.ask()
        await page.speak(QUESTION)
        await expect(page.alerts).to_have_count(0)
        assert await page.events("response.audio_transcript.delta")
        before = len(await page.events("response.output_audio_transcript.delta"))
        await page.stop()
        await page.talk()
        await fragile.ask()
        assert len(await page.events("response.output_audio_transcript.delta")) == before
