"""`python -m tests.bench.clients ADDRESS KEY CALLS`: so many calls at once; prints {"p99", "packets"}.

The clients count the packets of the reply where they arrive and decode none, and their microphones send
packets that were encoded once: the machine is left to the service.
"""

from __future__ import annotations

import asyncio
import fractions
import functools
import json
import sys
import time
from itertools import pairwise
from typing import Any, Final

import aiohttp
import av
import numpy as np
from aiortc import MediaStreamTrack
from tests.bench.rows import percentile
from tests.emulator.client import Bench, Client

_ASK: Final = "Count to twenty."
_LISTEN_S: Final = 5.0
_RATE: Final = 48_000
_SAMPLES: Final = _RATE // 50


async def main(address: str, key: str, calls: int) -> None:
    """Call, ask, listen, report."""
    arrivals: list[list[float]] = [[] for _ in range(calls)]
    async with aiohttp.ClientSession() as http:
        bench = Bench(address, http, key)
        clients = await asyncio.gather(*(_call(bench, times) for times in arrivals))
        for client in clients:
            item = {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": _ASK}],
            }
            client.send("conversation.item.create", item=item)
            client.send("response.create")
        await asyncio.gather(*(c.wait("output_audio_buffer.started", within=60) for c in clients))
        since = time.perf_counter()
        await asyncio.sleep(_LISTEN_S)
        await asyncio.gather(*(client.close() for client in clients))
    gaps = [
        (later - one) * 1000
        for times in arrivals
        for one, later in pairwise(at for at in times if at >= since)
    ]
    print(json.dumps({"p99": percentile(gaps, 0.99), "packets": len(gaps)}))


async def _call(bench: Bench, times: list[float]) -> Client:
    async def prepare(pc: Any) -> None:
        (receiver,), (sender,) = pc.getReceivers(), pc.getSenders()

        async def arrived(packet: Any, arrival_time_ms: int) -> None:
            times.append(time.perf_counter())

        receiver._handle_rtp_packet = arrived
        sender.replaceTrack(Hiss())

    return await bench.call(before_connecting=prepare)


class Hiss(MediaStreamTrack):
    """A microphone in a quiet room: two seconds of hiss, again and again, 20 ms a packet."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0
        self._start = asyncio.get_running_loop().time()

    async def recv(self) -> av.Packet[Any]:
        await asyncio.sleep(self._start + self._sent / 50 - asyncio.get_running_loop().time())
        packet = av.Packet(_hiss()[self._sent % 100])
        packet.pts = self._sent * _SAMPLES
        packet.time_base = fractions.Fraction(1, _RATE)
        self._sent += 1
        return packet


@functools.cache
def _hiss() -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.format, encoder.layout, encoder.sample_rate = "s16", "mono", _RATE
    noise = np.random.default_rng(1).normal(0, 10, _SAMPLES * 110).astype(np.int16)
    packets: list[bytes] = []
    for start in range(0, len(noise), _SAMPLES):
        frame = av.AudioFrame.from_ndarray(
            noise[None, start : start + _SAMPLES], format="s16", layout="mono"
        )
        frame.sample_rate = _RATE
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets[:100]


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
