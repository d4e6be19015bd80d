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

SOURCES_A_CALL = 2
"""Chromium keeps each stream's source node, also one that is disconnected and forgotten, for as long
as its context lives (156, seen on an empty page). More than those two may not stay."""


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

    async def grown_since(self, before: dict[str, float]) -> dict[str, float]:
        """What has become more, once it has settled; nodes are freed a little after the garbage."""
        for _ in range(20):
            now = await self.counts()
            grown = {name: max(0, now[name] - before[name]) for name in now}
            if not any(grown[name] for name in COUNTED):
                break
            await asyncio.sleep(0.25)
        return grown


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def until_no_more_than(files: int, pid: int) -> None:
    """Wait until the process holds no more files and sockets than these."""
    for _ in range(100):
        if open_files(pid) <= files:
            return
        await asyncio.sleep(0.2)
    pytest.fail(f"{open_files(pid) - files} files more than before are open")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_fifty_calls_leave_nothing(open_call_page: Open, running_demo: Demo) -> None:
    async with open_call_page(on_cue=False, listen=False) as page:
        await page.ready()
        ledger = await Ledger.open(page)
        await page.talk()
        # The browser's fake microphone beeps; what it says must not become turns. Mute holds on.
        await page.button("Mute").click()
        for _ in range(WARM_UP - 1):
            await page.stop()
            await page.talk()
        await page.stop()
        # Counted within a call: while no sound is rendered, Chromium frees no audio node.
        await page.talk()
        before, python_before = await ledger.counts(), await page.witness("python()")
        assert python_before > 0
        files_before = open_files(running_demo.service_pid)

        for _ in range(CALLS - WARM_UP - 1):
            await page.stop()
            await page.talk()

        assert await page.witness("made") == {"peers": CALLS, "contexts": 1, "audios": 1}
        assert await page.witness("livePeers()") == 1
        tracks = await page.witness("microphones()")
        assert sum(track["state"] == "live" for track in tracks) == 1
        grown = await ledger.grown_since(before)
        print(f"\nafter {CALLS - WARM_UP - 1} calls more: {grown}")
        assert grown.pop("JSHeapUsedSize") < HEAP_A_CALL * CALLS
        assert grown.pop("AudioHandlers") <= SOURCES_A_CALL * CALLS
        assert not any(grown.values())
        assert await page.witness("python()") == python_before

        # The service notices by itself that pages left.
        await until_no_more_than(files_before, running_demo.service_pid)
