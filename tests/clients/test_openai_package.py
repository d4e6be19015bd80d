"""A plain Python client: the openai package mints, aiortc calls, openai's types read what comes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import openai
import pytest
import pytest_asyncio
from aiortc import RTCPeerConnection, RTCSessionDescription
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    RealtimeServerEvent,
    ResponseAudioTranscriptDeltaEvent,
    ResponseDoneEvent,
    SessionCreatedEvent,
)
from pydantic import TypeAdapter
from tests import voices
from tests.clients.service import KEY, Service, words
from tests.emulator.client import Microphone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENT: TypeAdapter[RealtimeServerEvent] = TypeAdapter(RealtimeServerEvent)
SESSION: dict[str, Any] = {
    "type": "realtime",
    "model": "my-deployment",
    "instructions": "Answer briefly.",
    "audio": {
        "input": {
            "transcription": {"model": "gpt-4o-transcribe"},
            "turn_detection": {"type": "server_vad"},
        },
        "output": {"voice": "marin"},
    },
}
WITHIN_S = 20.0


@pytest_asyncio.fixture(loop_scope="session")
async def package(service: Service) -> AsyncIterator[openai.AsyncOpenAI]:
    """The openai package, told no more than where the service is and a key."""
    async with openai.AsyncOpenAI(
        base_url=service.openai_base, api_key=KEY, max_retries=0
    ) as client:
        yield client


async def test_a_session_minted_by_the_package_holds_a_spoken_turn(
    package: openai.AsyncOpenAI, service: Service
) -> None:
    secret = await package.realtime.client_secrets.create(
        session=SESSION, expires_after={"anchor": "created_at", "seconds": 120}
    )
    assert secret.session.type == "realtime"
    assert secret.session.instructions == "Answer briefly."

    question = await asyncio.to_thread(voices.sentence, "What is seven times eight?")
    microphone = Microphone()
    peer = RTCPeerConnection()
    peer.addTrack(microphone)
    channel = peer.createDataChannel("oai-events")
    arrived: asyncio.Queue[str] = asyncio.Queue()
    channel.on("message", arrived.put_nowait)
    await peer.setLocalDescription(await peer.createOffer())
    answer, call_id = await call(service, secret.value, peer.localDescription.sdp)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    transcript, deltas = "", ""
    async with asyncio.timeout(WITHIN_S):
        while True:
            text = await arrived.get()
            event = EVENT.validate_python(json.loads(text))
            assert event.type == json.loads(text)["type"]
            match event:
                case SessionCreatedEvent():
                    microphone.say(question)
                case ConversationItemInputAudioTranscriptionCompletedEvent():
                    transcript = event.transcript
                case ResponseAudioTranscriptDeltaEvent():
                    deltas += event.delta
                case ResponseDoneEvent():
                    break
    assert words(transcript) == ["what", "is", "seven", "times", "eight"]
    assert event.response.status == "completed"
    assert event.response.output is not None
    assert event.response.output[0].content[0].transcript == deltas
    assert "56" in deltas
    assert event.response.usage is not None
    assert event.response.usage.total_tokens > 0

    closed = asyncio.Event()
    channel.on("close", closed.set)
    await package.realtime.calls.hangup(call_id)
    await asyncio.wait_for(closed.wait(), WITHIN_S)
    microphone.stop()
    await peer.close()


async def test_refusals_are_the_packages_exceptions(service: Service) -> None:
    async with openai.AsyncOpenAI(
        base_url=service.openai_base, api_key="not-the-key", max_retries=0
    ) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.realtime.client_secrets.create(session=SESSION)


async def test_a_wrong_session_is_refused_with_the_parameter_that_is_wrong(
    package: openai.AsyncOpenAI,
) -> None:
    wrong: dict[str, Any] = {**SESSION, "output_modalities": ["smell"]}
    with pytest.raises(openai.BadRequestError) as refused:
        await package.realtime.client_secrets.create(session=wrong)
    assert refused.value.param == "session.output_modalities[0]"


async def call(service: Service, key: str, offer: str) -> tuple[str, str]:
    """Send the offer as Azure takes it; return its answer and the call's id."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{service.openai_base}/realtime/calls",
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"},
            data=offer,
        ) as reply,
    ):
        answer = await reply.text()
        assert reply.status == 201, answer
        return answer, reply.headers["Location"].rsplit("/", 1)[-1]
