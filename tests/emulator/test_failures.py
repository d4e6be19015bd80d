"""What the client is told when the models are not to be had."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from tests.emulator.client import Bench
from tests.emulator.contract import complaints

from voicepilot.emulator.models import Models
from voicepilot.emulator.recognition import ModelDamagedError
from voicepilot.emulator.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="session")


def typed(text: str) -> dict[str, object]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


async def _served(service: Service) -> AsyncIterator[Bench]:
    async with TestServer(service.application()) as server, aiohttp.ClientSession() as http:
        yield Bench(str(server.make_url("")).rstrip("/"), http)


async def test_without_models_a_response_fails_and_the_call_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: type[Models]) -> Models:
        raise ModelDamagedError("the model is not the expected one")

    monkeypatch.setattr(Models, "load", classmethod(broken))
    async for bench in _served(Service()):
        client = await bench.call()
        for _ in range(2):
            mark = len(client.events)
            client.send("conversation.item.create", item=typed("What is two plus two?"))
            client.send("response.create")
            done = await client.wait("response.done", after=mark)
            assert done["response"]["status"] == "failed"
            assert done["response"]["status_details"]["error"]["code"] == "server_error"
            assert complaints(done) == []
        await client.close()
    assert "The models could not be loaded." in caplog.text
    assert "two plus two" not in caplog.text


async def test_a_call_opened_before_the_models_is_answered_when_they_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_load = asyncio.Event()
    load = Models.load

    async def late(_: type[Models]) -> Models:
        await may_load.wait()
        return await load()

    monkeypatch.setattr(Models, "load", classmethod(late))
    async for bench in _served(Service()):
        client = await bench.call()
        client.send("conversation.item.create", item=typed("What is two plus two?"))
        client.send("response.create")
        await client.wait("response.created")
        client.send("input_audio_buffer.clear")
        await client.wait("input_audio_buffer.cleared")
        assert "response.done" not in client.types()
        may_load.set()
        done = await client.wait("response.done")
        assert done["response"]["status"] == "completed"
        await client.close()
