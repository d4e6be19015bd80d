"""Events in and out: names and fields as the published types say, anything else survived."""

from __future__ import annotations

import json
import typing
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import realtime_client_event, realtime_server_event
from pydantic import TypeAdapter

from voicepilot.protocol import decode, encode
from voicepilot.protocol import server_events as ev
from voicepilot.protocol.client_events import (
    CLIENT_EVENTS,
    AppendAudio,
    CancelResponse,
    ClearInput,
    ClearOutput,
    ClientEvent,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteItem,
    RetrieveItem,
    SessionUpdate,
    TruncateItem,
)
from voicepilot.protocol.items import ContentPart, Item, function_output, typed_message
from voicepilot.protocol.session_config import FunctionTool, SemanticVad, ServerVad, SessionConfig

from .event_damage import damaged_events

SERVER_MODELS = typing.get_args(typing.get_args(realtime_server_event.RealtimeServerEvent)[0])
CLIENT_MODELS = typing.get_args(typing.get_args(realtime_client_event.RealtimeClientEvent)[0])

NOT_READ = {"logprobs", "languages", "obfuscation"}
"""Fields of the published types that nothing here needs."""


def name_of(model: Any) -> str:
    return str(typing.get_args(model.model_fields["type"].annotation)[0])


@pytest.mark.parametrize("model", SERVER_MODELS, ids=name_of)
def test_every_published_server_event_is_typed_with_its_fields(model: Any) -> None:
    cls = ev.SERVER_EVENTS[name_of(model)]
    published = set(model.model_fields) - {"type"} - NOT_READ
    assert published <= {f.name for f in fields(cls)}


def test_every_published_client_event_is_typed_and_no_other() -> None:
    assert set(CLIENT_EVENTS) == {name_of(model) for model in CLIENT_MODELS}


CLIENT_EXAMPLES: list[ClientEvent] = [
    SessionUpdate(session={"type": "realtime", "instructions": "Be brief."}),
    AppendAudio(audio="AAAA"),
    CommitAudio(),
    ClearInput(),
    ClearOutput(event_id="evt_1"),
    CreateItem(item=typed_message("user", "Hello"), previous_item_id="root"),
    CreateItem(item=typed_message("assistant", "Hi", "item_2")),
    CreateItem(item=typed_message("system", "Rules")),
    CreateItem(item=function_output("call_1", "42")),
    CreateItem(item=Item(type="function_call", call_id="c", name="f", arguments="{}")),
    RetrieveItem(item_id="item_1"),
    DeleteItem(item_id="item_1"),
    TruncateItem(item_id="item_1", audio_end_ms=1200),
    CreateResponse(),
    CreateResponse(options={"instructions": "Greet.", "output_modalities": ["text"]}),
    CancelResponse(response_id="resp_1"),
]


@pytest.mark.parametrize("event", CLIENT_EXAMPLES, ids=lambda e: e.TYPE)
def test_what_is_written_is_what_the_published_types_take(event: ClientEvent) -> None:
    written = json.loads(encode(event))
    model = next(m for m in CLIENT_MODELS if name_of(m) == event.TYPE)
    parsed = TypeAdapter(model).validate_python(written, strict=False)
    assert parsed.model_dump(exclude_unset=True, mode="json") == written


def test_every_client_event_has_an_example() -> None:
    assert {event.TYPE for event in CLIENT_EXAMPLES} == set(CLIENT_EVENTS)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SessionUpdate(session={"instructions": "no type"}),
        lambda: AppendAudio(audio=""),
        lambda: CreateItem(item=Item(type="reasoning")),
        lambda: CreateItem(item=Item(type="message", role="robot", content=(ContentPart(),))),
        lambda: CreateItem(item=Item(type="message", role="user")),
        lambda: CreateItem(
            item=Item(type="message", role="user", content=(ContentPart(type="input_audio"),))
        ),
        lambda: CreateItem(item=typed_message("user", "long id", "x" * 33)),
        lambda: CreateItem(item=function_output("", "no call")),
        lambda: DeleteItem(item_id=""),
        lambda: TruncateItem(item_id="item_1", audio_end_ms=-1),
        lambda: TruncateItem(item_id="", audio_end_ms=1),
        lambda: SessionConfig(model=""),
        lambda: SessionConfig(model="m", speed=9),
        lambda: ServerVad(threshold=2),
        lambda: ServerVad(silence_duration_ms=-1),
    ],
)
def test_what_the_service_would_refuse_cannot_be_written(make: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()


def test_a_session_configuration_is_what_the_published_types_take() -> None:
    from openai.types.realtime import RealtimeSessionCreateRequest

    config = SessionConfig(
        model="my-deployment",
        instructions="Be brief.",
        voice="marin",
        speed=1.2,
        transcription_model="my-transcriber",
        transcription_language="en",
        noise_reduction="near_field",
        turn_detection=ServerVad(threshold=0.6, idle_timeout_ms=6000),
        tools=(
            FunctionTool(name="now", description="Tell the time.", parameters={"type": "object"}),
        ),
    )
    written = config.to_json()
    parsed = RealtimeSessionCreateRequest.model_validate(written)
    assert parsed.model_dump(exclude_unset=True, mode="json") == written
    for other in (SemanticVad(eagerness="high"), None):
        RealtimeSessionCreateRequest.model_validate(
            SessionConfig(model="m", turn_detection=other).to_json()
        )


def test_a_missing_or_foreign_value_becomes_the_neutral_one() -> None:
    event = decode('{"type":"response.done","event_id":7,"response":{"id":null,"status":[]}}')
    assert isinstance(event, ev.ResponseDone)
    assert (event.event_id, event.response.id, event.response.status) == ("", "", "")
    assert event.response.usage.total_tokens == 0


def test_status_details_may_be_a_plain_string() -> None:
    event = decode(
        '{"type":"response.done","response":{"status":"failed","status_details":"no quota"}}'
    )
    assert isinstance(event, ev.ResponseDone)
    assert event.response.status_details.error.message == "no quota"


def test_an_unknown_event_is_kept_whole() -> None:
    event = decode('{"type":"response.sung","event_id":"e1","tune":"C"}')
    assert isinstance(event, ev.Unknown)
    assert (event.type, event.event_id, event.raw["tune"]) == ("response.sung", "e1", "C")


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", '"text"', "{}", '{"type":7}', b"\xff"])
def test_what_is_no_event_says_why(garbage: str | bytes) -> None:
    event = decode(garbage)
    assert isinstance(event, ev.Malformed)
    assert event.reason


@given(st.text() | st.binary())
def test_any_text_is_decoded_without_raising(message: str | bytes) -> None:
    assert isinstance(decode(message), ev.ServerEvent)


@given(damaged_events())
def test_any_damage_to_a_known_event_is_read(raw: dict[str, Any]) -> None:
    event = decode(json.dumps(raw))
    assert type(event) is ev.SERVER_EVENTS[raw["type"]]


def test_numbers_no_machine_can_hold_are_read() -> None:
    huge = "9" * 400
    event = decode(f'{{"type":"conversation.item.truncated","audio_end_ms":{huge}}}')
    assert isinstance(event, ev.ItemTruncated)
    segment = decode(
        f'{{"type":"conversation.item.input_audio_transcription.segment","start":{huge},"end":1e999}}'
    )
    assert isinstance(segment, ev.TranscriptionSegment)
    assert (segment.start, segment.end) == (0.0, 0.0)
