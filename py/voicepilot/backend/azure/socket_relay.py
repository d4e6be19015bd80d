"""How does a call get to the service where WebRTC does not get through? Over our own WebSocket.

The page sends sound and events to the page server's `/call`; from here they go to

    GA       wss://HOST/openai/v1/realtime?model=DEPLOYMENT
    preview  wss://HOST/openai/realtime?api-version=...&deployment=DEPLOYMENT

with the standing credential as a header, which a browser could not send. The first thing sent there is the
whole session configuration; after that frames pass both ways untouched, one at a time, so that a side that
does not read holds up the other. Whichever side ends, ends both. Frames hold what is said: none is logged.

A refused upgrade is told by its status alone (aiohttp drops the body), so it is asked once more without the
upgrade what the matter is, and the answer's words count if its status is the same.

Source: Microsoft's realtime-audio-websockets how-to of 2026-01-29; recordings of the service of 2026-07.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
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
from voicepilot.backend.azure.http import Answer, Http, Unreached, proxy_for
from voicepilot.backend.azure.preview import API_VERSION, Preview
from voicepilot.backend.azure.refusals import Asked, Step, is_nowhere, refusal
from voicepilot.backend.failure import Failure
from voicepilot.bridge.call_socket import LARGEST_FRAME, SocketOpened, refused
from voicepilot.protocol.client_events import SessionUpdate
from voicepilot.protocol.codec import encode
from voicepilot.protocol.dialects import Dialect
from voicepilot.protocol.session_config import SessionConfig

_log = logging.getLogger(__name__)

_OPEN_WITHIN_S: Final = 10.0
_HEARTBEAT_S: Final = 20.0
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
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
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
    credential, status = await service.credentials.credential(), 0
    for last in (False, True):
        try:
            return await _open(http, url, credential), dialect
        except aiohttp.WSServerHandshakeError as error:
            status = error.status
            _log.warning("WebSocket: status %d", status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("WebSocket: %s", type(error).__name__)
            raise Failure("service-unreachable") from error
        if status != HTTPStatus.UNAUTHORIZED or last:
            break
        try:
            credential = await service.credentials.credential(refused=credential)
        except Failure:
            break  # there is no other; the service's own words say more
    answer = await _asked_plainly(url, credential, status)
    unknown_here = is_nowhere(answer) or answer.status == HTTPStatus.BAD_REQUEST
    if service.dialect == "auto" and unknown_here:
        with contextlib.suppress(Failure):  # then the first refusal is the one that counts
            return await connect(http, replace(service, dialect="preview"), deployment)
    raise refusal(answer, Asked(Step.MINT, url, deployment, credential))


async def _open(
    http: aiohttp.ClientSession, url: str, credential: Credential
) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(_OPEN_WITHIN_S):
        return await http.ws_connect(
            url,
            headers={credential.header: credential.value},
            heartbeat=_HEARTBEAT_S,
            max_msg_size=LARGEST_FRAME,
            proxy=proxy_for(url),
        )


async def _asked_plainly(url: str, credential: Credential, status: int) -> Answer:
    """The answer to the same request without the upgrade, if it is the same refusal."""
    try:
        async with Http(_OPEN_WITHIN_S) as http:
            plain = "http" + url.removeprefix("ws")
            answer = await http.send("GET", plain, {credential.header: credential.value})
    except Unreached:
        return Answer(status, b"")
    return answer if answer.status == status else Answer(status, b"")


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
