"""How good is the connection, in numbers that a person can use?

Reads `getStats` (https://www.w3.org/TR/webrtc-stats/). Its counters run from the start of the call, so
what matters now is the difference of two samples; `Sampler` keeps the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

WEBSOCKET: Final = "WebSocket"
"""The transport of a call that goes over no peer connection; its other figures are rates only."""

FIELDS: Final = {
    "candidate-pair": ("nominated", "state", "currentRoundTripTime", "localCandidateId"),
    "local-candidate": ("protocol",),
    "inbound-rtp": (
        "kind",
        "jitterBufferDelay",
        "jitterBufferEmittedCount",
        "packetsReceived",
        "packetsLost",
        "bytesReceived",
    ),
    "outbound-rtp": ("kind", "bytesSent"),
}
"""What is read of each kind of entry; the rest of the report is left in the browser."""


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """The connection over the last second; None where the browser did not say or nothing came.

    Milliseconds, percent of packets, kilobits per second.
    """

    round_trip: float | None = None
    jitter_buffer: float | None = None
    loss: float | None = None
    received_rate: float | None = None
    sent_rate: float | None = None
    transport: str | None = None


class Sampler:
    """Makes `LinkStatistics` of one peer connection's reports, given in order of time."""

    __slots__ = ("_at", "_counters")

    def __init__(self) -> None:
        self._counters: dict[str, float] = {}
        self._at: float | None = None

    def take(self, entries: Iterable[Mapping[str, Any]], now: float) -> LinkStatistics:
        """The statistics since the last call. `entries` have `type`, `id` and the FIELDS of it."""
        pair: Mapping[str, Any] = {}
        transports: dict[str, str] = {}
        counters: dict[str, float] = {}
        for entry in entries:
            match entry["type"]:
                case "candidate-pair" if entry.get("nominated"):
                    pair = entry
                case "local-candidate":
                    transports[str(entry["id"])] = str(entry.get("protocol", ""))
                case "inbound-rtp" | "outbound-rtp" if entry.get("kind") == "audio":
                    counters |= {k: v for k, v in entry.items() if isinstance(v, int | float)}
        earlier, self._counters = self._counters, counters
        elapsed = None if self._at is None else now - self._at
        self._at = now

        def grown(name: str) -> float:
            return counters.get(name, 0.0) - earlier.get(name, 0.0)

        lost, received = grown("packetsLost"), grown("packetsReceived")
        return LinkStatistics(
            round_trip=_times(pair.get("currentRoundTripTime"), 1000),
            jitter_buffer=_ratio(
                grown("jitterBufferDelay") * 1000, grown("jitterBufferEmittedCount")
            ),
            # A late packet can turn a loss into none, so the counter may fall.
            loss=_ratio(max(0.0, lost) * 100, max(0.0, lost) + received),
            received_rate=_ratio(grown("bytesReceived") * 8 / 1000, elapsed),
            sent_rate=_ratio(grown("bytesSent") * 8 / 1000, elapsed),
            transport=transports.get(str(pair.get("localCandidateId")), "").upper() or None,
        )


def _ratio(amount: float, by: float | None) -> float | None:
    return amount / by if by is not None and by > 0 else None


def _times(value: object, factor: float) -> float | None:
    return value * factor if isinstance(value, int | float) else None
