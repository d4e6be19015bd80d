"""Which network addresses do the two ends tell each other?

The service offers 127.0.0.1 besides the machine's own addresses, so that the sound of a page on the same
machine need not leave it, and a machine without a network works at all. Of an offer's addresses those
that end in ``.local`` are dropped: the page hides its real ones behind them until it may use the microphone,
looking them up takes a second, and its checks reach us without. With them goes the end-of-candidates mark,
for the checks that come in bring addresses that were never told.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from aioice.ice import get_host_addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aioice import Candidate, Connection

LOOPBACK = "127.0.0.1"

_TCP_PRIORITY = 1_671_430_143
"""The real service's for a passive TCP candidate: below every UDP one."""

_HIDDEN = re.compile(r"^a=candidate:\S+ \d+ \S+ \d+ \S+\.local .*\r?\n?", re.MULTILINE)
_END = re.compile(r"^a=end-of-candidates\r?\n?", re.MULTILINE)
_OPUS = re.compile(r"^a=rtpmap:(\d+) opus/48000/2\r?\n", re.MULTILINE | re.IGNORECASE)
_MESSAGE_SIZE = re.compile(r"^a=max-message-size:\d+", re.MULTILINE)
_OPUS_FORMAT = "minptime=10;useinbandfec=1"
_LARGEST_MESSAGE = 1_073_741_823


def lan_addresses() -> list[str]:
    """This machine's IPv4 addresses except 127.0.0.1."""
    return get_host_addresses(use_ipv4=True, use_ipv6=False)


def offer_loopback(connection: Connection) -> None:
    """Let the connection gather 127.0.0.1 first, which it leaves out by itself."""
    gather = connection.get_component_candidates

    async def with_loopback(
        component: int,
        addresses: Sequence[str],
        timeout: int = 5,  # noqa: ASYNC109 -- theirs
    ) -> list[Candidate]:
        return await gather(component, [LOOPBACK, *addresses], timeout)

    connection.get_component_candidates = with_loopback  # type: ignore[method-assign]


def without_hidden(offer: str) -> str:
    """The offer without ``.local`` candidates and without the mark that there will be no more."""
    return _END.sub("", _HIDDEN.sub("", offer))


def as_the_service_answers(answer: str, tcp: Iterable[tuple[str, int]]) -> str:
    """aiortc's answer with what the real one has besides: Opus parameters and passive TCP candidates.

    ``tcp`` are the addresses where the ICE-TCP front listens.
    """
    answer = _OPUS.sub(lambda match: _with_parameters(match, answer), answer)
    answer = _MESSAGE_SIZE.sub(f"a=max-message-size:{_LARGEST_MESSAGE}", answer)
    lines = "".join(
        f"a=candidate:{_foundation(host)} 1 tcp {_TCP_PRIORITY} {host} {port} typ host tcptype passive\r\n"
        for host, port in tcp
    )
    return answer.replace("a=end-of-candidates\r\n", f"{lines}a=end-of-candidates\r\n", 1)


def _with_parameters(match: re.Match[str], answer: str) -> str:
    if f"a=fmtp:{match[1]} " in answer:
        return match[0]
    return f"{match[0]}a=fmtp:{match[1]} {_OPUS_FORMAT}\r\n"


def _foundation(host: str) -> int:
    return (int(ipaddress.ip_address(host)) * 2 + 1) & 0xFFFFFFFF
