"""A call where UDP does not get through."""

from __future__ import annotations

import asyncio
import re
import struct
from typing import TYPE_CHECKING, Any

import pytest
from aioice import Candidate
from aioice.ice import StunProtocol

if TYPE_CHECKING:
    from aiortc import RTCPeerConnection
    from tests.emulator.client import Bench, Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

_UDP = re.compile(r"^a=candidate:\S+ \d+ udp .*\r\n", re.MULTILINE | re.IGNORECASE)
_TCP = re.compile(
    r"^a=candidate:\S+ 1 tcp \d+ 127\.0\.0\.1 (\d+) typ host tcptype passive", re.MULTILINE
)


def without_udp(sdp: str) -> str:
    return _UDP.sub("", sdp)


class _Framed:
    """The browser's part, which aioice has not: UDP's packets as frames on a TCP connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.protocol: StunProtocol | None = None
        self.sent = 0

    def sendto(self, data: bytes, _: Any = None) -> None:
        self.sent += 1
        self._writer.write(struct.pack("!H", len(data)) + data)

    def close(self) -> None:
        self._writer.close()
        assert self.protocol is not None
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    async def read(self, reader: asyncio.StreamReader) -> None:
        assert self.protocol is not None
        address = self._writer.get_extra_info("peername")
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                self.protocol.datagram_received(await reader.readexactly(length), address)
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def _use_tcp(pc: RTCPeerConnection, port: int) -> tuple[_Framed, asyncio.Task[None]]:
    """Leave the client's peer with no way but a TCP connection to the service's candidate."""
    connection = pc.getTransceivers()[0].receiver.transport.transport.iceGatherer._connection
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    framed = _Framed(writer)
    protocol = StunProtocol(connection)
    framed.protocol = protocol
    protocol.connection_made(framed)  # type: ignore[arg-type]
    host, own_port = writer.get_extra_info("sockname")
    protocol.local_candidate = Candidate("1", 1, "tcp", 1, host, own_port, "host", tcptype="active")
    for udp in connection._protocols:
        await udp.close()
    connection._protocols[:] = [protocol]
    return framed, asyncio.create_task(framed.read(reader))


async def tcp_only(bench: Bench) -> tuple[Client, _Framed, asyncio.Task[None]]:
    """A call that has no way but TCP, that way, and the task that reads it until the call ends."""
    ports: list[int] = []

    def only_tcp(answer: str) -> str:
        found = _TCP.search(answer)
        assert found is not None
        ports.append(int(found[1]))
        return without_udp(answer)

    ways: list[tuple[_Framed, asyncio.Task[None]]] = []

    async def before_connecting(pc: RTCPeerConnection) -> None:
        ways.append(await _use_tcp(pc, ports[0]))

    client = await bench.call(
        edit_offer=without_udp, edit_answer=only_tcp, before_connecting=before_connecting
    )
    return client, *ways[0]


async def test_a_call_goes_over_tcp_where_udp_is_blocked(bench: Bench) -> None:
    client, way, reading = await tcp_only(bench)
    client.send(
        "conversation.item.create",
        item={
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "What is two plus two?"}],
        },
    )
    client.send("response.create")
    await client.wait("output_audio_buffer.stopped")
    assert client.loud_at
    assert way.sent > 20
    await client.close()
    await asyncio.wait_for(reading, 5)


async def test_the_front_hangs_up_on_strangers(bench: Bench) -> None:
    ports: list[int] = []

    def note_port(answer: str) -> str:
        found = _TCP.search(answer)
        assert found is not None
        ports.append(int(found[1]))
        return answer

    client = await bench.call(edit_answer=note_port)
    for garbage in (b"\x00\x04abcd", b"GET / HTTP/1.1\r\n\r\n" + bytes(20_000)):
        reader, writer = await asyncio.open_connection("127.0.0.1", ports[0])
        writer.write(garbage)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            async with asyncio.timeout(8):
                await reader.readexactly(1)
        writer.close()
    client.send("output_audio_buffer.clear")
    client.send("input_audio_buffer.clear")
    await client.wait("input_audio_buffer.cleared")
    await client.close()
