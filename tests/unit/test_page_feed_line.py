"""The backend hears every input once, however often the connection breaks, and only if it asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from voicepilot.backend.feed import Feed
from voicepilot.bridge.jsonrpc import MAX_TEXT, Endpoint
from voicepilot.bridge.messages import CallFeed, FeedTaken
from voicepilot.page import feed_line
from voicepilot.page.feed_line import FeedLine
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.protocol.problems import problem
from voicepilot.session.feed import Entry


class Backend:
    """A backend whose answers get lost as often as the test says."""

    def __init__(self) -> None:
        self.words: list[object] = []
        self.batches: list[int] = []
        self.losses = 0
        self.feed = Feed()
        self.feed.listen(self)

    def heard(self, page: str, entry: Entry) -> None:
        self.words.append(entry.args[0] if entry.args else entry.name)

    def missed(self, page: str) -> None:
        self.words.append(None)

    async def tell(self, said: CallFeed) -> FeedTaken:
        Endpoint().request("call.feed", said.to_params())  # it fits into a frame
        self.batches.append(len(said.entries))
        taken = self.feed.take(said)
        if self.losses:
            self.losses -= 1
            raise Trouble(problem("backend-unreachable"))
        return taken


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the line has no event to wait for
            await asyncio.sleep(0.005)


@pytest.fixture
async def scope():
    faults: list[str] = []
    scope = Scope("page", lambda what, error: faults.append(f"{what}: {error}"))
    yield scope
    scope.end()
    assert faults == []


async def test_inputs_from_before_the_greeting_are_delivered_together(scope: Scope) -> None:
    backend = Backend()
    line = FeedLine(scope, backend.tell)
    for word in "abc":
        line.add(1.0, "say", (word,))
    line.welcomed(wanted=True)
    await until(lambda: backend.words)
    assert backend.words == ["a", "b", "c"]
    line.add(2.0, "say", ("d",))
    line.add(2.0, "say", ("e",))
    await until(lambda: len(backend.words) == 5)
    assert backend.batches == [3, 2]


async def test_what_had_no_answer_is_sent_again_and_heard_once(scope: Scope) -> None:
    backend = Backend()
    backend.losses = 2
    line = FeedLine(scope, backend.tell)
    for number in range(3):
        line.add(1.0, "say", (f"a{number}",))
        line.add(1.0, "say", (f"b{number}",))
        line.welcomed(wanted=True)
        await until(lambda n=number: len(backend.batches) > n)
    await until(lambda: len(backend.words) == 6)
    assert backend.batches == [2, 4, 6]
    assert backend.words == ["a0", "b0", "a1", "b1", "a2", "b2"]


async def test_nothing_is_kept_for_a_backend_that_does_not_want_it(scope: Scope) -> None:
    backend = Backend()
    line = FeedLine(scope, backend.tell)
    line.add(1.0, "say", ("before",))
    line.welcomed(wanted=False)
    line.add(1.0, "say", ("after",))
    line.welcomed(wanted=True)  # another backend, in the place of the one before
    line.add(1.0, "say", ("later",))
    await until(lambda: backend.words)
    assert backend.words == [None, "later"]


async def test_a_backend_that_was_started_anew_gets_everything_again(scope: Scope) -> None:
    first, second = Backend(), Backend()
    backend = first

    async def tell(said: CallFeed) -> FeedTaken:
        return await backend.tell(said)

    line = FeedLine(scope, tell)
    line.welcomed(wanted=True)
    for word in "abc":
        line.add(1.0, "say", (word,))
    await until(lambda: len(first.words) == 3)
    first.losses = 1  # it ends when it has heard the next one
    line.add(1.0, "say", ("d",))
    await until(lambda: first.losses == 0)
    backend = second
    line.welcomed(wanted=True)
    await until(lambda: len(second.words) == 4)
    line.add(1.0, "say", ("e",))
    await until(lambda: len(second.words) == 5)
    assert second.words == ["a", "b", "c", "d", "e"]


async def test_what_the_backend_has_is_kept_without_its_sound(scope: Scope) -> None:
    first, second = Backend(), Backend()
    backend = first

    async def tell(said: CallFeed) -> FeedTaken:
        return await backend.tell(said)

    event = {"type": "response.output_audio.delta", "delta": "A" * 7_000_000}
    line = FeedLine(scope, tell)
    line.welcomed(wanted=True)
    for number in range(1, 4):  # together more than is kept
        line.add(1.0, "receive", (1, json.dumps(event)))
        await until(lambda n=number: len(first.words) == n)
    first.losses = 1
    line.add(1.0, "stop", ())
    await until(lambda: first.losses == 0)
    backend = second
    line.welcomed(wanted=True)
    await until(lambda: len(second.words) == 4)
    assert None not in second.words


async def test_the_line_is_bounded_and_no_frame_too_long(
    scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_line, "MOST_KEPT", 2000)
    backend = Backend()
    line = FeedLine(scope, backend.tell)
    for number in range(2001):
        line.add(1.0, "say", (str(number),))
    for _ in range(4):
        line.add(1.0, "say", ("\N{PILE OF POO}" * 79_000,))
    line.add(1.0, "say", ("x" * MAX_TEXT,))
    line.add(1.0, "say", ("end",))
    line.welcomed(wanted=True)
    await until(lambda: backend.words and backend.words[-1] == "end")
    assert backend.words[:2] == [None, "200"]
    assert backend.words[-2] is None, "the one that no frame could hold"
