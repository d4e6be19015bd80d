"""In which order, and how soon, are received packets played?

aiortc's own buffer holds four packets before it gives the first one out, and up to sixteen once one is
lost: 80 to 300 ms, which a conversation feels. This one gives every packet out at once as long as they come
in order. A packet that comes early waits for the missing ones, ``PATIENCE_S`` at most; what comes later than
that is dropped. What is missing then is filled with silence, so that positions in the stream stay true.

It takes the place of the audio receiver's buffer (:meth:`JitterTap.install`), a private attribute of aiortc
1.16, and hands the packets on itself: the receiver's decoder thread stays idle, and decoding 20 ms of
Opus costs less than handing it to a thread.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import RTCRtpReceiver

PATIENCE_S = 0.04
"""How long a packet waits for one that should come before it: two packets' time."""

_SEQUENCE = 1 << 16
_TIMESTAMP = 1 << 32
_RESTART = 100
_MOST_SILENCE = 48_000
_PRIVATE_NAME = "_RTCRtpReceiver__jitter_buffer"


@dataclass(frozen=True, slots=True)
class Encoded:
    """One packet's Opus data, and the silence to put before it, in samples at 48 kHz."""

    data: bytes
    missing: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    data: bytes
    timestamp: int
    arrived: float


class LowJitterBuffer:
    """Puts packets in order. Time comes in as an argument, in seconds."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._next: int | None = None
        self._expected_timestamp: int | None = None
        self._last_duration = 960
        self._waiting: dict[int, _Waiting] = {}

    @property
    def deadline(self) -> float | None:
        """When :meth:`overdue` has something to give out, unless a packet comes before that."""
        if not self._waiting:
            return None
        return min(packet.arrived for packet in self._waiting.values()) + self._patience_s

    def add(self, sequence: int, timestamp: int, data: bytes, now: float) -> list[Encoded]:
        """Take one packet; returns what can be played now, in order."""
        if self._next is None:
            self._next = sequence
        ahead = (sequence - self._next) % _SEQUENCE
        if ahead >= _SEQUENCE // 2:
            if _SEQUENCE - ahead < _RESTART:
                return []
            ahead = _RESTART
        if ahead >= _RESTART:
            # A jump this long is a new stream, not a loss.
            self._waiting.clear()
            self._next = sequence
            self._expected_timestamp = None
        self._waiting[sequence] = _Waiting(data, timestamp, now)
        return [*self._in_order(), *self.overdue(now)]

    def overdue(self, now: float) -> list[Encoded]:
        """Stop waiting for what has been missing for too long; returns what stood behind it."""
        released: list[Encoded] = []
        while (deadline := self.deadline) is not None and now >= deadline:
            start = self._next or 0
            self._next = min(self._waiting, key=lambda sequence: (sequence - start) % _SEQUENCE)
            released += self._in_order()
        return released

    def _in_order(self) -> list[Encoded]:
        released = []
        while self._next is not None and (packet := self._waiting.pop(self._next, None)):
            missing = 0
            if self._expected_timestamp is not None:
                gap = (packet.timestamp - self._expected_timestamp) % _TIMESTAMP
                if gap <= _MOST_SILENCE:
                    missing = gap
            self._expected_timestamp = (packet.timestamp + opus_duration(packet.data)) % _TIMESTAMP
            released.append(Encoded(packet.data, missing))
            self._next = (self._next + 1) % _SEQUENCE
        return released


def opus_duration(data: bytes) -> int:
    """How many samples at 48 kHz an Opus packet holds, by its first bytes (RFC 6716, section 3.1)."""
    if not data:
        return 960
    configuration = data[0] >> 3
    if configuration < 12:
        frame = (480, 960, 1920, 2880)[configuration & 3]
    elif configuration < 16:
        frame = (480, 960)[configuration & 1]
    else:
        frame = (120, 240, 480, 960)[configuration & 3]
    code = data[0] & 3
    if code == 0:
        return frame
    if code < 3:
        return 2 * frame
    return frame * (data[1] & 0x3F) if len(data) > 1 else frame


class JitterTap:
    """Stands in an aiortc receiver where its jitter buffer was, and passes packets to ``deliver``."""

    def __init__(self, deliver: Callable[[list[Encoded]], None]) -> None:
        self._buffer = LowJitterBuffer()
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def install(self, receiver: RTCRtpReceiver) -> None:
        """Take the place of the receiver's own buffer.

        Raises:
            AttributeError: this is not the aiortc this was written for.
        """
        getattr(receiver, _PRIVATE_NAME)
        setattr(receiver, _PRIVATE_NAME, self)

    def close(self) -> None:
        """Deliver nothing more."""
        self._deliver = _drop
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def add(self, packet: Any) -> tuple[bool, None]:
        """What aiortc calls with each packet. Never asks for a key frame, never returns a frame."""
        released = self._buffer.add(
            packet.sequence_number, packet.timestamp, packet._data, self._loop.time()
        )
        self._pass_on(released)
        return False, None

    def _pass_on(self, released: list[Encoded]) -> None:
        if released:
            self._deliver(released)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (deadline := self._buffer.deadline) is not None:
            self._timer = self._loop.call_at(deadline, self._give_up_waiting)

    def _give_up_waiting(self) -> None:
        self._timer = None
        self._pass_on(self._buffer.overdue(self._loop.time()))


def _drop(_: list[Encoded]) -> None:
    return None
