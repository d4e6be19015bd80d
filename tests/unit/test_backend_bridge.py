"""The backend's end of the bridge over a real WebSocket, spoken to with the page's own end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.failure import Failure
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.page_server import listen
from voicepilot.bridge.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    OUR_REFUSAL,
    PARSE_ERROR,
    Endpoint,
    Malformed,
    Refusal,
    Reply,
)
from voicepilot.bridge.messages import (
    CallClosed,
    CallFeed,
    CallKey,
    CallOpened,
    FeedTaken,
    Hello,
    KeyGiven,
    OpenCall,
    ToolCall,
    ToolInfo,
    ToolOutput,
    Welcome,
)
from voicepilot.protocol.problems import Problem, problem


class Desk:
    """Opens calls when it is let; a tool's name chooses how it ends."""

    def __init__(self):
        self.may_open = asyncio.Event()
        self.opening = asyncio.Event()
        self.given_up = asyncio.Event()
        self.closed = asyncio.Queue()

    async def welcome(self, hello):
        return Welcome("Test", "ga", (ToolInfo("a", "A tool."),), hello.build)

    async def open_call(self, call):
        self.opening.set()
        try:
            await self.may_open.wait()
        except asyncio.CancelledError:
            self.given_up.set()
            raise
        return CallOpened(call.sdp, "rtc_1", None, "ga")

    async def call_key(self, wish):
        return KeyGiven("https://service/calls", "ek_1" if wish.fresh else "ek_0", None, "ga")

    async def run_tool(self, call):
        match call.name:
            case "busy":
                raise Failure("service-busy")
            case "broken":
                raise RuntimeError("with a secret in it")
            case "endless":
                return ToolOutput("x" * 2_000_000)
        return ToolOutput(call.arguments)

    async def call_closed(self, call):
        await self.closed.put(call)

    async def feed(self, inputs):
        return FeedTaken(inputs.first + len(inputs.entries) - 1)


@asynccontextmanager
async def bridged():
    desk = Desk()

    async def serve(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await BridgeLink(SocketLine(socket), desk).serve()
        return socket

    application = web.Application()
    application.add_routes([web.get("/bridge", serve)])
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{listener.getsockname()[1]}/bridge") as socket,
        ):
            yield desk, socket, Endpoint()
    finally:
        await runner.cleanup()


async def ask(socket, page, method, params):
    request_id, text = page.request(method, params)
    await socket.send_str(text)
    answer = page.receive(await socket.receive_str(timeout=5))
    assert answer.id == request_id
    return answer


async def test_each_method_is_answered():
    async with bridged() as (desk, socket, page):
        answer = await ask(socket, page, "hello", Hello("b1").to_params())
        assert Welcome.from_params(answer.result).tools == (ToolInfo("a", "A tool."),)
        desk.may_open.set()
        answer = await ask(socket, page, "call.open", OpenCall(1, "v=0\r\n").to_params())
        assert CallOpened.from_params(answer.result).call_id == "rtc_1"
        answer = await ask(socket, page, "call.key", CallKey(1, fresh=True).to_params())
        assert KeyGiven.from_params(answer.result).key == "ek_1"
        answer = await ask(socket, page, "tool.call", ToolCall("c", "a", "{}").to_params())
        assert ToolOutput.from_params(answer.result).output == "{}"
        answer = await ask(socket, page, "call.feed", CallFeed("p", 4, ({}, {})).to_params())
        assert FeedTaken.from_params(answer.result).last == 5
        await socket.send_str(page.notify("call.closed", CallClosed("rtc_1").to_params()))
        async with asyncio.timeout(5):
            assert await desk.closed.get() == CallClosed("rtc_1")


async def test_a_slow_call_does_not_hold_up_a_tool():
    async with bridged() as (desk, socket, page):
        opening, text = page.request("call.open", OpenCall(1, "v=0\r\n").to_params())
        await socket.send_str(text)
        answer = await ask(socket, page, "tool.call", ToolCall("c", "a", "now").to_params())
        assert answer.result == {"output": "now", "answered": False}
        desk.may_open.set()
        assert page.receive(await socket.receive_str(timeout=5)).id == opening


async def test_what_is_still_being_answered_ends_with_the_connection():
    async with bridged() as (desk, socket, page):
        await socket.send_str(page.request("call.open", OpenCall(1, "v=0\r\n").to_params())[1])
        async with asyncio.timeout(5):
            await desk.opening.wait()
            await socket.close()
            await desk.given_up.wait()


async def test_what_a_page_said_last_counts_though_it_has_gone():
    """A tab that is closed: the frame and the end of the connection come at once."""

    class LastWords:
        async def texts(self):
            yield Endpoint().notify("call.closed", CallClosed("rtc_1").to_params())

    desk = Desk()
    await BridgeLink(LastWords(), desk).serve()
    assert desk.closed.get_nowait() == CallClosed("rtc_1")


async def test_a_failure_goes_back_as_its_problem():
    async with bridged() as (_, socket, page):
        answer = await ask(socket, page, "tool.call", ToolCall("c", "busy", "").to_params())
        assert answer.code == OUR_REFUSAL
        assert Problem.from_json(answer.data) == problem("service-busy")


@pytest.mark.parametrize("name", ["broken", "endless"])
async def test_the_unforeseen_is_an_internal_problem_and_the_bridge_goes_on(name, caplog):
    async with bridged() as (_, socket, page):
        answer = await ask(socket, page, "tool.call", ToolCall("c", name, "spoken").to_params())
        assert isinstance(answer, Refusal)
        assert answer.code == INTERNAL_ERROR
        assert answer.data["code"] == "internal"
        assert "secret" not in str(answer)
        assert "tool.call failed" in caplog.text
        assert "spoken" not in caplog.text
        assert isinstance(await ask(socket, page, "hello", {"build": "b"}), Reply)


@pytest.mark.parametrize(
    ("method", "params", "code", "says"),
    [
        ("fly", {}, METHOD_NOT_FOUND, "fly"),
        ("hello", {}, INVALID_PARAMS, "build is missing"),
        ("call.open", {"attempt": 1, "sdp": "no"}, INVALID_PARAMS, "sdp"),
    ],
)
async def test_a_wrong_request_is_refused_with_the_reason(method, params, code, says):
    async with bridged() as (_, socket, page):
        answer = await ask(socket, page, method, params)
        assert answer.code == code
        assert says in answer.message


@pytest.mark.parametrize(
    ("garbage", "code"),
    [("{", PARSE_ERROR), ("[]", INVALID_REQUEST), ('{"jsonrpc":"2.0"}', INVALID_REQUEST)],
)
async def test_garbage_is_refused_and_the_bridge_goes_on(garbage, code):
    async with bridged() as (_, socket, page):
        await socket.send_bytes(b"no text frame")
        await socket.send_str(page.notify("unknown", {}))
        await socket.send_str(page.notify("call.closed", {"wrong": 1}))
        await socket.send_str(garbage)
        text = await socket.receive_str(timeout=5)
        assert isinstance(page.receive(text), Malformed)  # it has no id of ours
        assert f'"code":{code}' in text
        assert isinstance(await ask(socket, page, "hello", {"build": "b"}), Reply)


async def test_many_requests_at_once_are_all_answered():
    async with bridged() as (_, socket, page):
        asked = {}
        for number in range(100):
            request_id, text = page.request(
                "tool.call", ToolCall("c", "a", str(number)).to_params()
            )
            asked[request_id] = str(number)
            await socket.send_str(text)
        answers = [page.receive(await socket.receive_str(timeout=5)) for _ in asked]
        assert {answer.id: answer.result["output"] for answer in answers} == asked
