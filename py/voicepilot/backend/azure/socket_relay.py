"""How does a call get to the service where WebRTC does not get through? Over our own WebSocket.

The page sends sound and events to the page server's `/call`; from here they go to

    GA       wss://HOST/openai/v1/realtime?model=DEPLOYMENT
    preview  wss://HOST/openai/realtime?api-version=...&deployment=DEPLOYMENT

with the standing credential as a header, which a browser could not send. The first thing sent there is the
whole session configuration; after that frames pass both ways untouched, one at a time, so that a side that
does not read holds up the other. Whichever side ends, ends both. Frames hold what is said: none is logged.

A refused upgrade is told by its status alone (aiohttp drops the body), so it is asked once more without the
upgrade what the matter is, and the answer's words count if its status is the same. If it is another, and the
upgrade was refused for good, something on the way lets HTTPS through and WebSockets not. What may pass is
tried again as `retries` says.

Source: Microsoft's realtime-audio-websockets how-to of 2026-01-29; recordings of the service of 2026-07.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import quote

import aiohttp
from aiohttp import WSMsgType, web

from voicepilot.backend.azure.calls import DialectChoice
from voicepilot.backend.azure.credential import Credential, Credentials
from voicepilot.backend.azure.ga import Ga
from voicepilot.backend.azure.http import (
    Answer,
    Http,
    Unreached,
    client_session,
    find_proxy,
    seconds_to_wait,
    unreached,
)
from voicepilot.backend.azure.preview import API_VERSION, Preview
from voicepilot.backend.azure.refusals import Asked, Step, is_nowhere, refusal
from voicepilot.backend.azure.retries import Retries, Trouble
from voicepilot.backend.failure import Failure
from voicepilot.bridge.call_socket import LARGEST_FRAME, SocketOpened, refused
from voicepilot.protocol.client_events import SessionUpdate
from voicepilot.protocol.codec import encode
from voicepilot.protocol.dialects import Dialect
from voicepilot.protocol.session_config import SessionConfig

_log = logging.getLogger(__name__)

_OPEN_WITHIN_S: Final = 10.0
_HEARTBEAT_S: Final = 20.0
_REFUSES_UPGRADES: Final = frozenset(
    {
        HTTPStatus.OK,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.UPGRADE_REQUIRED,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
_Socket: TypeAlias = web.WebSocketResponse | aiohttp.ClientWebSocketResponse
_PCM: Final = {"type": "audio/pcm", "rate": 24000}


@dataclass(frozen=True, slots=True)
class SocketService:
    """Where the realtime service is (scheme and host), and what lets us in."""

    base: str
    credentials: Credentials = field(repr=False)
    dialect: DialectChoice = "ga"


async def relay_call(
    page: web.WebSocketResponse,
    service: SocketService,
    session: SessionConfig,
    opened: Callable[[], str],
) -> None:
    """Hold one call between `page`, a WebSocket that is open, and the service, until either ends it.

    `opened` is called when the service has taken the connection, and gives the transport that later calls
    shall begin with. Where there is no call, the page is told why.
    """
    async with client_session() as http:
        try:
            upstream, dialect = await connect(http, service, session.model)
        except Failure as failure:
            await page.send_str(refused(failure.problem))
            return
        async with upstream:
            await upstream.send_str(configuration(dialect, session))
            await page.send_str(SocketOpened(dialect, opened()).to_text())
            await _pass_both_ways(page, upstream)


def address(base: str, dialect: Dialect, deployment: str) -> str:
    """Return the address of a deployment's WebSocket; `base` is the resource's scheme and host."""
    root = "ws" + base.rstrip("/").removeprefix("http")
    name = quote(deployment, safe="")
    if dialect == "ga":
        return f"{root}/openai/v1/realtime?model={name}"
    return f"{root}/openai/realtime?api-version={API_VERSION}&deployment={name}"


def configuration(dialect: Dialect, session: SessionConfig) -> str:
    """Return the `session.update` that makes the session ours; the address has said the model."""
    if dialect == "preview":
        flat = Preview("", "").mint_body(session)
        flat |= {"input_audio_format": "pcm16", "output_audio_format": "pcm16"}
        flat.pop("model")
        return json.dumps({"type": SessionUpdate.TYPE, "session": flat}, ensure_ascii=False)
    body = Ga("").mint_body(session)["session"]
    body.pop("model")
    for side in ("input", "output"):
        body["audio"][side]["format"] = _PCM
    return encode(SessionUpdate(session=body))


async def connect(
    http: aiohttp.ClientSession, service: SocketService, deployment: str
) -> tuple[aiohttp.ClientWebSocketResponse, Dialect]:
    """Open the service's WebSocket, with `auto` in the dialect that it knows. Raises Failure."""
    dialect: Dialect = "preview" if service.dialect == "preview" else "ga"
    url = address(service.base, dialect, deployment)
    credential = await service.credentials.credential()
    opened = await _open_patiently(http, url, credential)
    if opened == HTTPStatus.UNAUTHORIZED:
        with contextlib.suppress(Failure):  # there is no other; the service's own words say more
            credential = await service.credentials.credential(refused=credential)
            opened = await _open_patiently(http, url, credential)
    if not isinstance(opened, int):
        return opened, dialect
    answer = await _asked_plainly(url, credential, opened)
    unknown_here = is_nowhere(answer) or answer.status == HTTPStatus.BAD_REQUEST
    if service.dialect == "auto" and unknown_here:
        with contextlib.suppress(Failure):  # then the first refusal is the one that counts
            return await connect(http, replace(service, dialect="preview"), deployment)
    raise refusal(answer, Asked(Step.MINT, url, deployment, credential))


