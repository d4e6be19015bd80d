"""`python -m tests.bench.clients ADDRESS KEY CALLS`: so many calls at once; prints {"p99", "packets"}.

The clients count the packets of the reply where they arrive and decode none, to leave the machine to the
service.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import pairwise
from typing import Any, Final

import aiohttp
from tests.bench.rows import percentile
from tests.emulator.client import Bench, Client

_ASK: Final = "Count to twenty."
_LISTEN_S: Final = 5.0


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
    def count(pc: Any) -> Any:
        (receiver,) = pc.getReceivers()

        async def arrived(packet: Any, arrival_time_ms: int) -> None:
            times.append(time.perf_counter())

        receiver._handle_rtp_packet = arrived
        return asyncio.sleep(0)

    return await bench.call(before_connecting=count)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
