"""A call over WebSocket: chosen, or because WebRTC gets no connection. The person notices the notice only."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.page.backends import KEY, backend, running
from tests.page.call_page import AUDIBLE, CallPage, Visit, open_page, words_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "What is twelve times seven?"
LONGEST_GAP_MS = 40
"""By which an answer may sound longer than it is."""

LIMIT_MS = 100
"""From a reason to be silent to silence, on a busy machine; the tests print what it was."""


@dataclass(frozen=True)
class Reach:
    """Opens pages of a backend with this transport; `control` switches the faults of its service."""

    browser: Browser
    page: Path
    folder: Path
    service: str

    @asynccontextmanager
    async def over(self, transport: str, **visit: object) -> AsyncIterator[CallPage]:
        async with (
            backend(self.page, self.service, self.folder, transport) as server,
            open_page(self.browser, server.url, Visit(**visit)) as page,
        ):
            await page.ready()
            yield page

    async def switch(self, method: str, name: str = "") -> None:
        address = f"{self.service}/_control/scenarios{name}"
        async with (
            aiohttp.ClientSession(headers={"api-key": KEY}) as http,
            http.request(method, address) as reply,
        ):
            assert reply.status == 200, await reply.text()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reach(chromium: Browser, built_page: Path, project: Path) -> AsyncIterator[Reach]:
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=project) as service:
        yield Reach(chromium, built_page, project, await service.says(r"http://\S+"))


async def test_a_spoken_question_is_answered_aloud_and_in_words(reach: Reach) -> None:
    async with reach.over("websocket") as page:
        await page.talk()
        assert await page.witness("made.peers") == 0
        assert await page.witness("openSockets()") == 1
        spoken = await page.speak(QUESTION)
        await page.answered("84")
        await expect(page.alerts).to_have_count(0)  # it was chosen

        user, assistant = await page.turns()
        assert words_of(user.text) == words_of(QUESTION)
        assert (assistant.text, assistant.status) == ("12 times 7 is 84.", "completed")
        states = [entry["state"] for entry in await page.witness("states")]
        turn = ["user-speaking", "thinking", "assistant-speaking", "listening"]
        assert states[states.index("connecting") :] == ["connecting", "listening", *turn]

        heard = [at for at, rms in await page.loudness() if at > spoken and rms > AUDIBLE]
        assert len(heard) * 5 > 500
        print(f"\nover WebSocket: first sound {heard[0] - spoken:.0f} ms after the question")
        total = await page.page.locator("#latency-total").inner_text()
        assert re.match(r"[\d.]+ m?s$", total)

        await page.page.locator("#details > summary").click()
        details = page.page.locator("#connection")
        await expect(details).to_contain_text("WebSocket")
        await expect(details).to_contain_text(re.compile(r"[1-9]\d* kbit/s"))


async def test_the_answer_sounds_without_gaps(reach: Reach) -> None:
    async with reach.over("websocket") as page:
        await page.talk()
        await page.write("Count to twenty.")
        await page.state("assistant-speaking")
        await page.answered("20")
        # What the player was given is what it played: a gap would have made the answer longer.
        sound = sum(event["delta"] for event in await page.events("response.output_audio.delta"))
        seconds = sound * 3 / 4 / 48_000
        heard = [at for at, rms in await page.loudness() if rms > AUDIBLE]
        print(f"\nan answer of {seconds:.2f} s sounded for {(heard[-1] - heard[0]) / 1000:.2f} s")
        assert heard[-1] - heard[0] <= seconds * 1000 + LONGEST_GAP_MS


async def counting(page: CallPage) -> None:
    """A call in which the assistant counts to forty, and is well under way."""
    await page.talk()
    await page.write("Count to forty.")
    await page.state("assistant-speaking")
    await page.until(f"witness.loudness.filter(([, rms]) => rms > {AUDIBLE}).length > 300")


async def last_sound_after(page: CallPage, cause: float) -> float:
    await page.until(f"witness.loudness.at(-1)[0] > {cause} + 400")
    sounding = [at for at, rms in await page.loudness() if rms > AUDIBLE]
    return max((at for at in sounding if cause < at < cause + 400), default=cause) - cause


async def test_speaking_cuts_the_answer_to_what_was_heard(reach: Reach) -> None:
    async with reach.over("websocket") as page:
        await counting(page)
        began = next(at for at, rms in await page.loudness() if rms > AUDIBLE)
        await page.speak("What is ten plus ten?")
        await page.answered("20")

        arrived = (await page.events("input_audio_buffer.speech_started"))[-1]["at"]
        silent = await last_sound_after(page, arrived)
        print(f"\nbarge-in over WebSocket: last sound after {silent:.0f} ms")
        assert silent <= LIMIT_MS

        # The service is told what was heard, to a twentieth of a second, and takes it at its word.
        (cut,) = await page.events("conversation.item.truncate")
        assert cut["audio_end_ms"] == pytest.approx(arrived - began, abs=150)
        (taken,) = await page.events("conversation.item.truncated")
        assert taken["audio_end_ms"] == cut["audio_end_ms"]
        turns = await page.turns()
        assert [turn.role for turn in turns] == ["user", "assistant"] * 2
        numbers = words_of(turns[1].text)
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        assert 1 <= len(numbers) < 40
        assert (turns[1].status, turns[1].remark) == ("interrupted", "Interrupted")
        assert turns[3].text == "10 plus 10 is 20."
        assert await page.events("error") == []


async def test_escape_stops_the_answer_and_the_call_goes_on(reach: Reach) -> None:
    async with reach.over("websocket") as page:
        await counting(page)
        await page.page.keyboard.press("Escape")
        await page.state("listening")
        pressed = (await page.changes("key"))[-1]["at"]
        assert await last_sound_after(page, pressed) <= LIMIT_MS
        await page.until(
            "witness.events.some(({ event }) => event.type === 'conversation.item.truncated')"
        )
        assert await page.events("output_audio_buffer.clear") == []
        await page.write("What is ten plus ten?")
        await page.answered("10 plus 10 is 20.")
        assert await page.events("error") == []


async def test_where_webrtc_gets_no_connection_the_call_goes_on_over_websocket(
    reach: Reach,
) -> None:
    await reach.switch("PUT", "/no-media")
    try:
        async with reach.over("auto") as page:
            await page.talk()
            (pressed,) = await page.changes("click")
            states = await page.witness("states")
            talking = next(each["at"] for each in states if each["state"] == "listening")
            print(f"\nwithout media: talking {(talking - pressed['at']) / 1000:.1f} s after Talk")
            assert talking - pressed["at"] < 8000
            told = await page.alert("websocket-fallback")
            assert "WebRTC gets no connection" in told
            assert "UDP and TCP to port 3478" in told
            assert await page.witness("livePeers()") == 0
            await page.speak(QUESTION)
            await page.answered("84")
            await page.alert("websocket-fallback")  # it stays as long as the call
            await page.stop()
            assert all(each["state"] == "ended" for each in await page.witness("microphones()"))
    finally:
        await reach.switch("DELETE")


async def test_a_muted_microphone_sends_silence(reach: Reach) -> None:
    async with reach.over("websocket") as page:
        await page.talk()
        await page.button("Mute").click()
        await page.speak(QUESTION)
        await page.write("What is ten plus ten?")
        await page.answered("20")
        assert await page.events("input_audio_buffer.speech_started") == []
        frames = await page.events("input_audio_buffer.append")
        assert len(frames) > 50  # silence is sent, not nothing: the service counts time by it
        assert all(frame["silent"] for frame in frames[-50:])
        await page.button("Unmute").click()
        await page.speak(QUESTION)
        await page.answered("84")


async def test_another_microphone_is_heard_in_the_same_call(reach: Reach) -> None:
    async with reach.over("websocket", on_cue=False) as page:
        await page.talk()
        picker = page.page.get_by_label("Microphone")
        await expect(picker.locator("option")).not_to_have_count(1)
        await picker.select_option(index=await picker.locator("option").count() - 1)
        await page.until("witness.microphones().length === 2")
        await page.until("witness.microphones()[0].state === 'ended'")
        since = await page.page.evaluate("Date.now()")
        await page.until(  # the browser's fake microphone beeps
            f"witness.events.filter(({{ at, event }}) => at > {since} && !event.silent"
            " && event.type === 'input_audio_buffer.append').length > 5"
        )
        await expect(page.alerts).to_have_count(0)
        await page.stop()
        assert all(each["state"] == "ended" for each in await page.witness("microphones()"))


async def test_a_tool_is_used_and_told(reach: Reach) -> None:
    async with reach.over("websocket") as page:
        await page.talk()
        await page.speak("List the files.")
        await page.answered("notes")
        await expect(page.log.locator(".tool[data-tool=list_files] summary")).to_have_text(
            "Tool list_files: done"
        )


async def test_stop_gives_everything_back_and_talk_works_again(reach: Reach) -> None:
    async with reach.over("websocket") as page:
        for _ in range(2):
            await page.talk()
            await page.write("What is ten plus ten?")
            await page.answered("20")
            await page.stop()
            assert all(each["state"] == "ended" for each in await page.witness("microphones()"))
            await page.until("witness.openSockets() === 0")
        # One context, however many calls.
        assert await page.witness("made.contexts") == 2
        log = await page.page.evaluate("() => document.getElementById('events').textContent")
        assert "AAAA" not in log


async def test_a_service_that_refuses_says_why(reach: Reach) -> None:
    stranger = "http://127.0.0.1:9"  # the discard service: nobody listens
    gone = Reach(reach.browser, reach.page, reach.folder, stranger)
    async with gone.over("websocket") as page:
        await page.button("Talk").click()
        await page.state("failed")
        await page.alert("service-unreachable")
        assert all(each["state"] == "ended" for each in await page.witness("microphones()"))
