"""Fifty calls in one page leave nothing behind, neither in the browser nor in the service."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from playwright.async_api import CDPSession
from tests.page.backends import Demo
from tests.page.call_page import CallPage
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLS = 50
WARM_UP = 3
"""Calls after which everything that is made once has been made."""

COUNTED = (
    "RTCPeerConnections",
    "AudioHandlers",
    "AudioWorkletProcessors",
    "JSEventListeners",
    "Nodes",
)
"""What the browser counts and what a call must give back, all of it.

Each proxy of Python's is a listener here: the page makes one for one."""

HEAP_A_CALL = 20_000
"""Bytes of JavaScript that a call may leave: the transcript and the event log do grow."""


class Ledger:
    """What lives in the page, as the browser's own tools count it after collecting garbage."""

    def __init__(self, page: CallPage, tools: CDPSession) -> None:
        self._page = page
        self._tools = tools

    @classmethod
    async def open(cls, page: CallPage) -> Ledger:
        tools = await page.page.context.new_cdp_session(page.page)
        await tools.send("Performance.enable")
        return cls(page, tools)

    async def counts(self) -> dict[str, float]:
        # An object that another held is free only in the next round.
        for _ in range(2):
            await self._tools.send("HeapProfiler.collectGarbage")
        metrics = (await self._tools.send("Performance.getMetrics"))["metrics"]
        found = {each["name"]: each["value"] for each in metrics}
        return {name: found[name] for name in (*COUNTED, "JSHeapUsedSize")}


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def until_no_more_than(files: int, pid: int) -> None:
    """Wait until the process holds no more files and sockets than these."""
    for _ in range(100):
        if open_files(pid) <= files:
            return
        await asyncio.sleep(0.2)
    pytest.fail(f"{open_files(pid) - files} files more than before are open")


async def call_and_stop(page: CallPage) -> None:
    await page.talk()
    await page.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_fifty_calls_leave_nothing(open_call_page: Open, running_demo: Demo) -> None:
    async with open_call_page(on_cue=False, listen=False) as page:
        await page.ready()
        ledger = await Ledger.open(page)
        for _ in range(WARM_UP):
            await call_and_stop(page)
        before, python_before = await ledger.counts(), await page.witness("python()")
        assert python_before > 0
        files_before = open_files(running_demo.service_pid)

        for _ in range(CALLS - WARM_UP):
            await call_and_stop(page)

        assert await page.witness("made") == {"peers": CALLS, "contexts": 1, "audios": 1}
        assert await page.witness("livePeers()") == 0
        assert all(track["state"] == "ended" for track in await page.witness("microphones()"))
        after = await ledger.counts()
        grown = {name: after[name] - before[name] for name in after}
        print(f"\nafter {CALLS - WARM_UP} calls more: {grown}")
        assert grown.pop("JSHeapUsedSize") < HEAP_A_CALL * (CALLS - WARM_UP)
        assert {name: more for name, more in grown.items() if more > 0} == {}
        assert await page.witness("python()") == python_before

        # The service notices by itself that pages left.
        await until_no_more_than(files_before, running_demo.service_pid)
