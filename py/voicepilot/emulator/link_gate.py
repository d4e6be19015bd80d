"""Which packets of a call get through? All of them, unless a scenario says otherwise.

Stands between ICE and the network, both ways, so that the other end sees what it would see behind a firewall
or with a pulled cable: nothing. Addresses are still told, connections are still accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from aioice import stun
    from aioice.ice import StunProtocol

    from voicepilot.emulator.scenarios import Faults

Way = Literal["udp", "tcp"]


class LinkGate:
    """The gate of one call. ``no-media`` and ``udp-blocked`` are asked for when the call begins."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._shut: frozenset[Way] = frozenset()
        if "no-media" in faults:
            self._shut = frozenset({"udp", "tcp"})
        elif "udp-blocked" in faults:
            self._shut = frozenset({"udp"})

    def passes(self, way: Way) -> bool:
        """Whether packets get through on this way now."""
        return way not in self._shut and "cut-link" not in self._faults

    def guard(self, protocol: StunProtocol, way: Way) -> None:
        """Stand in this socket's or connection's way from now on."""
        receive, check, send = (
            protocol.datagram_received,
            protocol.send_stun,
            protocol.send_data,
        )

        def received(data: bytes | str, addr: tuple[Any, ...]) -> None:
            if self.passes(way):
                receive(data, addr)

        def send_stun(message: stun.Message, addr: tuple[str, int]) -> None:
            if self.passes(way):
                check(message, addr)

        async def send_data(data: bytes, addr: tuple[str, int]) -> None:
            if self.passes(way):
                await send(data, addr)

        protocol.datagram_received = received  # type: ignore[method-assign]
        protocol.send_stun = send_stun  # type: ignore[method-assign]
        protocol.send_data = send_data  # type: ignore[method-assign]
