"""A recorded log, replayed: what it adds up to, in the shape that `voicepilot replay --json` prints."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from voicepilot.session.replay import read_log

from .service_story import answer, function_call, user_message


def received(kind: str, **fields: Any) -> str:
    return json.dumps({"direction": "received", "event": {"type": kind, **fields}})


def sent(kind: str, **fields: Any) -> str:
    return json.dumps({"direction": "sent", "event": {"type": kind, **fields}})


USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


def test_a_whole_call_in_the_order_of_the_service() -> None:
    question = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Q"}]}
    log = [
        received("session.created", session={"id": "s1", "model": "m", "expires_at": 9}),
        sent("conversation.item.create", item=question),
        received("conversation.item.added", item=question | {"id": "i1"}, previous_item_id=None),
        received("response.created", response={"id": "r1"}),
        received(
            "response.function_call_arguments.done",
            response_id="r1",
            item_id="f1",
            call_id="c1",
            name="look",
            arguments='{ "at": "x" }\n',
        ),
        received(
            "response.done",
            response={
                "id": "r1",
                "status": "completed",
                "usage": USAGE,
                "output": [function_call("f1", "c1", "look", '{ "at": "x" }\n')],
            },
        ),
        sent(
            "conversation.item.create",
            item={"type": "function_call_output", "call_id": "c1", "output": "seen"},
        ),
        sent("response.create"),
        received("response.created", response={"id": "r2"}),
        received(
            "response.output_text.delta", response_id="r2", item_id="a1", content_index=0, delta="A"
        ),
        received(
            "response.done",
            response={
                "id": "r2",
                "status": "completed",
                "usage": USAGE,
                "output": [answer("a1", "Answer.", "completed")],
            },
        ),
        received("weather.changed"),
    ]
    assert read_log(log).to_json() == {
        "requests": [],
        "gaps": 0,
        "session": {"id": "s1", "model": "m", "expires_at": 9},
        "turns": [
            {"role": "user", "item_id": "i1", "text": "Q", "status": "completed"},
            {"role": "assistant", "item_id": "a1", "text": "Answer.", "status": "completed"},
        ],
        "tool_calls": [
            {"call_id": "c1", "name": "look", "arguments": '{ "at": "x" }\n', "output": "seen"}
        ],
        "responses": 2,
        "failed_responses": [],
        "errors": [],
        "transcription_failures": [],
        "usage": {"input_tokens": 20, "output_tokens": 10, "total_tokens": 30},
        "unknown": {"weather.changed": 1},
    }


def test_bare_events_and_the_preview_dialect_are_understood() -> None:
    log = [
        json.dumps({"type": "conversation.item.created", "item": user_message("u1")}),
        json.dumps(
            {
                "type": "response.audio_transcript.delta",
                "response_id": "r1",
                "item_id": "a1",
                "content_index": 0,
                "delta": "Hi",
            }
        ),
    ]
    turns = read_log(log).to_json()["turns"]
    assert [(t["role"], t["text"], t["status"]) for t in turns] == [
        ("user", None, "completed"),
        ("assistant", "Hi", "in_progress"),
    ]


def test_broken_lines_are_named_and_the_rest_is_read() -> None:
    log = [
        "{",
        received("error", error={"code": "c", "message": "m"}),
        "[]",
        '{"direction":"sideways","event":{"type":"error"}}',
        '{"direction":"received"}',
        '{"no":"type"}',
        "",
        b"\xff\xfe",
    ]
    report = read_log(log)
    assert [number for number, _ in report.broken] == [1, 3, 4, 5, 6, 8]
    assert all(reason for _, reason in report.broken)
    assert report.to_json()["errors"] == [{"code": "c", "message": "m"}]


def test_failures_are_listed_with_code_and_message() -> None:
    log = [
        received(
            "response.done",
            response={
                "id": "r1",
                "status": "failed",
                "status_details": {"type": "failed", "error": {"code": "quota", "message": "None"}},
                "output": [answer("a1", "", "incomplete")],
            },
        ),
        received(
            "response.done",
            response={
                "id": "r2",
                "status": "incomplete",
                "status_details": {"type": "incomplete", "reason": "content_filter"},
            },
        ),
        received(
            "conversation.item.input_audio_transcription.failed",
            item_id="u1",
            error={"code": "DeploymentNotFound", "message": "none"},
        ),
    ]
    report = read_log(log).to_json()
    assert report["failed_responses"] == [
        {"code": "quota", "message": "None"},
        {"code": "content_filter", "message": None},
    ]
    assert report["transcription_failures"] == [
        {"item_id": "u1", "code": "DeploymentNotFound", "message": "none"}
    ]


def test_an_interruption_over_a_websocket_is_cut_by_the_length_of_its_sound() -> None:
    second = "A" * (48_000 * 4 // 3)  # base64 of one second of 16-bit sound at 24 kHz
    piece = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    log = [
        received("response.output_audio_transcript.delta", delta="one two three four", **piece),
        received("response.output_audio.delta", delta=second, **piece),
        sent("conversation.item.truncate", item_id="a1", content_index=0, audio_end_ms=500),
    ]
    (turn,) = read_log(log).to_json()["turns"]
    assert (turn["text"], turn["status"]) == ("one two", "interrupted")


def test_an_interruption_without_times_keeps_the_words() -> None:
    piece = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    log = [
        received("output_audio_buffer.started", response_id="r1"),
        received("response.output_audio_transcript.delta", delta="all that is known", **piece),
        received("response.done", response={"id": "r1", "status": "cancelled"}),
        received("output_audio_buffer.cleared", response_id="r1"),
    ]
    (turn,) = read_log(log).to_json()["turns"]
    assert (turn["text"], turn["status"]) == ("all that is known", "interrupted")


def test_an_interruption_with_times_is_cut_where_it_came() -> None:
    piece = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    words = "one two three four five six seven eight nine ten"
    events: list[tuple[float, dict[str, Any]]] = [
        (1.0, {"type": "response.output_audio_transcript.delta", "delta": words, **piece}),
        (1.1, {"type": "output_audio_buffer.started", "response_id": "r1"}),
        (2.1, {"type": "output_audio_buffer.cleared", "response_id": "r1"}),
    ]
    log = [json.dumps({"direction": "received", "at": at, "event": event}) for at, event in events]
    (turn,) = read_log(log).to_json()["turns"]
    assert turn["text"] == "one two three"


@given(st.lists(st.text() | st.binary()))
def test_any_file_is_read(lines: list[str | bytes]) -> None:
    report = read_log(lines)
    json.dumps(report.to_json())
    assert all(1 <= number <= len(lines) for number, _ in report.broken)


def test_a_byte_order_mark_hides_nothing() -> None:
    line = received("session.created", session={"id": "s1"})
    for log in (["\ufeff" + line], [b"\xef\xbb\xbf" + line.encode()]):
        report = read_log(log)
        assert report.broken == []
        assert report.to_json()["session"]["id"] == "s1"


def test_numbers_beyond_all_measure_change_nothing() -> None:
    huge = 10**400
    item = {"item_id": "a1", "content_index": 0}
    log = [
        received("response.output_audio_transcript.delta", response_id="r", delta="Hi", **item),
        received("conversation.item.truncated", audio_end_ms=huge, **item),
        json.dumps({"at": huge, "event": {"type": "output_audio_buffer.started"}}),
        received("response.done", response={"id": "r", "usage": {"input_tokens": huge}}),
    ]
    report = read_log(log)
    assert report.broken == []
    assert json.loads(json.dumps(report.to_json()))["usage"]["input_tokens"] == 0


def test_answers_seen_through_the_webrtc_filter_come_to_their_end() -> None:
    piece = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    log = [
        received("response.output_audio_transcript.delta", delta="Hel", **piece),
        received("response.output_audio_transcript.done", transcript="Hello.", **piece),
    ]
    (turn,) = read_log(log).to_json()["turns"]
    assert (turn["text"], turn["status"]) == ("Hello.", "completed")


def test_what_was_asked_outside_the_conversation_is_no_turn_however_late_that_is_known() -> None:
    piece = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    log = [
        received("response.output_text.delta", delta="aside", **piece),
        received("response.done", response={"id": "r1", "conversation_id": None}),
    ]
    assert read_log(log).to_json()["turns"] == []


def test_a_failure_told_twice_is_one_failure() -> None:
    details = {"type": "failed", "error": {"code": "quota", "message": "None"}}
    line = received(
        "response.done", response={"id": "r1", "status": "failed", "status_details": details}
    )
    assert len(read_log([line, line]).to_json()["failed_responses"]) == 1


def test_an_interruption_by_hand_is_cut_as_in_the_call() -> None:
    piece = {"response_id": "r1", "item_id": "a1", "content_index": 0}
    words = "one two three four five six seven eight nine ten"
    log = [
        (
            "received",
            1.0,
            {"type": "response.output_audio_transcript.delta", "delta": words, **piece},
        ),
        ("received", 1.1, {"type": "output_audio_buffer.started", "response_id": "r1"}),
        ("sent", 2.1, {"type": "output_audio_buffer.clear"}),
    ]
    lines = [json.dumps({"direction": d, "at": at, "event": event}) for d, at, event in log]
    (turn,) = read_log(lines).to_json()["turns"]
    assert (turn["text"], turn["status"]) == ("one two three", "interrupted")
