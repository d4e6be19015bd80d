"""A resource with deployments of its own names, and sessions that only write down what is said."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import numpy as np
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from tests import voices
from tests.emulator import recorded
from tests.emulator.client import Bench
from tests.emulator.contract import complaints
from tests.emulator.test_sockets import configure

from voicepilot.emulator.deployments import Deployments
from voicepilot.emulator.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from numpy.typing import NDArray

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = Deployments.named(["talk"], ["scribe"])
KEY = {"api-key": "standing"}
ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def named() -> AsyncIterator[Bench]:
    """A service with one deployment for speech and one for transcription."""
    service = Service("standing", deployments=NAMES)
    async with TestServer(service.application()) as server, aiohttp.ClientSession() as http:
        yield Bench(str(server.make_url("")).rstrip("/"), http, "standing")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def question() -> NDArray[np.int16]:
    speech = await asyncio.to_thread(voices.sentence, "What is seven times eight?")
    return np.concatenate((speech, voices.silence(600)))


async def test_another_name_is_not_found_wherever_it_is_said(named: Bench) -> None:
    for session, status in (("talk", 200), ("gpt-realtime", 404)):
        body = {"session": {"type": "realtime", "model": session}}
        for path, query, sent in (
            ("/openai/v1/realtime/client_secrets", "", body),
            (
                "/openai/realtimeapi/sessions",
                "?api-version=2025-04-01-preview",
                {"model": session},
            ),
        ):
            url = f"{named.base}{path}{query}"
            async with named.http.post(url, headers=KEY, json=sent) as reply:
                assert reply.status == status
                if status != 200:
                    assert (await reply.json())["error"]["code"] == "DeploymentNotFound"
    for query, path in (
        ({"model": "gpt-realtime"}, "/openai/v1/realtime"),
        (
            {"deployment": "gpt-realtime", "api-version": "2025-04-01-preview"},
            "/openai/realtime",
        ),
    ):
        status, error = await named.refused(query, path)
        assert (status, error["code"]) == (404, "DeploymentNotFound")
    async with named.socket({"model": "talk"}) as client:
        await client.wait("session.created")


@pytest.mark.parametrize("model", ["scribe", "gpt-realtime-whisper", "whisper-1"])
async def test_a_transcription_model_that_is_not_deployed_fails_each_turn_and_no_answer(
    named: Bench, question: NDArray[np.int16], model: str
) -> None:
    async with named.socket({"model": "talk"}) as client:
        await client.wait("session.created")
        wishes = {"audio": {"input": {"transcription": {"model": model}}}}
        await configure(client, **wishes, output_modalities=["text"])
        mark = len(client.events)
        await client.say(question)
        done = await client.wait("response.done", within=20)
        assert "56" in done["response"]["output"][0]["content"][0]["text"]
        outcome = [kind for kind in client.types(mark) if "input_audio_transcription" in kind]
        if model != "gpt-realtime-whisper":
            await client.wait("conversation.item.input_audio_transcription.completed")
            return
        assert outcome == ["conversation.item.input_audio_transcription.failed"]
        failed = await client.wait(outcome[0])
        error = dict(failed["error"])
        assert error.pop("message") == (
            f"Input transcription failed for item '{failed['item_id']}'."
        )
        assert error == recorded.NOT_DEPLOYED
        types = client.types(mark)
        assert types.index("response.created") < types.index(failed["type"])
        assert types.index(failed["type"]) < types.index("response.output_item.added")


async def test_a_session_for_transcription_only_writes_down(
    bench: Bench, question: NDArray[np.int16]
) -> None:
    async with bench.socket({"intent": "transcription"}) as client:
        created = (await client.wait("session.created"))["session"]
        assert (created["type"], created["object"]) == (
            "transcription",
            "realtime.transcription_session",
        )
        assert created["audio"]["input"]["transcription"] is None
        wishes = {"audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
        await client.send("session.update", session={"type": "transcription", **wishes})
        await client.wait("session.updated")
        mark = len(client.events)
        await client.say(question)
        completed = await client.wait("conversation.item.input_audio_transcription.completed")
        assert re.findall(r"[a-z]+", completed["transcript"].lower())[:2] == ["what", "is"]
        assert recorded.order(client.types(mark)) == (
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.delta",
            "conversation.item.input_audio_transcription.completed",
        )
        await client.send("response.create", event_id="mine")
        error = (await client.wait("error"))["error"]
        assert (error["code"], error["event_id"]) == ("invalid_value", "mine")
        await client.send("session.update", session={"type": "realtime"}, event_id="other")
        error = await client.wait("error", where=lambda e: e["error"]["event_id"] == "other")
        assert error["error"]["param"] == "session.type"
        assert [each for event in client.events for each in complaints(event)] == []
        assert not [kind for kind in client.types() if kind.startswith("response.")]


async def test_a_call_for_transcription_only_is_minted_and_silent(
    bench: Bench, question: NDArray[np.int16]
) -> None:
    body = {
        "type": "transcription",
        "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
    }
    async with bench.http.post(
        f"{bench.base}/openai/v1/realtime/client_secrets", headers=KEY, json={"session": body}
    ) as reply:
        minted = await reply.json()
        assert reply.status == 200, minted
    assert minted["session"]["object"] == "realtime.transcription_session"
    client = await bench.connect(minted["value"], "/openai/v1/realtime/calls")
    client.microphone.say(question)
    await client.wait("conversation.item.input_audio_transcription.completed", within=20)
    assert not [kind for kind in client.types() if kind.startswith("response.")]
    assert client.loud_at == []
    await client.close()


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"type": "transcription", "model": "talk"}, "session.model"),
        ({"type": "transcription", "instructions": "Hi"}, "session.instructions"),
        (
            {"type": "transcription", "audio": {"output": {"voice": "marin"}}},
            "session.audio.output",
        ),
    ],
)
async def test_a_session_for_transcription_has_nobody_to_speak(
    bench: Bench, session: dict[str, object], param: str
) -> None:
    url = f"{bench.base}/openai/v1/realtime/client_secrets"
    async with bench.http.post(url, headers=KEY, json={"session": session}) as reply:
        error = (await reply.json())["error"]
        assert (reply.status, error["code"], error["param"]) == (400, "unknown_parameter", param)


async def test_the_command_line_names_them() -> None:
    command = ("-m", "voicepilot.cli", "emulator", "--port", "0", "--api-key", "standing")
    names = ("--deployment", "talk", "--deployment", "chat", "--transcription-deployment", "scribe")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, *names),
        env={**os.environ, "PYTHONPATH": str(ROOT / "py")},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        async with aiohttp.ClientSession() as http:
            bench = Bench(line.split()[1], http, "standing")
            for name in ("talk", "chat"):
                assert (await bench.mint({"model": name}))["session"]["model"] == name
            status, error = await bench.refused({"model": "scribe"})
            assert (status, error["code"]) == (404, "DeploymentNotFound")
    finally:
        process.terminate()
        await process.wait()
