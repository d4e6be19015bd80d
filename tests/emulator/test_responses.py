"""What a response is asked, as the conversation has it."""

from __future__ import annotations

from typing import Any

from voicepilot.emulator.conversation import Item, typed
from voicepilot.emulator.mind import ToolOutcome
from voicepilot.emulator.responses import what_is_asked


def user(text: str) -> Item:
    content = [{"type": "input_text", "text": text}]
    return typed({"id": text, "type": "message", "role": "user", "content": content})


def spoken(text: str) -> Item:
    item = other(type="message", role="user", content=[{"type": "input_audio"}])
    item.said = text
    return item


def other(**body: Any) -> Item:
    return Item({"id": "x", **body})


ASSISTANT = other(type="message", role="assistant", content=[])
CALL = other(type="function_call", call_id="c", name="list_files", arguments="{}")
OUTPUT = other(type="function_call_output", call_id="c", output="[]")
FILES = [ToolOutcome("list_files", "[]")]


def test_a_sentence_with_a_pause_in_it_is_one() -> None:
    context = [user("hello"), ASSISTANT, spoken("what is"), spoken("the time?")]
    assert what_is_asked(context) == ("what is the time?", [])


def test_a_typed_question_is_whole_and_may_be_typed_again() -> None:
    assert what_is_asked([user("what is"), user("the time?")]) == ("the time?", [])
    assert what_is_asked([user("look:"), spoken("what is it?")]) == ("what is it?", [])
    assert what_is_asked([spoken("what is it?"), user("what is it?")]) == ("what is it?", [])


def test_what_was_answered_is_not_asked_again() -> None:
    assert what_is_asked([user("what is the time?"), ASSISTANT]) == ("", [])
    assert what_is_asked([user("files?"), CALL, OUTPUT, ASSISTANT]) == ("", [])


def test_results_come_with_the_question_they_belong_to() -> None:
    assert what_is_asked([user("files?"), CALL, OUTPUT]) == ("files?", FILES)
    assert what_is_asked([user("old"), CALL, user("files?"), CALL, OUTPUT]) == ("files?", FILES)


def test_a_question_after_the_results_is_a_new_one() -> None:
    assert what_is_asked([user("files?"), CALL, OUTPUT, user("the time?")]) == ("the time?", [])


def test_a_result_without_its_call_has_no_name() -> None:
    assert what_is_asked([OUTPUT]) == ("", [ToolOutcome("the tool", "[]")])
