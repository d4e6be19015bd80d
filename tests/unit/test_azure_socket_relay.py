"""The relay between a page's WebSocket and the service's, against a service that answers as Azure does."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.azure.socket_relay import SocketService, address, configuration, connect
from voicepilot.backend.failure import Failure
from voicepilot.backend.page_server import listen
from voicepilot.backend.socket_calls import SocketCalls
from voicepilot.bridge.call_socket import SocketOpened, read_greeting
from voicepilot.protocol.problems import Problem
from voicepilot.protocol.session_config import FunctionTool, ServerVad, SessionConfig

KEY = "key-that-nobody-may-read"
TOOL = FunctionTool(name="a", description="A tool.", parameters={"type": "object"})
SESSION = SessionConfig(
    model="my deployment",
    instructions="Be brief.",
    voice="marin",
    transcription_model="scribe",
    noise_reduction="near_field",
    turn_detection=ServerVad(),
    tools=(TOOL,),
)


@dataclass
class Service:
    """Answers as it is told to: a refusal of the upgrade, or a socket that is kept for the test."""

    refusals: list[tuple[int, str]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sockets: asyncio.Queue[web.WebSocketResponse] = field(default_factory=asyncio.Queue)
    frames: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    serves: Callable[[web.Request], bool] = lambda request: True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, dict(request.headers)))
        if self.refusals:
            status, body = self.refusals[0]
            return web.Response(status=status, text=body, content_type="application/json")
        if not self.serves(request):
            body = '{"error":{"code":"404","message":"Resource not found"}}'
            return web.Response(status=404, text=body, content_type="application/json")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await self.sockets.put(socket)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self.frames.put(frame.data)
        self.left.set()
        return socket


class TwoKeys:
    """Gives a second credential when the first is refused."""

    async def credential(self, refused: Credential | None = None) -> Credential:
        return Credential.api_key("fresh" if refused else "stale")


@dataclass(frozen=True)
class Ends:
    """Both ends of a relayed call."""

    service: Service
    page: aiohttp.ClientWebSocketResponse

    async def greeting(self) -> SocketOpened | Problem:
        return read_greeting(await self.page.receive_str(timeout=10))

    async def heard(self) -> dict[str, Any]:
        """The next frame at the service."""
        async with asyncio.timeout(10):
            heard: dict[str, Any] = json.loads(await self.service.frames.get())
        return heard


@asynccontextmanager
async def listening(
    path: str, answer: Callable[[web.Request], Any]
) -> AsyncIterator[tuple[str, web.AppRunner]]:
    application = web.Application()
    application.router.add_get(path, answer)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", runner
    finally:
        await runner.cleanup()
        listener.close()


class Memory:
    """Remembers that a call fell back."""

    def __init__(self) -> None:
        self.fallen = 0

    def needs_fallback(self) -> bool:
        return self.fallen > 0

    def fell_back(self) -> None:
        self.fallen += 1


@asynccontextmanager
async def relayed(
    service: Service,
    dialect: str = "ga",
    credentials: Any = None,
    transport: str = "websocket",
    memory: Any = None,
    tried_webrtc: bool = False,
) -> AsyncIterator[Ends]:
    credentials = credentials or FixedCredentials(Credential.api_key(KEY))
    async with listening("/{path:.*}", service.answer) as (base, _):
        target = Target(base, credentials, dialect)  # type: ignore[arg-type]
        async with Calls.at(target) as calls:
            sockets = SocketCalls(calls, lambda: transport, lambda: SESSION, memory)

            async def serve(request: web.Request) -> web.WebSocketResponse:
                page = web.WebSocketResponse()
                await page.prepare(request)
                await sockets.serve(page, tried_webrtc)
                return page

            async with (
                listening("/call", serve) as (backend, _),
                aiohttp.ClientSession() as browser,
                browser.ws_connect(f"{backend}/call") as page,
            ):
                yield Ends(service, page)


# --- the addresses and the configuration, field by field -------------------------------------------------


def test_the_addresses_are_those_of_the_documentation() -> None:
    base = "https://res.openai.azure.com"
    assert address(base, "ga", "my deployment") == (
        "wss://res.openai.azure.com/openai/v1/realtime?model=my%20deployment"
    )
    assert address(base + "/", "preview", "d") == (
        "wss://res.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=d"
    )


def test_the_whole_session_is_configured_with_the_sound_that_the_page_sends() -> None:
    event = json.loads(configuration("ga", SESSION))
    expected = SESSION.to_json()
    del expected["model"]
    for side in ("input", "output"):
        expected["audio"][side]["format"] = {"type": "audio/pcm", "rate": 24000}
    assert event == {"type": "session.update", "session": expected}


def test_the_preview_protocol_has_a_flat_session_without_a_type() -> None:
    session = json.loads(configuration("preview", SESSION))["session"]
    assert session["input_audio_format"] == session["output_audio_format"] == "pcm16"
    assert session["modalities"] == ["audio", "text"]
    assert session["input_audio_transcription"] == {"model": "scribe"}
    assert session["voice"] == "verse"  # marin came with GA
    assert not {"type", "model", "audio"} & session.keys()


# --- a call ----------------------------------------------------------------------------------------------


async def test_frames_pass_both_ways_untouched_after_the_configuration() -> None:
    async with relayed(Service()) as ends:
        assert await ends.greeting() == SocketOpened("ga", "websocket")
        path, headers = ends.service.asked[0]
        assert path == "/openai/v1/realtime?model=my%20deployment"
        assert headers["api-key"] == KEY
        assert (await ends.heard())["type"] == "session.update"
        service = await ends.service.sockets.get()
        await service.send_str('{"type": "session.created"}')
        assert await ends.page.receive_str(timeout=10) == '{"type": "session.created"}'
        frames = [json.dumps({"type": "input_audio_buffer.append", "n": n}) for n in range(200)]
        for frame in frames:
            await ends.page.send_str(frame)
        assert [json.dumps(await ends.heard()) for _ in frames] == frames
        large = json.dumps({"delta": "A" * 3_000_000})
        await service.send_str(large)
        assert await ends.page.receive_str(timeout=10) == large


async def test_a_page_that_leaves_ends_the_call_at_the_service() -> None:
    async with relayed(Service()) as ends:
        await ends.greeting()
        await ends.page.close()
        async with asyncio.timeout(10):
            await ends.service.left.wait()


async def test_a_service_that_leaves_ends_the_page() -> None:
    async with relayed(Service()) as ends:
        await ends.greeting()
        service = await ends.service.sockets.get()
        await service.close(code=1001)
        frame = await ends.page.receive(timeout=10)
        assert frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)


async def test_a_page_that_does_not_read_holds_the_service_up() -> None:
    async with relayed(Service()) as ends:
        await ends.greeting()
        service = await ends.service.sockets.get()
        frame = "x" * 100_000

        async def flood() -> None:
            while True:
                await service.send_str(frame)
                sent.append(1)

        sent: list[int] = []
        flooding = asyncio.create_task(flood())
        held_up = -1
        async with asyncio.timeout(30):
            while held_up != len(sent) or held_up < 1:
                held_up = len(sent)
                await asyncio.sleep(0.5)
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        assert held_up < 1000  # not all of it into our memory


async def test_a_refused_credential_is_replaced_once() -> None:
    service = Service()
    shown: list[str] = []

    def fresh_only(request: web.Request) -> bool:
        shown.append(request.headers["api-key"])
        return shown[-1] == "fresh"

    async def answer(request: web.Request) -> web.StreamResponse:
        if not fresh_only(request):
            return web.Response(status=401, text="{}")
        return await Service.answer(service, request)

    service.answer = answer  # type: ignore[method-assign]
    async with relayed(service, credentials=TwoKeys()) as ends:
        assert await ends.greeting() == SocketOpened("ga", "websocket")
    assert shown == ["stale", "fresh"]


async def test_auto_finds_the_preview_protocol() -> None:
    service = Service(serves=lambda request: request.path == "/openai/realtime")
    async with relayed(service, dialect="auto") as ends:
        assert await ends.greeting() == SocketOpened("preview", "websocket")
        assert "modalities" in (await ends.heard())["session"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, '{"error":{"code":"401","message":"Access denied."}}', "key-refused"),
        (401, '{"error":{"code":"PermissionDenied","message":"No role."}}', "role-missing"),
        (404, '{"error":{"code":"DeploymentNotFound","message":"None."}}', "deployment-missing"),
        (404, '{"error":{"code":"404","message":"Resource not found"}}', "address-unknown"),
        (400, '{"error":{"code":"OperationNotSupported","message":"No."}}', "deployment-unfit"),
        (429, '{"error":{"code":"429","message":"Too many."}}', "service-busy"),
        (503, "", "service-failed"),
    ],
)
async def test_a_refusal_of_the_upgrade_is_told_in_the_words_of_the_catalogue(
    status: int, body: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with relayed(Service(refusals=[(status, body)])) as ends:
        told = await ends.greeting()
        assert isinstance(told, Problem)
        assert told.code == code
        assert (await ends.page.receive(timeout=10)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    assert KEY not in caplog.text
    assert KEY not in told.says


async def test_a_gateway_that_takes_no_upgrades_is_told_from_a_service_that_refuses() -> None:
    """What refuses the upgrade lets the same request through without it."""
    service = Service()

    async def answer(request: web.Request) -> web.StreamResponse:
        upgraded = "Upgrade" in request.headers
        return web.Response(status=403 if upgraded else 400, text="")

    service.answer = answer  # type: ignore[method-assign]
    async with relayed(service) as ends:
        told = await ends.greeting()
    assert isinstance(told, Problem)
    assert told.code == "websocket-refused"
    assert "(status 403)" in told.says


async def test_a_busy_service_is_asked_again() -> None:
    service, statuses = Service(), [429, 503]

    async def answer(request: web.Request) -> web.StreamResponse:
        if statuses:
            return web.Response(status=statuses.pop(0), headers={"retry-after-ms": "1"})
        return await Service.answer(service, request)

    service.answer = answer  # type: ignore[method-assign]
    async with relayed(service) as ends:
        assert await ends.greeting() == SocketOpened("ga", "websocket")
    assert not statuses


@pytest.mark.parametrize(
    ("proxy", "code"),
    [("http://127.0.0.1:9", "proxy-refused"), ("socks5://127.0.0.1:9", "proxy-malformed")],
)
async def test_what_keeps_the_upgrade_from_arriving_is_named(
    monkeypatch: pytest.MonkeyPatch, proxy: str, code: str
) -> None:
    for name in ("https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    service = SocketService("https://r.openai.azure.com", FixedCredentials(Credential.api_key(KEY)))
    async with aiohttp.ClientSession() as http:
        with pytest.raises(Failure) as failed:
            await connect(http, service, "d")
    assert failed.value.problem.code == code


async def test_nothing_that_is_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with relayed(Service()) as ends:
        await ends.greeting()
        await ends.page.send_str('{"type":"input_audio_buffer.append","audio":"c2VjcmV0"}')
        await ends.heard()
        await ends.heard()
    assert "c2VjcmV0" not in caplog.text
    assert KEY not in caplog.text


# --- what is remembered ----------------------------------------------------------------------------------


async def test_a_call_that_fell_back_is_remembered_once_it_got_through() -> None:
    memory = Memory()
    async with relayed(Service(), transport="auto", memory=memory, tried_webrtc=True) as ends:
        assert await ends.greeting() == SocketOpened("ga", "fallback")
    assert memory.fallen == 1


async def test_a_call_that_did_not_get_through_is_not() -> None:
    memory = Memory()
    refused = Service(refusals=[(503, "")])
    async with relayed(refused, transport="auto", memory=memory, tried_webrtc=True) as ends:
        assert isinstance(await ends.greeting(), Problem)
    assert memory.fallen == 0


async def test_a_call_that_did_not_try_webrtc_says_nothing_of_the_network() -> None:
    memory = Memory()
    async with relayed(Service(), transport="auto", memory=memory) as ends:
        assert await ends.greeting() == SocketOpened("ga", "auto")
    assert memory.fallen == 0
