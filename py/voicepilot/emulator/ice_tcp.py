"""How does media get through where UDP is blocked?

Over TCP, as with the real service: its answers carry a passive TCP candidate, and browsers try that by
themselves. One listening port serves all calls. A connection's first packet is a STUN check whose user
name begins with the call's ICE user name fragment (RFC 8445, section 7.2.2); that tells the call it belongs
to, and only who knows the call's ICE password gets an answer. Packets are framed by two bytes of length
(RFC 4571).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from typing import TYPE_CHECKING, Any

from aioice import Candidate, stun
from aioice.candidate import candidate_foundation
from aioice.ice import StunProtocol

from voicepilot.emulator.candidates import LOOPBACK, lan_addresses

if TYPE_CHECKING:
    from aioice import Connection

    from voicepilot.emulator.link_gate import LinkGate

logger = logging.getLogger(__name__)

_LENGTH = struct.Struct("!H")
_FIRST_PACKET_S = 5.0
_MOST_UNSENT = 256 * 1024
_TCP_TYPE_PRIORITY = 1_671_430_143


class IceTcpFront:
    """Accepts ICE-TCP connections and joins each to the call that it names."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[Connection, LinkGate]] = {}
        self._server: list[asyncio.Server] = []
        self._streams: set[asyncio.Task[None]] = set()
        self.addresses: list[tuple[str, int]] = []
        """Where it listens: host and port."""

    async def start(self) -> None:
        """Listen on 127.0.0.1 and, on the same port where that is free, on the machine's addresses.

        Raises:
            OSError: not even 127.0.0.1 can be listened on.
        """
        port = 0
        for host in (LOOPBACK, *lan_addresses()):
            try:
                server = await asyncio.start_server(
                    self._accepted, host, port, family=socket.AF_INET
                )
            except OSError:
                if not self.addresses:
                    raise
                logger.info("No ICE over TCP on %s: the port is taken there.", host)
                continue
            port = server.sockets[0].getsockname()[1]
            self._server.append(server)
            self.addresses.append((host, port))

    async def close(self) -> None:
        """Stop listening and end every connection."""
        for server in self._server:
            server.close()
        for task in tuple(self._streams):
            task.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)
        self._server.clear()
        self.addresses.clear()

    def register(self, connection: Connection, gate: LinkGate) -> None:
        """Take TCP connections for this call's ICE connection from now on."""
        self._calls[connection.local_username] = (connection, gate)

    def forget(self, connection: Connection) -> None:
        """The call is over."""
        self._calls.pop(connection.local_username, None)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a callback of asyncio's server runs in a task
        self._streams.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        finally:
            self._streams.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_FIRST_PACKET_S):
            first = await _packet(reader)
        call = self._calls.get(_local_fragment(first))
        if call is None:
            return
        connection, gate = call
        host, port = writer.get_extra_info("sockname")[:2]
        peer = writer.get_extra_info("peername")[:2]
        protocol = StunProtocol(connection)
        protocol.local_candidate = _passive_candidate(host, port)
        protocol.connection_made(_FramedTransport(writer, protocol))  # type: ignore[arg-type]
        gate.guard(protocol, "tcp")
        connection._protocols.append(protocol)
        try:
            packet = first
            while True:
                protocol.datagram_received(packet, peer)
                packet = await _packet(reader)
        finally:
            protocol.connection_lost(None)
            with contextlib.suppress(ValueError):
                connection._protocols.remove(protocol)


class _FramedTransport:
    """What aioice takes for a datagram transport."""

    def __init__(self, writer: asyncio.StreamWriter, protocol: StunProtocol) -> None:
        self._writer = writer
        self._protocol = protocol

    def sendto(self, data: bytes, _address: Any = None) -> None:
        """Send one packet; drop it where the other end does not take any, as UDP would."""
        transport = self._writer.transport
        if not transport.is_closing() and transport.get_write_buffer_size() < _MOST_UNSENT:
            self._writer.write(_LENGTH.pack(len(data)) + data)

    def close(self) -> None:
        """Close the connection. aioice waits for the protocol to learn of it."""
        self._writer.close()
        asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As asyncio's transports."""
        return self._writer.get_extra_info(name, default)


async def _packet(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return await reader.readexactly(length)


def _local_fragment(packet: bytes) -> str:
    try:
        message = stun.parse_message(packet)
    except ValueError:
        return ""
    return str(message.attributes.get("USERNAME", "")).partition(":")[0]


def _passive_candidate(host: str, port: int) -> Candidate:
    return Candidate(
        foundation=candidate_foundation("host", "tcp", host),
        component=1,
        transport="tcp",
        priority=_TCP_TYPE_PRIORITY,
        host=host,
        port=port,
        type="host",
        tcptype="passive",
    )
