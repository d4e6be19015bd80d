"""The inputs of a core, written down and applied to another, make the same call of it."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicepilot.protocol.problems import Problem, problem
from voicepilot.session import Call, Command
from voicepilot.session.feed import Entry, FeedError, apply, decode, encode, inputs

from .event_damage import damaged_events
from .test_session_properties import USUAL, World

TOLD = {int: st.integers(1, 2), bool: st.booleans(), str: st.text(max_size=5)}
LINKS = st.sampled_from(["connected", "disconnected", "failed", "closed"])
PROBLEMS = st.sampled_from([problem("microphone-permission"), problem("sound-blocked")])


class Page:
    """A core whose inputs are written down, as JSON, and what it answered."""

    def __init__(self) -> None:
        self.call = Call()
        self.feed: list[str] = []
        self.answers: list[list[Command]] = []

    def tell(self, at: float, name: str, *args: Any) -> None:
        try:
            answer = getattr(self.call, name)(*args, at)
        except ValueError:
            return  # refused: nothing has changed, and nothing is fed
        self.answers.append(answer)
        self.feed.append(json.dumps(encode(Entry(at, name, args))))

    def check(self) -> Call:
        """Replay the feed into a fresh call, which must be the same as the page's."""
        replayed = Call()
        answers = [apply(replayed, decode(json.loads(line))) for line in self.feed]
        assert answers == self.answers
        # The order of the conversation is kept from one drawing to the next: draw both.
        assert len(replayed.conversation.entries) == len(self.call.conversation.entries)
        assert state(replayed) == state(self.call)
        return replayed


def state(value: Any) -> Any:
    """Everything that a value holds, to be compared."""
    if isinstance(value, Enum | str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {repr(key): state(each) for key, each in value.items()}
    if isinstance(value, list | tuple | deque):
        return [state(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    names = [*getattr(value, "__dict__", ()), *slots]
    if callable(value) or not names:
        return type(value).__name__
    return {name: state(getattr(value, name)) for name in names if hasattr(value, name)}


class Fed:
    """Stands before a core and writes down what it is told; the rest goes through."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def __getattr__(self, name: str) -> Any:
        if name not in inputs():
            return getattr(self._page.call, name)

        def told(*args: Any) -> list[Command]:
            self._page.tell(args[-1], name, *args[:-1])
            return self._page.answers[-1]

        return told


@settings(max_examples=USUAL, deadline=None)
@given(st.data())
def test_a_history_of_calls_is_replayed_exactly(data: st.DataObject) -> None:
    page, world = Page(), World()
    for name, args in (
        ("talk", ()),
        ("microphone_opened", (1,)),
        ("answered", (1, "rtc")),
        ("channel_opened", (1,)),
    ):
        page.tell(0.0, name, *args)
    world.call = Fed(page)  # type: ignore[assignment]
    for _ in range(data.draw(st.integers(5, 60), "steps")):
        world.take(data.draw(st.sampled_from(world.steps())))
    page.tell(world.now, data.draw(st.sampled_from(["stop", "tick", "interrupt"])))
    page.check()


@settings(max_examples=USUAL, deadline=None)
@given(st.data())
def test_inputs_in_any_order_with_any_events_are_replayed_exactly(data: st.DataObject) -> None:
    page = Page()
    names = st.sampled_from([*sorted(inputs()), *("receive",) * 10, "talk", "channel_opened"])
    for number in range(data.draw(st.integers(0, 30), "inputs")):
        name = data.draw(names)
        args = [data.draw(TOLD.get(kind, st.none())) for kind in inputs()[name]]
        match name:
            case "receive":
                args[1] = json.dumps(data.draw(damaged_events()))
            case "link_changed":
                args[1] = data.draw(LINKS)
            case "failed":
                args[1] = data.draw(PROBLEMS)
        if None in args:
            continue  # an input with arguments that have tests of their own
        page.tell(number * 0.3, name, *args)
    page.check()


def test_sound_is_left_out_and_its_length_kept() -> None:
    sound = base64.b64encode(b"\1\2" * 24_000).decode()  # a second
    part = {"type": "input_audio", "audio": sound, "transcript": "Hello."}
    page = Page()
    page.tell(0, "talk")
    page.tell(0, "microphone_opened", 1)
    page.tell(0, "channel_opened", 1)
    for event in (
        {"type": "response.created", "response": {"id": "r1"}},
        {
            "type": "response.output_audio.delta",
            "response_id": "r1",
            "item_id": "a1",
            "content_index": 0,
            "delta": sound,
        },
        {"type": "conversation.item.retrieved", "item": {"id": "u1", "content": [part]}},
        {"type": "session.updated", "session": {"audio": {"input": {}}}},
    ):
        page.tell(1, "receive", 1, json.dumps(event))
    page.check()
    assert all(len(line) < 400 for line in page.feed)
    assert f"~{len(sound)}" in page.feed[4]
    assert "Hello." in page.feed[5]


def test_typed_words_are_words_even_if_they_look_like_an_event() -> None:
    words = '{"type": "response.audio.delta", "delta": "words"}'
    assert encode(Entry(1, "say", (words,)))["args"] == [words]


def test_a_problem_survives() -> None:
    entry = Entry(2.5, "failed", (1, problem("service-throttled", seconds=3)))
    read = decode(json.loads(json.dumps(encode(entry))))
    assert read == entry
    assert isinstance(read.args[1], Problem)


def test_every_input_of_the_core_can_be_fed() -> None:
    assert {"talk", "stop", "mute", "say", "interrupt", "tick", "receive", "failed"} <= set(
        inputs()
    )
    assert not {"next_deadline", "phase"} & set(inputs())
    assert inputs()["tool_returned"] == (int, str, str)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {"at": 1, "name": "talk"},
        {"at": True, "name": "talk", "args": []},
        {"at": float("nan"), "name": "talk", "args": []},
        {"at": 1, "name": "next_deadline", "args": []},
        {"at": 1, "name": "__init__", "args": []},
        {"at": 1, "name": "talk", "args": [1]},
        {"at": 1, "name": "mute", "args": [1]},
        {"at": 1, "name": "answered", "args": [True, "rtc"]},
    ],
)
def test_what_is_no_input_is_refused(entry: object) -> None:
    with pytest.raises(FeedError):
        decode(entry)