async def _open_patiently(
    http: aiohttp.ClientSession,
    url: str,
    credential: Credential,
    chance: Callable[[], float] = random.random,
) -> aiohttp.ClientWebSocketResponse | int:
    """The open WebSocket, or the status that refused it for good. Raises Failure."""
    retries, began, tries = Retries(), time.monotonic(), 0
    while True:
        tries += 1
        outcome: Failure | int
        try:
            return await _open(http, url, credential)
        except aiohttp.WSServerHandshakeError as error:
            _log.warning("WebSocket: status %d", error.status)
            outcome = error.status
            trouble: Trouble | None = Trouble(error.status, seconds_to_wait(error.headers or {}))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("WebSocket: %s", type(error).__name__)
            lost = unreached(error, url, _OPEN_WITHIN_S)
            outcome, trouble = lost.failure, lost.trouble
        spent_s, pause = time.monotonic() - began, None
        if trouble is not None:
            pause = retries.pause(trouble, tries, spent_s, chance(), harmless=True)
        if pause is not None:
            await asyncio.sleep(pause)
        elif isinstance(outcome, Failure):
            raise outcome
        else:
            return outcome


async def _open(
    http: aiohttp.ClientSession, url: str, credential: Credential
) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(_OPEN_WITHIN_S):
        return await http.ws_connect(
            url,
            headers={credential.header: credential.value},
            heartbeat=_HEARTBEAT_S,
            max_msg_size=LARGEST_FRAME,
            proxy=await find_proxy(url),
        )


async def _asked_plainly(url: str, credential: Credential, status: int) -> Answer:
    """The answer to the same request without the upgrade, if it is the same refusal. Raises Failure."""
    try:
        async with Http(_OPEN_WITHIN_S) as http:
            plain = "http" + url.removeprefix("ws")
            answer = await http.send("GET", plain, {credential.header: credential.value})
    except Unreached:
        return Answer(status, b"")
    if answer.status == status:
        return answer
    if status in _REFUSES_UPGRADES:
        raise Failure("websocket-refused", detail=f"(status {status})")
    return Answer(status, b"")


async def _pass_both_ways(
    page: web.WebSocketResponse, service: aiohttp.ClientWebSocketResponse
) -> None:
    """Pass frames on until one side ends, then end both."""
    ways = [
        asyncio.create_task(_pass(page, service)),
        asyncio.create_task(_pass(service, page)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await service.close()
        await page.close()


async def _pass(source: _Socket, target: _Socket) -> None:
    try:
        async for frame in source:
            if frame.type is WSMsgType.TEXT:
                await target.send_str(frame.data)
    except ConnectionError:
        pass  # the target is gone
