"""A second connection to a running call, and the filter for the page that it goes around."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.emulator import recorded
from tests.emulator.test_sockets import ask, configure

from voicepilot.emulator.call import FOR_FILTERED_PAGES

if TYPE_CHECKING:
    from tests.emulator.client import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITHIN_S = 10.0


async def test_a_sideband_steers_the_call_and_hears_all_that_a_filtered_page_does_not(
    bench: Bench,
) -> None:
    minted = await bench.mint()
    page = await bench.connect(
        minted["value"],
        "/openai/v1/realtime/calls",
        query={"webrtcfilter": "on"},
        first=None,
    )
    async with bench.socket({"call_id": page.call_id}) as beside:
        page_open = asyncio.Event()
        page.channel.on("open", page_open.set)
        if page.channel.readyState != "open":
            await asyncio.wait_for(page_open.wait(), WITHIN_S)
        await configure(beside, instructions="Answer in two words.")
        mark = len(beside.events)
        await ask(beside, "What is two plus two?")
        await beside.wait("output_audio_buffer.stopped", within=20)
        heard = recorded.order(beside.types(mark), without=["output_audio_buffer"])
        # The sound itself is on the page's track, not in events.
        spoken = [kind for kind in recorded.TYPED_AUDIO if kind != "response.output_audio.delta"]
        assert list(heard) == spoken
        assert [each for event in beside.events for each in recorded.differences(event)] == []

        await page.wait("output_audio_buffer.stopped")
        assert set(page.types()) <= FOR_FILTERED_PAGES
        assert "response.output_audio_transcript.done" in page.types()
        assert page.loud_at

        # What the page asks for reaches the session, though its answer does not reach the page.
        page.send("input_audio_buffer.clear")
        await beside.wait("input_audio_buffer.cleared")
        assert "input_audio_buffer.cleared" not in page.types()
    await page.close()


async def test_the_page_without_filter_hears_what_a_sideband_does(bench: Bench) -> None:
    page = await bench.call()
    async with bench.socket({"call_id": page.call_id}) as beside:
        await configure(beside, output_modalities=["text"])
        await ask(beside, "What is two plus two?")
        ours = await beside.wait("response.done")
        theirs = await page.wait("response.done")
        assert ours == theirs
        assert "session.created" not in beside.types(), "it came after that"
        assert page.types(1) == beside.types()
    await page.close()


@pytest.mark.parametrize("kind", ["input_audio_buffer.append", "input_audio_buffer.commit"])
async def test_a_sideband_brings_no_sound(bench: Bench, kind: str) -> None:
    page = await bench.call()
    async with bench.socket({"call_id": page.call_id}) as beside:
        await beside.send(kind, event_id="mine")
        error = (await beside.wait("error"))["error"]
        assert (error["code"], error["event_id"]) == ("invalid_value", "mine")
        assert "sideband" in error["message"]
    await page.close()


async def test_the_end_of_the_call_closes_it_cleanly(bench: Bench) -> None:
    page = await bench.call()
    query = {"call_id": page.call_id}
    async with bench.socket(query) as beside, asyncio.timeout(WITHIN_S):
        await page.close()
        assert await beside.closed() == 1000
    status, error = await bench.refused(query)
    assert (status, error["code"]) == (404, "call_id_not_found")


async def test_a_sideband_that_leaves_does_not_end_the_call(bench: Bench) -> None:
    page = await bench.call()
    async with bench.socket({"call_id": page.call_id}) as beside:
        await configure(beside)
    page.send("input_audio_buffer.clear")
    await page.wait("input_audio_buffer.cleared")
    await page.close()


async def test_only_the_standing_key_opens_one_and_only_to_a_call_that_runs(bench: Bench) -> None:
    page = await bench.call()
    key = (await bench.mint())["value"]
    for headers in ({}, {"Authorization": f"Bearer {key}"}, {"api-key": "wrong"}):
        status, error = await bench.refused({"call_id": page.call_id}, headers=headers)
        assert (status, error["code"]) == (401, "401")
    status, error = await bench.refused({"call_id": f"rtc_{'0' * 32}"})
    assert (status, error["code"]) == (404, "call_id_not_found")
    await page.close()
