"""A client of the realtime service for tests: aiohttp, aiortc, a microphone that speaks what it is given."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fractions
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from numpy.typing import NDArray

RATE = 24_000
_FRAME = RATE // 50


class Microphone(MediaStreamTrack):
    """Real-time audio at 24 kHz: silence, and what it is told to say."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._waiting = np.empty(0, np.int16)
        self._frames = 0
        self._start: float | None = None
        self._quiet = asyncio.Event()
        self.silent_since = 0.0

    def say(self, samples: NDArray[np.int16]) -> None:
        """Say this after what is being said."""
        self._waiting = np.concatenate((self._waiting, samples))
        self._quiet.clear()

    async def silent(self) -> None:
        """Wait until all is said; ``silent_since`` is when the last sample left."""
        await self._quiet.wait()

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        self._start = self._start if self._start is not None else loop.time()
        await asyncio.sleep(max(0.0, self._start + self._frames / 50 - loop.time()))
        samples = np.zeros(_FRAME, np.int16)
        part = self._waiting[:_FRAME]
        samples[: len(part)] = part
        if len(part):
            self.silent_since = time.perf_counter()
        self._waiting = self._waiting[len(part) :]
        if not len(self._waiting):
            self._quiet.set()
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = self._frames * _FRAME
        frame.time_base = fractions.Fraction(1, RATE)
        self._frames += 1
        return frame


@dataclass
class Events:
    """What has arrived so far."""

    events: list[dict[str, Any]] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, text: str) -> None:
        self.events.append(json.loads(text))
        self.arrived.append(time.perf_counter())
        self._news.set()

    def types(self, start: int = 0) -> list[str]:
        return [event["type"] for event in self.events[start:]]

    async def wait(
        self,
        kind: str,
        *,
        after: int = 0,
        within: float = 10.0,
        where: Callable[[dict[str, Any]], bool] = lambda _: True,
    ) -> dict[str, Any]:
        """The first event of this kind from index ``after`` on."""
        seen = after
        async with asyncio.timeout(within):
            while True:
                for index in range(seen, len(self.events)):
                    if self.events[index]["type"] == kind and where(self.events[index]):
                        return self.events[index]
                seen = max(seen, len(self.events))
                self._news.clear()
                await self._news.wait()


@dataclass
class Client(Events):
    """One call, connected."""

    pc: RTCPeerConnection = field(kw_only=True)
    channel: Any = field(kw_only=True)
    microphone: Microphone = field(kw_only=True)
    location: str = field(kw_only=True)
    loud_at: list[float] = field(default_factory=list)
    """When a received frame had sound in it."""
    _sound: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: asyncio.Task[None] | None = None

    @property
    def call_id(self) -> str:
        """What a sideband names it by."""
        return self.location.rsplit("/", 1)[-1]

    def send(self, kind: str, **fields: Any) -> None:
        self.channel.send(json.dumps({"type": kind, **fields}))

    async def heard(self, ms: int) -> None:
        """Wait until this much sound, not silence, has arrived."""
        async with asyncio.timeout(10):
            while len(self.loud_at) * 20 < ms:
                self._sound.clear()
                await self._sound.wait()

    async def close(self) -> None:
        self.microphone.stop()
        await self.pc.close()
        if self._listening is not None:
            await self._listening

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if np.abs(frame.to_ndarray()).max() > 300:
                self.loud_at.append(time.perf_counter())
                self._sound.set()


