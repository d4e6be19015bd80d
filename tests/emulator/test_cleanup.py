"""What is left of a call when it is over? Nothing."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from voicepilot.emulator.call import Call
from voicepilot.emulator.delivery import Delivery
from voicepilot.emulator.hearing import Hearing
from voicepilot.emulator.line import Line
from voicepilot.emulator.listening import Listener
from voicepilot.emulator.peer import Peer
from voicepilot.emulator.playout import Playout
from voicepilot.emulator.session import Session
from voicepilot.emulator.socket_session import SocketSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.emulator.client import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLS = 12
FEWER_CALLS = 6


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _threads() -> int:
    """Threads but for those of asyncio's own pool, which keeps what it has made."""
    return sum(1 for each in threading.enumerate() if not each.name.startswith("asyncio"))


KINDS = (Call, SocketSession, Line, Session, Peer, Playout, Delivery, Listener, Hearing)


def _alive() -> list[object]:
    """The objects that belong to calls and are still there."""
    gc.collect()
    return [each for each in gc.get_objects() if type(each) in KINDS]


@pytest_asyncio.fixture(loop_scope="session")
async def new_ones() -> AsyncIterator[Callable[[], list[str]]]:
    """Tells what is alive that was not when the test began: a test that failed leaves its calls."""
    before = _alive()

    def news() -> list[str]:
        return [type(each).__name__ for each in _alive() if not any(each is old for old in before)]

    yield news
    before.clear()


async def _becomes(true: Callable[[], bool], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 -- other parties' state, that tells nobody when it changes
            await asyncio.sleep(0.02)


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="counts descriptors as Linux has them"
)
@pytest.mark.parametrize("kind", ["call", "socket", "sideband"])
async def test_calls_leave_no_task_thread_descriptor_or_object(
    bench: Bench, new_ones: Callable[[], list[str]], kind: str
) -> None:
    async def call() -> None:
        client = await bench.call()
        client.send("input_audio_buffer.clear")
        await client.wait("input_audio_buffer.cleared")
        await client.close()

    async def socket() -> None:
        async with bench.socket({"model": "my-deployment"}) as client:
            await client.send("input_audio_buffer.clear")
            await client.wait("input_audio_buffer.cleared")

    async def sideband() -> None:
        client = await bench.call()
        async with bench.socket({"call_id": client.call_id}) as beside:
            await beside.send("input_audio_buffer.clear")
            await beside.wait("input_audio_buffer.cleared")
            await client.close()

    one = {"call": call, "socket": socket, "sideband": sideband}[kind]

    for _ in range(2):  # what is made once and kept
        await one()
    await _becomes(lambda: new_ones() == [])
    tasks, threads, files = len(asyncio.all_tasks()), _threads(), _descriptors()

    for _ in range(CALLS if kind == "call" else FEWER_CALLS):
        await one()

    await _becomes(lambda: len(asyncio.all_tasks()) <= tasks)
    await _becomes(lambda: _threads() <= threads)
    await _becomes(lambda: _descriptors() <= files)
    await _becomes(lambda: new_ones() == [])


async def test_a_call_that_nobody_joins_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, new_ones: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr("voicepilot.emulator.peer.CONNECT_WITHIN_S", 0.2)

    class _AwayError(Exception):
        pass

    async def go_away(_: object) -> None:
        raise _AwayError

    with pytest.raises(_AwayError):
        await bench.call(before_connecting=go_away)
    await _becomes(lambda: new_ones() == [])
