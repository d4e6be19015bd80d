"""The preview protocol: its paths, its names both ways, its flat sessions, its one-minute keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from openai.types.beta.realtime import RealtimeServerEvent
from openai.types.beta.realtime.session_create_response import SessionCreateResponse
from pydantic import TypeAdapter
from tests import voices

if TYPE_CHECKING:
    from tests.emulator.client import Bench, Events

pytestmark = pytest.mark.asyncio(loop_scope="session")

MINT = "/openai/realtimeapi/sessions"
VERSION = {"api-version": "2025-04-01-preview"}
SOCKET = {**VERSION, "deployment": "gpt-realtime"}
PATH = "/openai/realtime"
KEY = {"api-key": "standing"}
EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


async def post(
    bench: Bench, path: str, query: dict[str, str], **options: Any
) -> tuple[int, dict[str, Any]]:
    async with bench.http.post(f"{bench.base}{path}", params=query, **options) as reply:
        return reply.status, await reply.json()


def speaks_preview(client: Events) -> None:
    for event in client.events:
        assert event["type"] != "conversation.item.done"
        assert not event["type"].startswith(("response.output_audio", "response.output_text"))
        EVENT.validate_python(event)
        response = event.get("response", {})
        assert not {"output_modalities", "audio"} & set(response)


async def test_a_key_is_minted_flat_and_lives_a_minute(bench: Bench) -> None:
    wishes = {
        "model": "gpt-realtime",
        "voice": "verse",
        "modalities": ["audio", "text"],
        "input_audio_transcription": {"model": "whisper-1"},
        "turn_detection": {"type": "server_vad", "threshold": 0.6},
        "max_response_output_tokens": 900,
        "temperature": 0.8,
    }
    status, minted = await post(bench, MINT, VERSION, headers=KEY, json=wishes)
    assert status == 200
    SessionCreateResponse.model_validate(minted)
    assert minted["client_secret"]["value"].startswith("ek_")
    assert 55 <= minted["client_secret"]["expires_at"] - time.time() <= 60
    assert minted["voice"] == "verse"
    assert minted["modalities"] == ["audio", "text"]
    assert minted["input_audio_format"] == "pcm16"
    assert minted["turn_detection"]["threshold"] == 0.6
    assert minted["turn_detection"]["silence_duration_ms"] == 200
    assert minted["max_response_output_tokens"] == 900
    assert not {"type", "audio", "output_modalities", "max_output_tokens"} & set(minted)


@pytest.mark.parametrize(
    ("wishes", "code", "param"),
    [
        ({}, "missing_required_parameter", "model"),
        ({"model": "m", "max_output_tokens": 900}, "unknown_parameter", "max_output_tokens"),
        ({"model": "m", "type": "realtime"}, "unknown_parameter", "type"),
        ({"model": "m", "modalities": ["audio"]}, "invalid_value", "modalities"),
        ({"model": "m", "temperature": 2}, "invalid_value", "temperature"),
        ({"model": "m", "speed": 3}, "invalid_value", "speed"),
        ({"model": "m", "voice": "nobody"}, "invalid_value", "voice"),
        (
            {"model": "m", "turn_detection": {"type": "server_vad", "eagerness": "low"}},
            "unknown_parameter",
            "turn_detection.eagerness",
        ),
    ],
)
async def test_a_refusal_names_the_flat_field(
    bench: Bench, wishes: dict[str, Any], code: str, param: str
) -> None:
    status, body = await post(bench, MINT, VERSION, headers=KEY, json=wishes)
    error = body["error"]
    assert (status, error["code"], error["param"]) == (400, code, param)
    assert "session." not in error["message"]


@pytest.mark.parametrize("query", [{}, {"api-version": "2024-10-21"}, {"api-version": "v1"}])
async def test_without_a_preview_version_there_is_nothing(
    bench: Bench, query: dict[str, str]
) -> None:
    status, body = await post(bench, MINT, query, headers=KEY, json={"model": "m"})
    assert (status, body["error"]["message"]) == (404, "Resource not found")
    status, error = await bench.refused({**query, "deployment": "m"}, PATH)
    assert (status, error["message"]) == (404, "Resource not found")


@pytest.mark.parametrize("path", ["client_secrets", "calls"])
async def test_a_version_left_on_a_path_of_ga_leads_nowhere(bench: Bench, path: str) -> None:
    status, body = await post(bench, f"/openai/v1/realtime/{path}", VERSION, headers=KEY, json={})
    assert (status, body["error"]["message"]) == (404, "Resource not found")


async def test_keys_are_good_in_their_own_protocol_only(bench: Bench) -> None:
    ga = (await bench.mint())["value"]
    _, minted = await post(bench, MINT, VERSION, headers=KEY, json={"model": "m"})
    preview = minted["client_secret"]["value"]
    for path, key in (
        ("/v1/realtimertc?model=m", ga),
        ("/openai/v1/realtime/calls", preview),
        ("/v1/realtimertc?model=m", "standing"),
    ):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
        status, body = await post(bench, path, {}, headers=headers, data="v=0")
        assert (status, body["error"]["code"]) == (401, "Unauthorized")
    headers = {"Authorization": f"Bearer {preview}", "Content-Type": "application/sdp"}
    status, _ = await post(bench, "/v1/realtimertc", {"model": "n"}, headers=headers, data="v=0")
    assert status == 400


async def test_a_call_speaks_preview_both_ways(bench: Bench) -> None:
    _, minted = await post(
        bench, MINT, VERSION, headers=KEY, json={"model": "gpt-realtime", "voice": "verse"}
    )
    client = await bench.connect(
        minted["client_secret"]["value"], "/v1/realtimertc", query={"model": "gpt-realtime"}
    )
    created = client.events[0]["session"]
    assert (created["voice"], created["modalities"]) == ("verse", ["audio", "text"])
    client.send("session.update", session={"turn_detection": None, "speed": 1.2})
    updated = (await client.wait("session.updated"))["session"]
    assert (updated["turn_detection"], updated["speed"]) == (None, 1.2)
    client.send("session.update", session={"type": "realtime"})
    error = (await client.wait("error"))["error"]
    assert error["message"] == "Unknown parameter: 'session.type'."
    content = [{"type": "input_text", "text": "What is two plus two?"}]
    client.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": content},
    )
    client.send("response.create", response={"max_response_output_tokens": 400})
    done = (await client.wait("response.done"))["response"]
    assert done["output"][0]["content"][0]["type"] == "audio"
    assert (done["modalities"], done["voice"]) == (["audio", "text"], "verse")
    assert done["max_output_tokens"] == 400
    await client.wait("output_audio_buffer.stopped")
    assert "response.audio_transcript.delta" in client.types()
    assert client.loud_at
    speaks_preview(client)
    await client.close()


async def test_a_socket_speaks_preview_both_ways(bench: Bench) -> None:
    question = np.concatenate((voices.sentence("What is seven times eight?"), voices.silence(600)))
    async with bench.socket(SOCKET, PATH) as client:
        session = {"input_audio_transcription": {"model": "whisper-1"}, "modalities": ["text"]}
        await client.send("session.update", session=session)
        await client.wait("session.updated")
        await client.say(question)
        done = (await client.wait("response.done", within=20))["response"]
        assert "56" in done["output"][0]["content"][0]["text"]
        assert done["output"][0]["content"][0]["type"] == "text"
        assert "response.text.delta" in client.types()
        mark = len(client.events)
        await client.send("response.create", response={"modalities": ["audio", "text"]})
        await client.wait("response.done", after=mark)
        assert "response.audio.delta" in client.types(mark)
        assert len(client.sound()) > 12_000
        await client.send("response.create", response={"output_modalities": ["text"]})
        error = (await client.wait("error"))["error"]
        assert error["message"] == "Unknown parameter: 'response.output_modalities'."
        speaks_preview(client)


async def test_a_socket_needs_a_deployment(bench: Bench) -> None:
    status, error = await bench.refused(VERSION, PATH)
    assert (status, error["code"]) == (400, "OperationNotSupported")
