"""Whatever a legal service and a person do, in any interleaving, the call keeps its promises.

`Service` is a model of the real one: it takes a client's messages one by one, makes one response at a time,
answers the user's speech by itself, refuses what the real one refuses. Its events and the client's messages
wait in two queues, and Hypothesis decides what happens next. The promises:

- no response is asked for while the client knows of one that is being made;
- every turn is in the conversation exactly once, in the service's order when all news has come;
- nothing raises;
- every wish for a response is fulfilled in the end.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from voicepilot.protocol.server_events import SERVER_EVENTS
from voicepilot.session import Call, Command
from voicepilot.session.commands import CallTool, Send
from voicepilot.session.response_gate import Stage

from .event_damage import damaged_events
from .service_story import SESSION, answer, function_call, user_message

USUAL = settings().max_examples
"""How many examples the profile asks for: fewer where Python is slow."""


class Service:
    """One session of a service that keeps to the protocol."""

    def __init__(self) -> None:
        self.outbox: deque[dict[str, Any]] = deque(
            [{"type": "session.created", "session": SESSION}]
        )
        self.inbox: deque[dict[str, Any]] = deque()
        self.items: list[str] = []
        self.untranscribed: list[str] = []
        self.speaking = ""
        self.response: dict[str, Any] | None = None
        self.playing = ""
        self.count = 0
        self.created = 0
        self.outputs: set[str] = set()

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def emit(self, kind: str, **fields: Any) -> None:
        self.outbox.append({"type": kind, **fields})

    def add(self, item: dict[str, Any]) -> None:
        previous = self.items[-1] if self.items else None
        self.items.append(item["id"])
        self.emit("conversation.item.added", item=item, previous_item_id=previous)

    # what can happen next, each a step

    def steps(self) -> list[str]:
        steps = ["user_ends" if self.speaking else "user_begins"]
        if self.response is not None:
            steps.append("continue_response")
        if self.playing and self.response is None:
            steps.append("play_to_the_end")
        if self.untranscribed:
            steps.append("transcribe")
        if self.inbox:
            steps.append("take_message")
        return steps

    def user_begins(self) -> None:
        self.speaking = self.name("u")
        self.emit("input_audio_buffer.speech_started", item_id=self.speaking)
        self.cancel("turn_detected")
        self.clear()

    def user_ends(self) -> None:
        item_id, self.speaking = self.speaking, ""
        previous = self.items[-1] if self.items else None
        self.emit("input_audio_buffer.speech_stopped", item_id=item_id)
        self.emit("input_audio_buffer.committed", item_id=item_id, previous_item_id=previous)
        self.add(user_message(item_id))
        self.untranscribed.append(item_id)
        if self.response is None:
            self.begin_response()

    def transcribe(self) -> None:
        item_id = self.untranscribed.pop(0)
        kind = "conversation.item.input_audio_transcription.completed"
        self.emit(kind, item_id=item_id, content_index=0, transcript=f"words of {item_id}")

    def begin_response(self) -> None:
        self.created += 1
        self.response = {"id": self.name("r"), "left": 3, "item": None}
        self.emit("response.created", response={"id": self.response["id"], "status": "in_progress"})

    def continue_response(self) -> None:
        response = self.response
        assert response is not None
        response["left"] -= 1
        of = {"response_id": response["id"]}
        if response["item"] is None:
            calls = self.created % 3 == 0
            item_id = self.name("f" if calls else "a")
            response["item"] = item_id
            item = function_call(item_id, f"c{item_id}", "look") if calls else answer(item_id)
            self.emit("response.output_item.added", item=item, **of)
            self.add(item)
            if not calls:
                self.playing = response["id"]
                self.emit("output_audio_buffer.started", **of)
        elif response["left"] > 0:
            item_id = response["item"]
            if item_id.startswith("a"):
                kind = "response.output_audio_transcript.delta"
                self.emit(kind, item_id=item_id, content_index=0, delta="word ", **of)
            else:
                kind = "response.function_call_arguments.done"
                self.emit(kind, item_id=item_id, call_id=f"c{item_id}", arguments="{}", **of)
        else:
            self.finish("completed")

    def finish(self, status: str, reason: str = "") -> None:
        response, self.response = self.response, None
        assert response is not None
        details = {"type": status, "reason": reason}
        described = {
            "id": response["id"],
            "status": status,
            "status_details": details,
            "output": [],
        }
        self.emit("response.done", response=described)

    def cancel(self, reason: str) -> None:
        if self.response is not None:
            self.finish("cancelled", reason)

    def clear(self) -> None:
        if self.playing:
            self.emit("output_audio_buffer.cleared", response_id=self.playing)
            self.playing = ""

    def play_to_the_end(self) -> None:
        self.emit("output_audio_buffer.stopped", response_id=self.playing)
        self.playing = ""

    def take_message(self) -> None:
        message = self.inbox.popleft()
        match message["type"]:
            case "conversation.item.create":
                if message["item"]["type"] == "function_call_output":
                    self.outputs.add(message["item"]["id"])
                self.add(message["item"] | {"status": "completed"})
            case "response.create" if self.response is not None:
                code = "conversation_already_has_active_response"
                error = {"code": code, "message": "busy", "event_id": message["event_id"]}
                self.emit("error", error=error)
            case "response.create":
                self.begin_response()
            case "response.cancel":
                self.cancel("client_cancelled")
            case "output_audio_buffer.clear":
                self.clear()


class World:
    """A call, a service, and what lies between them."""

    def __init__(self) -> None:
        self.call = Call()
        self.service = Service()
        self.now = 0.0
        self.known_active: str | None = None
        self.tools: deque[CallTool] = deque()
        self.typed = 0
        for step in (
            lambda: self.call.talk(0),
            lambda: self.call.microphone_opened(1, 0),
            lambda: self.call.answered(1, "rtc", 0),
            lambda: self.call.channel_opened(1, 0),
        ):
            step()

    def run(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Send):
                if command.event.TYPE == "response.create":
                    assert self.known_active is None, "asked for a second response"
                self.service.inbox.append(json.loads(command.text))
            elif isinstance(command, CallTool):
                self.tools.append(command)

    def steps(self) -> list[str]:
        steps = ["say", "interrupt", "wait"]
        if self.service.outbox:
            steps.append("deliver")
        if self.tools:
            steps.append("return_tool")
        return steps + [f"service.{step}" for step in self.service.steps()]

    def take(self, step: str) -> None:
        self.now += 0.05
        if step.startswith("service."):
            getattr(self.service, step.removeprefix("service."))()
        else:
            getattr(self, step)()
        keys = [entry.key for entry in self.call.conversation.entries]
        assert len(keys) == len(set(keys))

    def deliver(self) -> None:
        event = self.service.outbox.popleft()
        if event["type"] == "response.created":
            self.known_active = event["response"]["id"]
        elif event["type"] == "response.done" and event["response"]["id"] == self.known_active:
            self.known_active = None
        self.run(self.call.receive(1, json.dumps(event), self.now))

    def say(self) -> None:
        self.typed += 1
        self.run(self.call.say(f"typed {self.typed}", self.now))

    def interrupt(self) -> None:
        self.run(self.call.interrupt(self.now))

    def wait(self) -> None:
        self.now += 0.5
        self.run(self.call.tick(self.now))

    def return_tool(self) -> None:
        tool = self.tools.popleft()
        self.run(self.call.tool_returned(1, tool.call_id, "result", self.now))

    def settle(self) -> None:
        """Let everything come to its end: no more speech, all news delivered, all answers given."""
        if self.service.speaking:
            self.take("service.user_ends")
        for _ in range(2000):
            steps = [
                step
                for step in self.steps()
                if step not in ("say", "interrupt", "wait", "service.user_begins")
            ]
            if steps:
                self.take(steps[0])
            elif self.call.next_deadline() is not None:
                self.take("wait")
            else:
                return
        raise AssertionError("the call never comes to rest")


@settings(max_examples=3 * USUAL, deadline=None)
@given(st.data())
def test_any_interleaving_keeps_the_promises(data: st.DataObject) -> None:
    world = World()
    for _ in range(data.draw(st.integers(5, 60), "steps")):
        world.take(data.draw(st.sampled_from(world.steps())))
    world.settle()
    assert not world.call.gate.busy
    assert world.call.gate.stage is Stage.RESTING
    shown = [turn.key for turn in world.call.conversation.turns]
    expected = [
        item
        for item in world.service.items
        if item.startswith(("u", "a", "vp")) and item not in world.service.outputs
    ]
    assert shown == expected
    assert all(
        turn.text == f"words of {turn.key}"
        for turn in world.call.conversation.turns
        if turn.key[0] == "u"
    )
    assert all(use.output == "result" for use in world.call.conversation.tool_uses if use.whole)
    assert not world.call.record.unknown


@settings(max_examples=3 * USUAL // 2, deadline=None)
@given(st.lists(st.one_of(damaged_events(), st.sampled_from(sorted(SERVER_EVENTS))), max_size=25))
def test_any_garbage_leaves_a_call_that_can_be_used(events: list[Any]) -> None:
    call = Call()
    call.talk(0)
    call.microphone_opened(1, 0)
    call.channel_opened(1, 0)
    for number, raw in enumerate(events):
        message = json.dumps(raw if isinstance(raw, dict) else {"type": raw})
        call.receive(1, message, number * 0.1)
        call.tick(number * 0.1)
    entries = [entry.key for entry in call.conversation.entries]
    assert len(entries) == len(set(entries))
    call.stop(99)
    assert call.talk(100)
