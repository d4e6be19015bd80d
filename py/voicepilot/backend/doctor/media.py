"""Does sound get through to the service? A real call without a microphone: ICE, DTLS, data channel, audio.

It needs aiortc, which comes with the embedded service; without that (in VS Code's private environment)
these checks are left to a call of the page. aiortc has no ICE over TCP, so the TCP candidate of the
answer is asked by one STUN check (RFC 8445, section 7.2), framed by two bytes of length (RFC 4571).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import struct
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from voicepilot.backend.doctor.report import Outcome, failed, ok, skipped
from voicepilot.protocol.client_events import CreateItem, CreateResponse
from voicepilot.protocol.codec import decode, encode
from voicepilot.protocol.dialects import Dialect
from voicepilot.protocol.items import typed_message
from voicepilot.protocol.problems import Problem, problem
from voicepilot.protocol.server_events import Error, ResponseDone
from voicepilot.protocol.service_errors import response_problem

if TYPE_CHECKING:
    from aioice import Candidate
    from aiortc import RTCPeerConnection

CONNECT_WITHIN_S: Final = 8.0
_SOUND_WITHIN_S: Final = 15.0
_TCP_WITHIN_S: Final = 4.0
_QUIET: Final = 300
"""Of 32,768: about -40 dB; what an encoder makes of silence stays below."""
_LENGTH: Final = struct.Struct("!H")
_CHECK_PRIORITY: Final = 1_845_501_695
NOT_HERE: Final = "Needs voicepilot[emulator], which is not installed here; a call tells as well."
ASK_FOR_A_WORD: Final = "Say only the word: ready."


def can_call() -> bool:
    """Whether a call can be made from here, and not only an offer."""
    try:
        import aiortc  # noqa: F401 - large, so it is imported only where it is used
    except ImportError:
        return False
    return True


class TrialCall:
    """One call that listens only. An async context manager that closes it."""

    def __init__(self) -> None:
        from aiortc import RTCConfiguration, RTCPeerConnection

        self._peer: RTCPeerConnection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.addTransceiver("audio", direction="sendrecv")
        self._channel = self._peer.createDataChannel("oai-events")
        self._opened = asyncio.Event()
        self._came_of_it: asyncio.Future[Problem | None] = (
            asyncio.get_running_loop().create_future()
        )
        """None once something was heard, a problem where the service said that nothing will be."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._channel.on("open", self._opened.set)
        self._channel.on("message", self._read)
        self._channel.on("close", lambda: self._settle(problem("connection-lost")))
        self._peer.on("track", self._listen)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._came_of_it.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._peer.close()

    @property
    def open(self) -> bool:
        """Whether the data channel is open."""
        return self._opened.is_set()

    async def offer(self) -> str:
        """Return the offer, with the addresses of this computer in it."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp

    async def connected(self, answer: str) -> float | None:
        """Take the answer; return the seconds until the data channel was open, None where it never was."""
        from aiortc import RTCSessionDescription

        began = time.monotonic()
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self._opened.wait()
                return time.monotonic() - began
        return None

    async def first_sound(self, dialect: Dialect) -> float | Problem:
        """Ask for a word; return the seconds until its sound came, or why none did."""
        if self._channel.readyState != "open":
            return problem("connection-lost")
        began = time.monotonic()
        self._channel.send(encode(CreateItem(item=typed_message("user", ASK_FOR_A_WORD)), dialect))
        self._channel.send(encode(CreateResponse(), dialect))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SOUND_WITHIN_S):
                refused = await self._came_of_it
                return refused or time.monotonic() - began
        return problem("no-sound", seconds=round(_SOUND_WITHIN_S))

    def _read(self, message: str | bytes) -> None:
        """Take note of what says that there will be no sound."""
        match decode(message):
            case ResponseDone(response=response) if response.status in ("failed", "incomplete"):
                found = response_problem(response.status_details.error)
            case Error(error=error):
                found = problem("session-refused", detail=f"({error.message})")
            case _:
                return
        self._settle(found)

    def _settle(self, found: Problem | None) -> None:
        if not self._came_of_it.done():
            self._came_of_it.set_result(found)

    def _listen(self, track: Any) -> None:
        task = asyncio.create_task(self._hear(track))
        self._tasks.add(task)

    async def _hear(self, track: Any) -> None:
        """Take the sound as it comes, until something that is no silence is in it."""
        while not self._came_of_it.done():
            frame = await track.recv()
            if max(map(abs, frame.to_ndarray().flat), default=0) > _QUIET:
                self._settle(None)


async def check_udp(call: TrialCall, answer: str) -> Outcome:
    """Connect the trial call."""
    try:
        seconds = await call.connected(answer)
    except ValueError:  # it begins like a session description and is none
        return failed(problem("bad-answer"))
    if seconds is None:
        return failed(problem("udp-blocked", seconds=round(CONNECT_WITHIN_S)))
    return ok(f"Connected over UDP in {seconds * 1000:.0f} ms.")


async def check_tcp(answer: str) -> Outcome:
    """Ask the TCP candidates of the answer whether ICE checks get through to them."""
    candidates = tcp_candidates(answer)
    if not candidates:
        return skipped("The service offers no TCP candidate.")
    name, password = _ice_secrets(answer)
    async with asyncio.TaskGroup() as tasks:
        tried = [tasks.create_task(_answers(each, name, password)) for each in candidates]
    reached = [each for each, task in zip(candidates, tried, strict=True) if task.result()]
    if not reached:
        ports = sorted({each.port for each in candidates})
        return failed(problem("tcp-blocked", ports=", ".join(map(str, ports))))
    return ok(f"{reached[0].host} answers over TCP at port {reached[0].port}.")


async def check_sound(call: TrialCall, dialect: Dialect) -> Outcome:
    """Ask for one spoken word."""
    heard = await call.first_sound(dialect)
    if isinstance(heard, Problem):
        return failed(heard)
    return ok(f"The first sound of an answer came after {heard * 1000:.0f} ms.")


def tcp_candidates(sdp: str) -> list[Candidate]:
    """Return the passive TCP candidates of a session description."""
    from aioice import Candidate

    found = [
        Candidate.from_sdp(line.removeprefix("a=candidate:").strip())
        for line in sdp.splitlines()
        if line.startswith("a=candidate:")
    ]
    return [each for each in found if each.transport == "tcp" and each.tcptype == "passive"]


def _ice_secrets(sdp: str) -> tuple[str, str]:
    """Return the service's user name fragment and password."""
    fields = (re.search(rf"^a=ice-{name}:(\S+)", sdp, re.MULTILINE) for name in ("ufrag", "pwd"))
    name, password = (field[1] if field else "" for field in fields)
    return name, password


async def _answers(candidate: Candidate, name: str, password: str) -> bool:
    """Whether a STUN check that has the right password is answered."""
    from aioice import stun

    check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    check.attributes["USERNAME"] = f"{name}:{secrets.token_hex(4)}"
    check.attributes["PRIORITY"] = _CHECK_PRIORITY
    check.attributes["ICE-CONTROLLING"] = secrets.randbits(64)
    check.add_message_integrity(password.encode())
    packet = bytes(check)
    try:
        async with asyncio.timeout(_TCP_WITHIN_S):
            reader, writer = await asyncio.open_connection(candidate.host, candidate.port)
            try:
                writer.write(_LENGTH.pack(len(packet)) + packet)
                await writer.drain()
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                reply = stun.parse_message(await reader.readexactly(length))
            finally:
                writer.close()
    except (TimeoutError, OSError, EOFError, ValueError):
        return False
    return reply.transaction_id == check.transaction_id and reply.message_class in (
        stun.Class.RESPONSE,
        stun.Class.ERROR,
    )
