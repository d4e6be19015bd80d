"""The backend's own connection to a call: functions run once and are answered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from voicepilot.backend.azure.calls import Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.azure.sideband import PAUSES_S, Sidebands
from voicepilot.backend.page_server import listen
from voicepilot.bridge.messages import ToolCall, ToolOutput

if TYPE_CHECKING:
    from tests.emulator.client import Bench, Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/openai/v1/realtime"
READ_FILE = {
    "type": "function",
    "name": "read_file",
    "description": "Read a text file.",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
}
LONG = "The meeting is on Tuesday. " + "x" * 300_000


class Tools:
    def __init__(self, output: str = LONG) -> None:
        self.ran: list[str] = []
        self.output = output

    async def run(self, name: str, arguments: str) -> str:
        self.ran.append(name)
        await asyncio.sleep(0)
        return self.output


class Heard:
    def __init__(self) -> None:
        self.outputs: list[str] = []
        """The function calls that were answered, as often as they were."""

    def overheard(self, event: dict[str, Any], call_id: str) -> None:
        match event:
            case {
                "type": "conversation.item.added",
                "item": {"type": "function_call_output", "call_id": str(name)},
            }:
                self.outputs.append(name)


def at(base: str, key: str = "standing") -> Target:
    return Target(base, FixedCredentials(Credential.api_key(key)))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def ask(page: Client, words: str) -> None:
    content = [{"type": "input_text", "text": words}]
    item = {"type": "message", "role": "user", "content": content}
    page.send("conversation.item.create", item=item)
    page.send("response.create")


async def test_a_function_runs_once_and_is_answered_once(bench: Bench) -> None:
    tools, heard = Tools(), Heard()
    async with Sidebands(tools.run, heard) as sidebands:
        page = await bench.call({"tools": [READ_FILE], "output_modalities": ["text"]})
        sidebands.attach(at(bench.base), page.call_id)
        sidebands.attach(at(bench.base), page.call_id)
        await until(lambda: sidebands.attached == {page.call_id})
        await ask(page, "What is in notes.txt?")
        called = await page.wait("response.function_call_arguments.done", within=30)
        report = ToolCall(called["call_id"], called["name"], called["arguments"])
        returned = await asyncio.gather(sidebands.run(report), sidebands.run(report))
        assert returned == [ToolOutput(LONG, answered=True)] * 2
        await page.wait("response.done", within=30)
        page.send("response.create")
        await page.wait("response.output_text.done", within=30)
        assert tools.ran == ["read_file"]
        assert heard.outputs == [called["call_id"]]

        sidebands.update({"type": "realtime", "instructions": "Be brief."})
        await page.wait("session.updated")
        await page.close()
        await until(lambda: not sidebands.attached)


async def test_without_a_sideband_the_page_is_to_answer(bench: Bench) -> None:
    tools = Tools("short")
    async with Sidebands(tools.run) as sidebands:
        call = ToolCall("call_1", "read_file", "{}")
        assert await sidebands.run(call) == ToolOutput("short", answered=False)
        page = await bench.call()
        sidebands.attach(at(bench.base), page.call_id)
        await until(lambda: sidebands.attached)
        sidebands.leave(page.call_id)
        await until(lambda: not sidebands.attached)
        call = ToolCall("call_2", "read_file", "{}")
        assert await sidebands.run(call) == ToolOutput("short", answered=False)
        await page.close()


async def test_a_function_of_another_call_is_left_to_its_page(bench: Bench) -> None:
    async with Sidebands(Tools("short").run) as sidebands:
        page = await bench.call()
        sidebands.attach(at(bench.base), page.call_id)
        await until(lambda: sidebands.attached)
        call = ToolCall("call_of_another_tab", "read_file", "{}")
        assert await sidebands.run(call) == ToolOutput("short", answered=False)
        await page.close()


@asynccontextmanager
async def service(
    answer: Callable[[web.Request], Any],
) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get(PATH, answer)
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await runner.cleanup()


async def test_a_call_that_is_not_known_yet_is_tried_again() -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers["api-key"])
        if len(asked) < 3:
            raise web.HTTPNotFound
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    async with service(answer) as base, Sidebands(Tools().run) as sidebands:
        sidebands.attach(at(base, "mine"), "rtc_1")
        await until(lambda: sidebands.attached)
        assert asked == ["mine"] * 3


@pytest.mark.parametrize(("status", "tries"), [(404, len(PAUSES_S) + 1), (401, 1), (403, 1)])
async def test_a_call_that_stays_unknown_goes_on_without(status: int, tries: int) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.query["call_id"])
        return web.Response(status=status)

    async with service(answer) as base, Sidebands(Tools("short").run) as sidebands:
        sidebands.attach(at(base), "rtc_1")
        await until(lambda: len(asked) == tries)
        call = ToolCall("call_1", "read_file", "{}")
        assert await sidebands.run(call) == ToolOutput("short", answered=False)
        assert asked == ["rtc_1"] * tries


@pytest.mark.parametrize("reply", ["error", "close"])
async def test_an_output_that_is_not_confirmed_is_left_to_the_page(reply: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        done = {"call_id": "call_1", "name": "read_file", "arguments": "{}"}
        await socket.send_json({"type": "response.function_call_arguments.done", **done})
        sent = await socket.receive_json()
        if reply == "error":
            error = {"code": "x", "event_id": sent["event_id"]}
            await socket.send_json({"type": "error", "error": error})
            await socket.receive()
        await socket.close()
        return socket

    tools = Tools("short")
    async with service(answer) as base, Sidebands(tools.run) as sidebands:
        sidebands.attach(at(base), "rtc_1")
        await until(lambda: tools.ran)
        call = ToolCall("call_1", "read_file", "{}")
        assert await sidebands.run(call) == ToolOutput("short", answered=False)
        assert tools.ran == ["read_file"]