@dataclass
class SocketClient(Events):
    """One WebSocket, connected."""

    socket: aiohttp.ClientWebSocketResponse = field(kw_only=True)
    _closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json({"type": kind, **fields})

    async def say(self, samples: NDArray[np.int16]) -> None:
        """Append sound in pieces of 100 ms, as fast as it goes."""
        for start in range(0, len(samples), RATE // 10):
            piece = samples[start : start + RATE // 10].astype("<i2").tobytes()
            await self.send("input_audio_buffer.append", audio=base64.b64encode(piece).decode())

    def sound(self) -> NDArray[np.int16]:
        """All sound that has come."""
        deltas = [e["delta"] for e in self.events if e["type"].endswith("audio.delta")]
        return np.frombuffer(b"".join(map(base64.b64decode, deltas)), "<i2").astype(np.int16)

    async def listen(self) -> None:
        """Take events until it is closed."""
        async for message in self.socket:
            self.take(message.data)
        self._closed.set()

    async def closed(self) -> int | None:
        """Wait until the service has closed it; returns with which code."""
        await self._closed.wait()
        return self.socket.close_code


class Bench:
    """Opens calls to one service."""

    def __init__(self, base: str, http: aiohttp.ClientSession, api_key: str = "standing") -> None:
        self.base = base
        self.http = http
        self.api_key = api_key

    async def mint(self, session: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        body = {"session": {"type": "realtime", "model": "my-deployment", **(session or {})}}
        async with self.http.post(
            f"{self.base}/openai/v1/realtime/client_secrets",
            headers={"api-key": self.api_key},
            json={**body, **fields},
        ) as reply:
            assert reply.status == 200, await reply.text()
            minted: dict[str, Any] = await reply.json()
            return minted

    @contextlib.asynccontextmanager
    async def socket(
        self,
        query: dict[str, str],
        path: str = "/openai/v1/realtime",
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[SocketClient]:
        """Open a WebSocket; its events are taken until the block ends."""
        async with self.http.ws_connect(
            f"{self.base}{path}",
            params=query,
            headers={"api-key": self.api_key} if headers is None else headers,
            max_msg_size=0,
        ) as socket:
            client = SocketClient(socket=socket)
            listening = asyncio.create_task(client.listen())
            try:
                yield client
            finally:
                await socket.close()
                await listening

    async def refused(
        self, query: dict[str, str], path: str = "/openai/v1/realtime", **options: Any
    ) -> tuple[int, dict[str, Any]]:
        """Status and error of a handshake that is refused."""
        handshake = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
        }
        headers = options.pop("headers", {"api-key": self.api_key})
        async with self.http.get(
            f"{self.base}{path}", params=query, headers={**handshake, **headers}, **options
        ) as reply:
            return reply.status, (await reply.json())["error"]

    async def call(
        self,
        session: dict[str, Any] | None = None,
        *,
        query: dict[str, str] | None = None,
        edit_offer: Callable[[str], str] = lambda sdp: sdp,
        edit_answer: Callable[[str], str] = lambda sdp: sdp,
        before_connecting: Callable[[RTCPeerConnection], Awaitable[None]] | None = None,
    ) -> Client:
        """Open a call; returns when its session has begun."""
        minted = await self.mint(session)
        return await self.connect(
            minted["value"],
            "/openai/v1/realtime/calls",
            query=query,
            edit_offer=edit_offer,
            edit_answer=edit_answer,
            before_connecting=before_connecting,
        )

    async def connect(
        self,
        key: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        edit_offer: Callable[[str], str] = lambda sdp: sdp,
        edit_answer: Callable[[str], str] = lambda sdp: sdp,
        before_connecting: Callable[[RTCPeerConnection], Awaitable[None]] | None = None,
        first: str | None = "session.created",
    ) -> Client:
        """Open a call with this key at this path; returns when the event ``first`` has come."""
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        microphone = Microphone()
        pc.addTrack(microphone)
        channel = pc.createDataChannel("oai-events")
        client = Client(pc=pc, channel=channel, microphone=microphone, location="")
        channel.on("message", client.take)
        pc.on("track", lambda track: _start_listening(client, track))
        await pc.setLocalDescription(await pc.createOffer())
        async with self.http.post(
            f"{self.base}{path}",
            params=query,
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/sdp",
            },
            data=edit_offer(pc.localDescription.sdp),
        ) as reply:
            answer = await reply.text()
            assert reply.status == 201, answer
            client.location = reply.headers["Location"]
        answer = edit_answer(answer)
        if before_connecting is not None:
            await before_connecting(pc)
        await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        if first is not None:
            await client.wait(first)
        return client


def _start_listening(client: Client, track: MediaStreamTrack) -> None:
    client._listening = asyncio.ensure_future(client._listen(track))
