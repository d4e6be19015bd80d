"""A recording, served back: what a client is sent is what was recorded, in step with what it asks."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.emulator.client import Bench

from voicepilot.emulator.recording import EmptyRecordingError, RecordedCalls
from voicepilot.emulator.service import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "standing"


def line(direction: str, kind: str, call: int = 1, at: float = 0.0, **fields: Any) -> str:
    event = {"type": kind, **fields}
    return json.dumps({"at": at, "direction": direction, "call": call, "event": event})


RECORDING = [
    json.dumps({"recording": 1, "voicepilot": "0", "started": "", "service": ""}),
    json.dumps({"at": 0, "direction": "request", "number": 1, "method": "POST", "path": "/x"}),
    line("received", "session.created", at=4.0, session={"id": "s1", "expires_at": 5}),
    line("received", "input_audio_buffer.speech_started", at=4.1, item_id="u1"),
    line("sent", "conversation.item.create", at=60.0, item={}),
    line("sent", "response.create", at=60.0),
    line("received", "response.created", at=60.1, response={"id": "r1"}),
    line("sent", "response.cancel", at=60.2),
    line("received", "response.output_audio.delta", at=60.2, delta="~8"),
    line("received", "response.done", at=60.2, response={"id": "r1"}),
    line("received", "session.created", call=2, at=70.0, session={"id": "s2"}),
    line("sent", "session.update", call=3, at=80.0),
]


@asynccontextmanager
async def serving(lines: list[str]) -> AsyncIterator[Bench]:
    until = asyncio.Event()
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    recorded = RecordedCalls.read(lines)
    work = run(0, KEY, announce=said.set_result, until=until, recorded=recorded)
    serving = asyncio.create_task(work)
    try:
        async with aiohttp.ClientSession() as http:
            yield Bench((await said).split()[1], http, KEY)
    finally:
        until.set()
        await serving


async def test_a_call_is_played_in_step_with_the_client() -> None:
    async with serving(RECORDING) as bench:
        client = await bench.call()
        await client.wait("input_audio_buffer.speech_started")
        assert client.events[0]["session"]["id"] == "s1"
        assert client.events[0]["session"]["expires_at"] > 1_000_000_000
        # An answer that was asked for a minute later comes as soon as it is asked for now.
        client.send("response.create")
        client.send("conversation.item.create", item={})
        await client.wait("response.done")
        assert client.types()[2:] == [
            "response.created",
            "response.output_audio.delta",
            "response.done",
        ]
        assert base64.b64decode(client.events[3]["delta"]) == bytes(6)
        await client.close()

        second = await bench.call()
        assert second.events[0]["session"]["id"] == "s2"
        await second.close()
        # After the last comes the first: one in which only the client spoke is none.
        async with bench.socket({"model": "any"}) as client:
            await client.wait("input_audio_buffer.speech_started")
            assert client.events[0]["session"]["id"] == "s1"


async def test_before_it_is_asked_the_service_does_not_answer() -> None:
    async with serving(RECORDING) as bench, bench.socket({"model": "any"}) as client:
        await client.wait("input_audio_buffer.speech_started")
        await client.send("conversation.item.create", item={})
        await client.send("input_audio_buffer.clear")
        with pytest.raises(TimeoutError):
            await client.wait("response.created", within=0.3)
        await client.send("response.create")
        await client.wait("response.done")


async def test_a_sideband_hears_what_the_page_hears_and_ends_with_the_call() -> None:
    async with serving(RECORDING) as bench:
        page = await bench.call()
        async with bench.socket({"call_id": page.call_id}) as beside:
            page.send("conversation.item.create", item={})
            await beside.send("response.create")
            await beside.wait("response.done")
            await page.close()
            async with asyncio.timeout(20):
                assert await beside.closed() == 1000


async def test_a_recording_without_a_call_is_refused() -> None:
    with pytest.raises(EmptyRecordingError):
        RecordedCalls.read(RECORDING[:2])
