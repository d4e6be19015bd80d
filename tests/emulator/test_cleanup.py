"""What is left of a call when it is over? Nothing."""

from __future__ import annotations

import asyncio
import gc
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from voicepilot.emulator.call import Call
from voicepilot.emulator.hearing import Hearing
from voicepilot.emulator.listening import Listener
from voicepilot.emulator.peer import Peer
from voicepilot.emulator.playout import Playout
from voicepilot.emulator.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.client import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLS = 20


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _threads() -> int:
    """Threads but for those of asyncio's own pool, which keeps what it has made."""
    return sum(1 for each in threading.enumerate() if not each.name.startswith("asyncio"))


def _alive() -> list[str]:
    """The objects that belong to calls and are still there."""
    gc.collect()
    kinds = (Call, Session, Peer, Playout, Listener, Hearing)
    return [type(each).__name__ for each in gc.get_objects() if type(each) in kinds]


async def _becomes(true: Callable[[], bool], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 -- other parties' state, that tells nobody when it changes
            await asyncio.sleep(0.02)


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="counts descriptors as Linux has them"
)
async def test_calls_leave_no_task_thread_descriptor_or_object(bench: Bench) -> None:
    async def one() -> None:
        client = await bench.call()
        client.send("input_audio_buffer.clear")
        await client.wait("input_audio_buffer.cleared")
        await client.close()

    for _ in range(2):  # what is made once and kept
        await one()
    await _becomes(lambda: _alive() == [])
    tasks, threads, files = len(asyncio.all_tasks()), _threads(), _descriptors()

    for _ in range(CALLS):
        await one()

    await _becomes(lambda: len(asyncio.all_tasks()) <= tasks)
    await _becomes(lambda: _threads() <= threads)
    await _becomes(lambda: _descriptors() <= files)
    await _becomes(lambda: _alive() == [])


async def test_a_call_that_nobody_joins_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicepilot.emulator.peer.CONNECT_WITHIN_S", 0.2)

    class _AwayError(Exception):
        pass

    async def go_away(_: object) -> None:
        raise _AwayError

    with pytest.raises(_AwayError):
        await bench.call(before_connecting=go_away)
    await _becomes(lambda: _alive() == [])
