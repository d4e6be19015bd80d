"""In which networks did WebRTC not get through lately?

Kept for a day in a small file in the user's state folder, so that a call in such a network does not wait
for WebRTC first. A network is known by a hash of what this computer sees of it (its own address on the way
out, the gateway's); nothing else is written down. A file that cannot be read is no memory, one that cannot be
written is none either: a call never fails for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import platformdirs

from voicepilot.backend import files
from voicepilot.protocol.json_text import parse_json

_log = logging.getLogger(__name__)

REMEMBERED_S: Final = 24 * 3600.0
_MOST: Final = 32

# Documentation addresses (RFC 5737, RFC 3849): a UDP socket that is only connected sends nothing.
_OUTSIDE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class NetworkMemory:
    """The memory in `file`. `clock` gives Unix seconds, `network` names the network of now."""

    def __init__(
        self,
        file: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        network: Callable[[], str] | None = None,
    ) -> None:
        folder = platformdirs.user_state_path("voicepilot", appauthor=False)
        self._file = file or folder / "networks.json"
        self._clock = clock
        self._network = network or present_network

    def needs_fallback(self) -> bool:
        """Whether WebRTC did not get through this network within the last day."""
        return self._network() in self._read()

    def fell_back(self) -> None:
        """A call had to go over WebSocket just now."""
        noted = self._read() | {self._network(): self._clock()}
        newest = dict(sorted(noted.items(), key=lambda each: each[1])[-_MOST:])
        try:
            files.replace(self._file, json.dumps(newest).encode())
        except OSError as error:
            _log.info("networks are not remembered: %s", type(error).__name__)

    def _read(self) -> dict[str, float]:
        try:
            noted = parse_json(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        now = self._clock()
        return {
            name: float(at)
            for name, at in (noted.items() if isinstance(noted, dict) else ())
            if isinstance(at, int | float) and 0 <= now - at < REMEMBERED_S
        }


def present_network() -> str:
    """Return a name for the network that this computer is in, the same as long as it stays there."""
    seen: list[str] = []
    for family, outside in _OUTSIDE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((outside, 9))
            own = probe.getsockname()[0]
            # The second half of an IPv6 address changes by the day for privacy; the first is the network's.
            seen.append(own if family == socket.AF_INET else ":".join(own.split(":")[:4]))
    return hashlib.sha256("\n".join((*seen, *_gateways())).encode()).hexdigest()[:32]


def _gateways() -> list[str]:
    """The hardware addresses of the routers, where the system tells (Linux)."""
    try:
        routes = Path("/proc/net/route").read_text("ascii").splitlines()[1:]
        neighbours = Path("/proc/net/arp").read_text("ascii").splitlines()[1:]
    except (OSError, UnicodeDecodeError):
        return []
    hardware = {line.split()[0]: line.split()[3] for line in neighbours if len(line.split()) > 3}
    found = []
    for line in routes:
        fields = line.split()
        if len(fields) > 2 and fields[1] == "00000000":
            address = socket.inet_ntoa(bytes.fromhex(fields[2])[::-1])
            found.append(hardware.get(address, address))
    return sorted(found)
