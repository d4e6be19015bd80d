"""A scope ends everything it owns, newest first, and at once what comes too late."""

from __future__ import annotations

import asyncio

import pytest

from voicepilot.page.scope import Scope


class Faults:
    def __init__(self) -> None:
        self.seen: list[tuple[str, type[BaseException]]] = []

    def __call__(self, what: str, error: BaseException) -> None:
        self.seen.append((what, type(error)))


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def scope(faults: Faults) -> Scope:
    return Scope("page", faults)


def test_ends_the_newest_first_and_each_once(scope: Scope) -> None:
    ended: list[str] = []
    for name in ("peer", "channel", "listener"):
        scope.own(lambda name=name: ended.append(name))
    scope.end()
    scope.end()
    assert ended == ["listener", "channel", "peer"]
    assert len(scope) == 0


def test_what_comes_after_the_end_is_ended_at_once(scope: Scope) -> None:
    scope.end()
    ended: list[str] = []
    scope.own(lambda: ended.append("late microphone"))
    assert ended == ["late microphone"]


def test_one_failing_closer_does_not_keep_the_others(scope: Scope, faults: Faults) -> None:
    ended: list[str] = []
    scope.own(lambda: ended.append("first"))
    scope.own(lambda: 1 // 0)
    scope.end()
    assert ended == ["first"]
    assert faults.seen == [("ending page", ZeroDivisionError)]


def test_closing_early_happens_once_and_leaves_nothing_behind(scope: Scope) -> None:
    ended: list[str] = []
    close = scope.own(lambda: ended.append("timer"))
    close()
    close()
    scope.end()
    assert ended == ["timer"]


def test_an_inner_scope_ends_with_the_outer_or_before_it(scope: Scope) -> None:
    ended: list[str] = []
    first, second = scope.nest("attempt 1"), scope.nest("attempt 2")
    first.own(lambda: ended.append("first"))
    second.own(lambda: ended.append("second"))
    first.end()
    assert ended == ["first"]
    assert len(scope) == 1, "an ended attempt must not stay with the page"
    scope.end()
    assert ended == ["first", "second"]
    assert second.ended


def test_a_scope_nested_into_an_ended_one_has_ended(scope: Scope) -> None:
    scope.end()
    assert scope.nest("attempt").ended


async def test_ending_cancels_work_and_a_cancelled_task_is_no_fault(
    scope: Scope, faults: Faults
) -> None:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    task = scope.start(work(), "waiting")
    assert task is not None
    await started.wait()
    scope.end()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert faults.seen == []


async def test_work_that_is_done_leaves_the_scope(scope: Scope) -> None:
    async def work() -> None:
        pass

    for _ in range(50):
        task = scope.start(work(), "working")
        assert task is not None
        await task
    await asyncio.sleep(0)  # callbacks of the last task
    assert len(scope) == 0


async def test_a_fault_of_a_task_is_told(scope: Scope, faults: Faults) -> None:
    async def work() -> None:
        raise LookupError("no such element")

    task = scope.start(work(), "drawing")
    assert task is not None
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert faults.seen == [("drawing", LookupError)]


async def test_an_ended_scope_starts_nothing(scope: Scope) -> None:
    ran: list[int] = []

    async def work() -> None:
        ran.append(1)

    scope.end()
    assert scope.start(work(), "late") is None
    await asyncio.sleep(0)
    assert ran == []
