"""The openai package's own WebSocket clients, unmodified, hold turns with the service."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import aiohttp
import numpy as np
import openai
import pytest
import pytest_asyncio
from openai.types.beta.realtime.session_create_response import SessionCreateResponse
from tests import voices
from tests.clients.service import KEY, Service, words
from tests.emulator.client import Bench
from websockets.exceptions import InvalidStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODEL = "my-deployment"
RATE = 24_000
WITHIN_S = 20.0
QUESTION = "What is seven times eight?"


@pytest_asyncio.fixture(loop_scope="session")
async def package(service: Service) -> AsyncIterator[openai.AsyncOpenAI]:
    """The package, told where Azure's GA path is, as Microsoft's samples tell it."""
    async with openai.AsyncOpenAI(
        base_url=f"{service.base}/openai/v1",
        websocket_base_url=f"{service.base}/openai/v1".replace("http", "ws", 1),
        api_key=KEY,
        max_retries=0,
    ) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def azure(service: Service) -> AsyncIterator[openai.AsyncAzureOpenAI]:
    """The package's Azure client, which knows the preview's address."""
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=service.base,
        websocket_base_url=f"{service.base}/openai".replace("http", "ws", 1),
        api_key=KEY,
        api_version="2025-04-01-preview",
        max_retries=0,
    ) as client:
        yield client


async def spoken() -> list[str]:
    """The question as a client appends it: pieces of 100 ms, and a pause."""
    speech = await asyncio.to_thread(voices.sentence, QUESTION)
    samples = np.concatenate((speech, voices.silence(600))).astype("<i2")
    step = RATE // 10
    return [
        base64.b64encode(samples[start : start + step].tobytes()).decode()
        for start in range(0, len(samples), step)
    ]


async def until(connection: Any, kind: str) -> list[Any]:
    """The events up to the first of this kind."""
    events: list[Any] = []
    async with asyncio.timeout(WITHIN_S):
        async for event in connection:
            events.append(event)
            assert event.type != "error", event
            if event.type == kind:
                return events
    raise AssertionError(f"closed before {kind}")


def seconds(events: list[Any], kind: str) -> float:
    """How long the sound in these events lasts."""
    sound = b"".join(base64.b64decode(event.delta) for event in events if event.type == kind)
    assert np.abs(np.frombuffer(sound, "<i2").astype(np.int32)).max() > 8000
    return len(sound) / 2 / RATE


def only(events: list[Any], kind: str) -> Any:
    (event,) = (event for event in events if event.type == kind)
    return event


async def ask(connection: Any, text: str) -> None:
    await connection.conversation.item.create(
        item={
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": text}],
        }
    )
    await connection.response.create()


async def test_a_text_turn_and_an_audio_turn(package: openai.AsyncOpenAI) -> None:
    async with package.realtime.connect(model=MODEL) as connection:
        created = await connection.recv()
        assert created.type == "session.created"
        assert created.session.model == MODEL
        await connection.session.update(
            session={
                "type": "realtime",
                "output_modalities": ["text"],
                "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
            }
        )
        await until(connection, "session.updated")

        await ask(connection, "What is two plus two?")
        events = await until(connection, "response.done")
        assert "4" in only(events, "response.output_text.done").text

        await connection.session.update(
            session={"type": "realtime", "output_modalities": ["audio"]}
        )
        for piece in await spoken():
            await connection.input_audio_buffer.append(audio=piece)
        events = await until(connection, "response.done")
        transcription = "conversation.item.input_audio_transcription.completed"
        asked = words(only(events, transcription).transcript)
        assert asked == ["what", "is", "seven", "times", "eight"]
        assert "56" in only(events, "response.output_audio_transcript.done").transcript
        tokens = events[-1].response.usage.output_token_details.audio_tokens
        assert seconds(events, "response.output_audio.delta") == pytest.approx(tokens / 20, abs=0.1)


async def test_a_minted_key_opens_the_session_it_was_minted_for(
    package: openai.AsyncOpenAI,
) -> None:
    secret = await package.realtime.client_secrets.create(
        session={"type": "realtime", "model": MODEL, "instructions": "Answer briefly."}
    )
    async with package.with_options(api_key=secret.value).realtime.connect(
        model=MODEL
    ) as connection:
        created = await connection.recv()
        assert created.type == "session.created"
        assert created.session.instructions == "Answer briefly."


async def test_the_synchronous_client_holds_a_turn(service: Service) -> None:
    await asyncio.to_thread(hold_a_turn, service)


def hold_a_turn(service: Service) -> None:
    with (
        openai.OpenAI(
            base_url=f"{service.base}/openai/v1",
            websocket_base_url=f"{service.base}/openai/v1".replace("http", "ws", 1),
            api_key=KEY,
            max_retries=0,
        ) as client,
        client.realtime.connect(model=MODEL) as connection,
    ):
        assert client.realtime.client_secrets.create().value.startswith("ek_")
        connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What is three times three?"}],
            }
        )
        connection.response.create()
        kinds = []
        for event in connection:
            kinds.append(event.type)
            if event.type == "response.output_audio_transcript.done":
                assert "9" in event.transcript
            if event.type == "response.done":
                break
        assert kinds[0] == "session.created"
        assert "response.output_audio.delta" in kinds


async def test_a_sideband_joins_a_call(package: openai.AsyncOpenAI, service: Service) -> None:
    async with aiohttp.ClientSession() as http:
        page = await Bench(service.base, http, KEY).call()
        async with package.realtime.connect(call_id=page.call_id) as connection:
            await connection.session.update(
                session={"type": "realtime", "instructions": "Answer in two words."}
            )
            updated = (await until(connection, "session.updated"))[-1]
            assert updated.session.instructions == "Answer in two words."
            await ask(connection, "What is two plus two?")
            events = await until(connection, "output_audio_buffer.stopped")
            assert "4" in only(events, "response.output_audio_transcript.done").transcript
            assert page.loud_at
            await package.realtime.calls.hangup(page.call_id)
            async with asyncio.timeout(WITHIN_S):
                rest = [event.type async for event in connection]
            assert rest == [], "it closes cleanly and says nothing more"
        await page.close()


async def test_a_transcription_session_only_writes_down(package: openai.AsyncOpenAI) -> None:
    async with package.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        created = await connection.recv()
        assert created.type == "session.created"
        assert created.session.type == "transcription"
        await connection.session.update(
            session={
                "type": "transcription",
                "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
            }
        )
        for piece in await spoken():
            await connection.input_audio_buffer.append(audio=piece)
        kind = "conversation.item.input_audio_transcription.completed"
        events = await until(connection, kind)
        assert words(events[-1].transcript) == ["what", "is", "seven", "times", "eight"]
        assert not [event for event in events if event.type.startswith("response.")]


async def test_the_azure_client_mints_and_holds_turns_in_the_preview_dialect(
    azure: openai.AsyncAzureOpenAI,
) -> None:
    # The package has no method for Azure's own path, but for any path.
    minted = await azure.post(
        "/realtimeapi/sessions",
        cast_to=SessionCreateResponse,
        body={"model": MODEL, "voice": "verse"},
    )
    assert minted.client_secret.value.startswith("ek_")
    assert minted.voice == "verse"
    async with azure.beta.realtime.connect(model=MODEL) as connection:
        created = await connection.recv()
        assert created.type == "session.created"
        assert (created.session.model, created.session.voice) == (MODEL, "alloy")
        await connection.session.update(
            session={"input_audio_transcription": {"model": "gpt-4o-transcribe"}, "voice": "verse"}
        )
        updated = (await until(connection, "session.updated"))[-1]
        assert (updated.session.voice, updated.session.modalities) == ("verse", ["audio", "text"])
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What is two plus two?"}],
            }
        )
        await connection.response.create(response={"modalities": ["text"]})
        events = await until(connection, "response.done")
        assert "4" in only(events, "response.text.done").text
        for piece in await spoken():
            await connection.input_audio_buffer.append(audio=piece)
        events = await until(connection, "response.done")
        assert "56" in only(events, "response.audio_transcript.done").transcript
        assert seconds(events, "response.audio.delta") > 0.5
        assert events[-1].response.voice == "verse"


async def test_refusals_are_seen_as_azures(
    package: openai.AsyncOpenAI, azure: openai.AsyncAzureOpenAI
) -> None:
    async def refused(connecting: Any) -> int:
        with pytest.raises(InvalidStatus) as caught:
            async with connecting:
                pass
        return caught.value.response.status_code

    realtime = package.realtime
    assert await refused(package.with_options(api_key="wrong").realtime.connect(model=MODEL)) == 401
    assert await refused(realtime.connect(model=MODEL, extra_query={"api-version": "v1"})) == 401
    assert await refused(realtime.connect(call_id="rtc_unknown")) == 404
    assert await refused(realtime.connect()) == 400
    # The Azure client puts api-version on every path, so it cannot mint on those of GA.
    with pytest.raises(openai.NotFoundError):
        await azure.realtime.client_secrets.create()
