"""Sessions over WebSocket: turns, sound both ways, what is refused; against the recorded facts."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import numpy as np
import pytest
from tests import voices
from tests.emulator import recorded
from tests.emulator.client import Bench
from tests.emulator.contract import complaints

from voicepilot.emulator.client_audio import LONGEST_APPEND
from voicepilot.emulator.scenarios import Faults
from voicepilot.emulator.service import run

if TYPE_CHECKING:
    from tests.emulator.client import SocketClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODEL = {"model": "my-deployment"}
TOOL = {
    "type": "function",
    "name": "list_files",
    "description": "List the files of the folder",
    "parameters": {"type": "object", "properties": {}},
}
LONG = "repeat after me: " + "We walk along the river, and we talk about the boats. " * 4


async def ask(client: SocketClient, text: str, **response: Any) -> None:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await client.send("conversation.item.create", item=item)
    await client.send("response.create", response=response)


async def configure(client: SocketClient, **session: Any) -> None:
    await client.send("session.update", session={"type": "realtime", **session})
    await client.wait("session.updated")


def is_as_recorded(client: SocketClient) -> None:
    assert [each for event in client.events for each in recorded.differences(event)] == []
    assert [each for event in client.events for each in complaints(event)] == []


async def test_a_typed_turn_is_written_in_the_recorded_order(bench: Bench) -> None:
    async with bench.socket(MODEL) as client:
        created = await client.wait("session.created")
        assert created["session"]["model"] == "my-deployment"
        assert 3590 <= created["session"]["expires_at"] - time.time() <= 3600
        await ask(client, "What is two plus two?", output_modalities=["text"])
        done = await client.wait("response.done")
        assert "4" in done["response"]["output"][0]["content"][0]["text"]
        assert recorded.order(client.types(1)) == recorded.TYPED_TEXT
        is_as_recorded(client)


async def test_an_answer_sounds_in_events_faster_than_it_is_heard(bench: Bench) -> None:
    async with bench.socket(MODEL) as client:
        await ask(client, LONG)
        begun = await client.wait("response.output_audio.delta")
        done = await client.wait("response.done")
        assert recorded.order(client.types(1)) == recorded.TYPED_AUDIO
        is_as_recorded(client)

        sound = client.sound()
        seconds = len(sound) / 24_000
        first, last = (client.arrived[client.events.index(event)] for event in (begun, done))
        assert seconds / 8 < last - first < seconds / 2
        tokens = done["response"]["usage"]["output_token_details"]["audio_tokens"]
        assert abs(tokens * 50 / 1000 - seconds) < 0.1
        assert np.abs(sound.astype(np.int32)).max() > 8000
        again = voices.sentence(done["response"]["output"][0]["content"][0]["transcript"])
        assert np.array_equal(sound, again)


async def test_a_tool_is_called_in_the_recorded_order(bench: Bench) -> None:
    async with bench.socket(MODEL) as client:
        await client.wait("session.created")
        await configure(client, tools=[TOOL])
        await ask(client, "List the files, please.")
        done = await client.wait("response.done")
        assert recorded.order(client.types(2)) == recorded.TOOL_CALL
        output = {
            "type": "function_call_output",
            "call_id": done["response"]["output"][0]["call_id"],
            "output": '["apple.txt"]',
        }
        mark = len(client.events)
        await client.send("conversation.item.create", item=output)
        await client.wait("conversation.item.done", after=mark)
        is_as_recorded(client)


async def test_what_is_appended_is_heard_transcribed_and_answered(bench: Bench) -> None:
    async with bench.socket(MODEL) as client:
        await client.wait("session.created")
        transcription = {"model": "gpt-realtime-whisper"}
        await configure(client, audio={"input": {"transcription": transcription}})
        mark = len(client.events)
        question = await asyncio.to_thread(voices.sentence, "What is seven times eight?")
        await client.say(np.concatenate((question, voices.silence(600))))
        done = await client.wait("response.done", within=20)
        assert "56" in done["response"]["output"][0]["content"][0]["transcript"]
        types = client.types(mark)
        assert recorded.order(types, without=["input_audio_transcription"]) == recorded.SPOKEN
        completed = await client.wait("conversation.item.input_audio_transcription.completed")
        assert types.index("response.created") < types.index(completed["type"])
        assert re.findall(r"[a-z]+", completed["transcript"].lower())[:2] == ["what", "is"]
        assert completed["usage"]["type"] == "duration"
        is_as_recorded(client)


async def test_an_interruption_is_the_clients_to_cut(bench: Bench) -> None:
    please = await asyncio.to_thread(voices.sentence, "Please stop now.")
    async with bench.socket(MODEL) as client:
        await ask(client, LONG)
        item_id = (await client.wait("response.output_audio.delta"))["item_id"]
        await client.say(please)
        done = await client.wait("response.done")
        assert done["response"]["status_details"]["reason"] == "turn_detected"
        mark = len(client.events)
        assert not [kind for kind in client.types() if kind.startswith("output_audio_buffer")]
        assert "conversation.item.truncated" not in client.types()

        await client.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=700
        )
        truncated = await client.wait("conversation.item.truncated")
        assert truncated["audio_end_ms"] == 700
        await client.send("conversation.item.retrieve", item_id=item_id)
        kept = (await client.wait("conversation.item.retrieved"))["item"]["content"][0]
        assert 0 < len(kept["transcript"]) < 40
        assert "response.output_audio.delta" not in [
            e["type"] for e in client.events[mark:] if e.get("item_id") == item_id
        ]


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
        ({"type": "input_audio_buffer.append", "audio": 7}, "invalid_value", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "AA=="}, "invalid_value", "audio"),
        ({"type": "input_audio_buffer.append", "audio": "?"}, "invalid_value", "audio"),
        ({"type": "output_audio_buffer.clear"}, "invalid_value", "type"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
        (
            {"type": "session.update", "session": {"type": "transcription"}},
            "invalid_value",
            "session.type",
        ),
        (
            {"type": "session.update", "session": {"type": "realtime", "voice": "alloy"}},
            "unknown_parameter",
            "session.voice",
        ),
    ],
)
async def test_what_is_wrong_is_answered_and_the_session_goes_on(
    bench: Bench, event: dict[str, Any], code: str, param: str | None
) -> None:
    async with bench.socket(MODEL) as client:
        await client.socket.send_json({**event, "event_id": "mine"})
        error = (await client.wait("error"))["error"]
        assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
        await client.send("input_audio_buffer.clear")
        await client.wait("input_audio_buffer.cleared")


async def test_more_than_15_mib_at_once_is_refused_and_nothing_heard(bench: Bench) -> None:
    async with bench.socket(MODEL) as client:
        await client.send("input_audio_buffer.append", audio="A" * (LONGEST_APPEND + 4))
        error = (await client.wait("error"))["error"]
        assert (error["code"], error["param"]) == ("string_above_max_length", "audio")
        assert "input_audio_buffer.speech_started" not in client.types()


async def test_a_message_that_is_no_event_at_all_closes_nothing(bench: Bench) -> None:
    async with bench.socket(MODEL) as client:
        await client.socket.send_str("no JSON")
        assert (await client.wait("error"))["error"]["code"] == "invalid_json"
        await client.socket.send_bytes(b'{"type": "input_audio_buffer.clear"}')
        await client.wait("input_audio_buffer.cleared")


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        (MODEL, {}, 401, "401"),
        (MODEL, {"api-key": "wrong"}, 401, "401"),
        (MODEL, {"Authorization": "Bearer ek_unknown"}, 401, "Unauthorized"),
        ({**MODEL, "api-version": "2025-04-01-preview"}, {"api-key": "standing"}, 401, "401"),
        ({}, {"api-key": "standing"}, 400, "OperationNotSupported"),
        ({"intent": "dictation"}, {"api-key": "standing"}, 400, "OperationNotSupported"),
        ({"model": "gpt-live-transcribe"}, {"api-key": "standing"}, 401, "Unauthorized"),
    ],
)
async def test_a_handshake_is_refused_with_azures_words(
    bench: Bench, query: dict[str, str], headers: dict[str, str], status: int, code: str
) -> None:
    refused, error = await bench.refused(query, headers=headers)
    assert (refused, error["code"]) == (status, code)
    if code == "OperationNotSupported":
        assert error["message"] == (
            "This operation requires either deployment=<deployment-id> or "
            "intent=transcription present on the querystring."
        )


async def test_what_is_no_handshake_is_told_so(bench: Bench) -> None:
    async with bench.http.get(
        f"{bench.base}/openai/v1/realtime", params=MODEL, headers={"api-key": "standing"}
    ) as reply:
        assert (reply.status, (await reply.json())["error"]["code"]) == (426, "UpgradeRequired")


@pytest.mark.parametrize("way", ["bearer", "query", "ephemeral", "openai path"])
async def test_keys_are_taken_in_every_documented_way(bench: Bench, way: str) -> None:
    query, path, headers = dict(MODEL), "/openai/v1/realtime", {}
    if way == "query":
        query["api-key"] = "standing"
    elif way == "ephemeral":
        key = (await bench.mint({"instructions": "From the key."}))["value"]
        headers = {"Authorization": f"Bearer {key}"}
    else:
        headers = {"Authorization": "Bearer standing"}
    if way == "openai path":
        path = "/v1/realtime"
    async with bench.socket(query, path, headers) as client:
        session = (await client.wait("session.created"))["session"]
        assert (session["instructions"] == "From the key.") == (way == "ephemeral")


async def test_a_session_that_expires_and_a_service_that_ends_go_away() -> None:
    until = asyncio.Event()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    faults = Faults(["session-expires:1"])
    serving = asyncio.create_task(
        run(0, "standing", announce=address.set_result, until=until, faults=faults)
    )
    base = (await address).split()[1]
    async with aiohttp.ClientSession() as http, asyncio.timeout(20):
        own = Bench(base, http)
        async with own.socket(MODEL) as client:
            error = (await client.wait("error"))["error"]
            assert error["code"] == "session_expired"
            assert await client.closed() == 1001
        faults.clear()
        async with own.socket(MODEL) as client:
            await client.wait("session.created")
            until.set()
            assert await client.closed() == 1001
        await serving
