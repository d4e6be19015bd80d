"""Spoken and typed turns against the real service, over real WebRTC, with real models."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests import voices
from tests.emulator.contract import complaints

from voicepilot.emulator.hearing import Hearing, TurnDetection

if TYPE_CHECKING:
    from tests.emulator.client import Bench, Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRANSCRIBED = {"audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
MANUAL = {
    "audio": {"input": {"transcription": {"model": "whisper-1"}, "turn_detection": None}},
}
TOOL = {
    "type": "function",
    "name": "list_files",
    "description": "List the files of the folder",
    "parameters": {"type": "object", "properties": {}},
}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def say(client: Client, text: str) -> None:
    client.send(
        "conversation.item.create",
        item={
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": text}],
        },
    )


def in_order(types: list[str], expected: list[str]) -> None:
    """The expected types all occur, each first occurrence after that of the one before."""
    places = [types.index(kind) for kind in expected]
    assert places == sorted(places), list(zip(expected, places, strict=True))


def keeps_to_the_contract(client: Client) -> None:
    assert [complaint for event in client.events for complaint in complaints(event)] == []


async def test_a_spoken_turn_is_understood_and_answered_in_azures_order(bench: Bench) -> None:
    client = await bench.call(TRANSCRIBED)
    speech = await asyncio.to_thread(voices.sentence, "What is seven times eight?")
    client.microphone.say(speech)
    stopped = await client.wait("output_audio_buffer.stopped", within=20)

    transcript = await client.wait("conversation.item.input_audio_transcription.completed")
    spelled = transcript["transcript"].replace("7", "seven").replace("8", "eight")
    assert words(spelled) == ["what", "is", "seven", "times", "eight"]
    done = (await client.wait("response.done"))["response"]
    assert done["status"] == "completed"
    spoken = done["output"][0]["content"][0]["transcript"]
    assert "56" in spoken
    deltas = [e["delta"] for e in client.events if e["type"].endswith("audio_transcript.delta")]
    assert "".join(deltas) == spoken
    assert stopped["response_id"] == done["id"]

    in_order(
        client.types(),
        [
            "session.created",
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "conversation.item.input_audio_transcription.delta",
            "conversation.item.input_audio_transcription.completed",
            "response.output_item.added",
            "response.content_part.added",
            "output_audio_buffer.started",
            "response.output_audio_transcript.delta",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.done",
            "output_audio_buffer.stopped",
        ],
    )
    started = await client.wait("input_audio_buffer.speech_started")
    committed = await client.wait("input_audio_buffer.committed")
    assert started["item_id"] == committed["item_id"] == transcript["item_id"]
    items = [e for e in client.events if e["type"] == "conversation.item.added"]
    assert [e["previous_item_id"] for e in items] == [None, started["item_id"]]

    # One second of sound is twenty tokens, of speech heard ten.
    sound = done["usage"]["output_token_details"]["audio_tokens"] * 50
    heard = len(client.loud_at) * 20
    assert 0.6 * sound <= heard <= sound + 60
    user = done["usage"]["input_token_details"]["audio_tokens"] * 100
    assert abs(user - len(speech) / 24 - 300) < 700
    assert all(event["type"] != "rate_limits.updated" for event in client.events)
    keeps_to_the_contract(client)
    await client.close()


async def test_speaking_over_the_answer_cancels_it_and_cuts_it_to_what_was_heard(
    bench: Bench,
) -> None:
    client = await bench.call()
    say(client, "repeat after me: " + "We walk along the river, and we talk about the boats. " * 4)
    client.send("response.create")
    please = await asyncio.to_thread(voices.sentence, "Please stop now.")
    await client.heard(800)
    client.microphone.say(please)
    mark = len(client.events)
    truncated = await client.wait("conversation.item.truncated")

    done = await client.wait("response.done")
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    item = done["response"]["output"][0]
    assert item["status"] == "incomplete"
    in_order(
        client.types(mark),
        [
            "input_audio_buffer.speech_started",
            "response.output_audio.done",
            "response.output_item.done",
            "response.done",
            "output_audio_buffer.cleared",
            "conversation.item.truncated",
        ],
    )
    heard_ms = len(client.loud_at) * 20
    assert truncated["item_id"] == item["id"]
    # Pauses count as played and not as sound.
    assert heard_ms - 60 <= truncated["audio_end_ms"] <= heard_ms + 700

    client.send("conversation.item.retrieve", item_id=item["id"])
    kept = (await client.wait("conversation.item.retrieved"))["item"]["content"][0]["transcript"]
    whole = item["content"][0]["transcript"]
    assert whole.startswith(kept)
    assert len(kept) < len(whole)
    keeps_to_the_contract(client)
    await client.close()


async def test_a_typed_turn_is_spoken(bench: Bench) -> None:
    client = await bench.call()
    say(client, "What is two plus two?")
    client.send("response.create")
    done = (await client.wait("response.done"))["response"]
    assert "4" in done["output"][0]["content"][0]["transcript"]
    await client.wait("output_audio_buffer.stopped")
    assert client.loud_at
    assert "response.output_audio.delta" not in client.types()
    await client.close()


async def test_text_modality_writes_and_is_silent(bench: Bench) -> None:
    client = await bench.call({"output_modalities": ["text"]})
    say(client, "What is two plus two?")
    client.send("response.create", response={"metadata": {"why": "test"}})
    done = (await client.wait("response.done"))["response"]
    assert done["output"][0]["content"][0]["type"] == "output_text"
    assert done["metadata"] == {"why": "test"}
    assert done["output_modalities"] == ["text"]
    assert (await client.wait("response.output_text.done"))["text"] == done["output"][0]["content"][
        0
    ]["text"]
    assert "output_audio_buffer.started" not in client.types()
    keeps_to_the_contract(client)
    await client.close()


async def test_a_tool_is_called_and_its_result_spoken(bench: Bench) -> None:
    client = await bench.call({"tools": [TOOL]})
    say(client, "List the files, please.")
    client.send("response.create")
    done = (await client.wait("response.done"))["response"]
    call = done["output"][0]
    assert (call["type"], call["name"], call["status"]) == (
        "function_call",
        "list_files",
        "completed",
    )
    arguments = await client.wait("response.function_call_arguments.done")
    assert arguments["arguments"] == call["arguments"]
    in_order(
        client.types(),
        [
            "response.created",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.done",
        ],
    )
    mark = len(client.events)
    client.send(
        "conversation.item.create",
        item={
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": '["apple.txt", "plum.txt"]',
        },
    )
    client.send("response.create")
    second = (await client.wait("response.done", after=mark))["response"]
    assert "apple" in second["output"][0]["content"][0]["transcript"]
    keeps_to_the_contract(client)
    await client.close()


async def test_tool_choice_none_calls_none_and_required_calls_one(bench: Bench) -> None:
    client = await bench.call({"tools": [TOOL], "output_modalities": ["text"]})
    for choice, kind in (("none", "message"), ("required", "function_call")):
        mark = len(client.events)
        say(client, "List the files." if choice == "none" else "What is two plus two?")
        client.send("response.create", response={"tool_choice": choice})
        done = await client.wait("response.done", after=mark)
        assert done["response"]["output"][0]["type"] == kind
    await client.close()


async def test_without_turn_detection_the_client_commits(bench: Bench) -> None:
    client = await bench.call(MANUAL)
    client.send("input_audio_buffer.clear")
    await client.wait("input_audio_buffer.cleared")
    client.send("input_audio_buffer.commit", event_id="too-soon")
    error = (await client.wait("error"))["error"]
    assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "too-soon")

    client.microphone.say(await asyncio.to_thread(voices.sentence, "The sky is blue today."))
    await client.microphone.silent()
    await asyncio.sleep(0.3)  # what has left the microphone is still on its way
    client.send("input_audio_buffer.commit")
    completed = await client.wait("conversation.item.input_audio_transcription.completed")
    assert words(completed["transcript"]) == ["the", "sky", "is", "blue", "today"]
    assert completed["usage"]["type"] == "duration"
    assert "input_audio_buffer.speech_started" not in client.types()
    assert "response.created" not in client.types()
    client.send("response.create", response={"output_modalities": ["text"]})
    await client.wait("response.done")
    keeps_to_the_contract(client)
    await client.close()


async def test_without_transcription_the_answer_still_knows_the_words(bench: Bench) -> None:
    client = await bench.call({"output_modalities": ["text"]})
    client.microphone.say(await asyncio.to_thread(voices.sentence, "What is seven times eight?"))
    done = (await client.wait("response.done"))["response"]
    assert "56" in done["output"][0]["content"][0]["text"]
    assert not [kind for kind in client.types() if "transcription" in kind]
    await client.close()


async def test_create_response_off_leaves_the_answer_to_the_client(bench: Bench) -> None:
    detection = {"type": "server_vad", "create_response": False, "interrupt_response": False}
    session = {"audio": {"input": {**TRANSCRIBED["audio"]["input"], "turn_detection": detection}}}
    client = await bench.call(session)
    client.microphone.say(await asyncio.to_thread(voices.sentence, "Good morning."))
    await client.wait("conversation.item.input_audio_transcription.completed")
    assert "response.created" not in client.types()
    await client.close()


async def test_a_long_silence_after_an_answer_lets_the_assistant_speak(bench: Bench) -> None:
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    client = await bench.call(
        {"audio": {"input": {"turn_detection": detection}}, "output_modalities": ["text"]}
    )
    say(client, "What is two plus two?")
    client.send("response.create")
    await client.wait("response.done")
    mark = len(client.events)
    timeout = await client.wait("input_audio_buffer.timeout_triggered")
    assert 4500 <= timeout["audio_end_ms"] - timeout["audio_start_ms"] <= 5500
    await client.wait("response.done", after=mark)
    in_order(
        client.types(mark),
        [
            "input_audio_buffer.timeout_triggered",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "response.created",
        ],
    )
    keeps_to_the_contract(client)
    await client.close()


async def test_a_session_update_changes_what_it_names_and_echoes_all(bench: Bench) -> None:
    client = await bench.call({"instructions": "Before."})
    created = client.events[0]["session"]
    detection = {"type": "semantic_vad", "eagerness": "high"}
    client.send(
        "session.update",
        session={
            "type": "realtime",
            "audio": {"input": {"turn_detection": detection}, "output": {"speed": 1.2}},
            "tools": [TOOL],
        },
    )
    updated = (await client.wait("session.updated"))["session"]
    assert updated["audio"]["input"]["turn_detection"] == {
        **detection,
        "create_response": True,
        "interrupt_response": True,
    }
    assert updated["audio"]["output"]["speed"] == 1.2
    assert updated["tools"] == [TOOL]
    unchanged = ("id", "expires_at", "instructions", "model", "tool_choice", "output_modalities")
    assert {name: updated[name] for name in unchanged} == {
        name: created[name] for name in unchanged
    }
    keeps_to_the_contract(client)
    await client.close()


async def test_cancel_and_clear_by_the_client(bench: Bench) -> None:
    client = await bench.call()
    say(client, "repeat after me: " + "We walk along the river, and we talk about the boats. " * 4)
    client.send("response.create")
    await client.wait("output_audio_buffer.started")
    client.send("response.create", event_id="second")
    error = (await client.wait("error"))["error"]
    assert (error["code"], error["event_id"]) == (
        "conversation_already_has_active_response",
        "second",
    )
    client.send("response.cancel")
    done = await client.wait("response.done")
    assert done["response"]["status_details"]["reason"] == "client_cancelled"
    assert "output_audio_buffer.cleared" not in client.types()
    client.send("output_audio_buffer.clear")
    await client.wait("conversation.item.truncated")
    client.send("response.cancel")
    none = await client.wait("error", where=lambda e: e["error"]["event_id"] is None)
    assert none["error"]["code"] == "response_cancel_not_active"
    keeps_to_the_contract(client)
    await client.close()


async def test_a_response_beside_the_conversation_leaves_no_trace_in_it(bench: Bench) -> None:
    client = await bench.call({"output_modalities": ["text"]})
    message = {"type": "input_text", "text": "What is three times three?"}
    client.send(
        "response.create",
        response={
            "conversation": "none",
            "input": [{"type": "message", "role": "user", "content": [message]}],
        },
    )
    done = (await client.wait("response.done"))["response"]
    assert "9" in done["output"][0]["content"][0]["text"]
    assert done["conversation_id"] is None
    assert "conversation.item.added" not in client.types()
    client.send("conversation.item.retrieve", item_id=done["output"][0]["id"])
    assert (await client.wait("error"))["error"]["code"] == "item_retrieve_invalid_item_id"
    await client.close()


async def test_the_longest_output_is_kept(bench: Bench) -> None:
    client = await bench.call({"output_modalities": ["text"], "max_output_tokens": 5})
    say(client, "repeat after me: one day we shall see the wide blue sea")
    client.send("response.create")
    done = (await client.wait("response.done"))["response"]
    assert done["status"] == "incomplete"
    assert done["status_details"]["reason"] == "max_output_tokens"
    assert done["usage"]["output_tokens"] <= 5
    await client.close()


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        ("garbage", "invalid_json", None),
        ("[" * 50_000, "invalid_json", None),
        ("[]", "invalid_json", None),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": 7}', "invalid_value", "type"),
        ('{"type": "session.create"}', "invalid_value", "type"),
        ('{"type": "session.update"}', "missing_required_parameter", "session"),
        (
            '{"type": "session.update", "session": {"type": "realtime", "modalities": []}}',
            "unknown_parameter",
            "session.modalities",
        ),
        ('{"type": "response.create", "respose": {}}', "unknown_parameter", "respose"),
        ('{"type": "input_audio_buffer.append", "audio": ""}', "invalid_value", "type"),
        (
            '{"type": "conversation.item.delete", "item_id": "x"}',
            "item_delete_invalid_item_id",
            "item_id",
        ),
    ],
)
async def test_what_is_wrong_is_answered_and_the_session_goes_on(
    one_call: Client, text: str, code: str, param: str | None
) -> None:
    mark = len(one_call.events)
    one_call.channel.send(text)
    error = await one_call.wait("error", after=mark)
    assert (error["error"]["code"], error["error"]["param"]) == (code, param)
    assert complaints(error) == []


async def test_items_stand_where_they_are_put(one_call: Client) -> None:
    content = [{"type": "input_text", "text": "x"}]
    item: dict[str, Any] = {"type": "message", "role": "user", "content": content}
    mark = len(one_call.events)
    one_call.send("conversation.item.create", item={**item, "id": "b"})
    one_call.send("conversation.item.create", item={**item, "id": "a"}, previous_item_id="root")
    one_call.send("conversation.item.create", item={**item, "id": "c"}, previous_item_id="b")
    last = await one_call.wait("conversation.item.done", where=lambda e: e["item"]["id"] == "c")
    assert last["previous_item_id"] == "b"
    added = [e for e in one_call.events[mark:] if e["type"] == "conversation.item.added"]
    assert [e["item"]["id"] for e in added] == ["b", "a", "c"]
    assert added[1]["previous_item_id"] is None
    one_call.send("conversation.item.delete", item_id="b")
    assert (await one_call.wait("conversation.item.deleted"))["item_id"] == "b"
    one_call.send("conversation.item.truncate", item_id="a", content_index=0, audio_end_ms=0)
    error = await one_call.wait("error", after=mark)
    assert error["error"]["code"] == "unsupported_content_type"


async def test_nothing_is_lost_that_is_said_before_the_hearing_is_there(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_load = threading.Event()

    class LateHearing(Hearing):
        def __init__(self, detection: TurnDetection) -> None:
            may_load.wait(10)
            super().__init__(detection)

    monkeypatch.setattr("voicepilot.emulator.call.Hearing", LateHearing)
    client = await bench.call({**TRANSCRIBED, "output_modalities": ["text"]})
    client.microphone.say(await asyncio.to_thread(voices.sentence, "The sky is blue today."))
    await client.microphone.silent()
    assert "input_audio_buffer.speech_started" not in client.types()
    may_load.set()
    completed = await client.wait("conversation.item.input_audio_transcription.completed")
    assert words(completed["transcript"]) == ["the", "sky", "is", "blue", "today"]
    await client.close()
