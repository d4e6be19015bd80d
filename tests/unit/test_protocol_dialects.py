"""The preview dialect is a table: what it writes, what it reads, and that nothing is lost both ways."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.protocol import decode, encode
from voicepilot.protocol import server_events as ev
from voicepilot.protocol.client_events import CreateItem, CreateResponse, SessionUpdate
from voicepilot.protocol.dialects import (
    check_dialect,
    client_event_to_dialect,
    client_event_to_ga,
    parameter_to_preview,
    server_event_to_dialect,
    server_event_to_ga,
    session_to_ga,
    session_to_preview,
)
from voicepilot.protocol.items import typed_message

GA_SESSION = {
    "type": "realtime",
    "instructions": "Be brief.",
    "output_modalities": ["audio"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "whisper-1"},
            "noise_reduction": {"type": "near_field"},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 200},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "verse", "speed": 1.1},
    },
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": 1000,
    "truncation": "auto",
}

PREVIEW_SESSION = {
    "instructions": "Be brief.",
    "modalities": ["audio", "text"],
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "input_audio_noise_reduction": {"type": "near_field"},
    "turn_detection": {"type": "server_vad", "silence_duration_ms": 200},
    "voice": "verse",
    "speed": 1.1,
    "tools": [],
    "tool_choice": "auto",
    "max_response_output_tokens": 1000,
}


def test_a_session_is_written_flat_for_preview() -> None:
    assert session_to_preview(GA_SESSION) == PREVIEW_SESSION


def test_a_preview_session_is_read_with_ga_nesting() -> None:
    expected = {name: value for name, value in GA_SESSION.items() if name != "truncation"}
    assert session_to_ga(PREVIEW_SESSION | {"temperature": 0.8}) == expected


def test_switching_a_part_off_survives_both_ways() -> None:
    off = {"type": "realtime", "audio": {"input": {"turn_detection": None, "transcription": None}}}
    flat = session_to_preview(off)
    assert flat == {"turn_detection": None, "input_audio_transcription": None}
    assert session_to_ga(flat) == off


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "modalities": st.sampled_from([["text"], ["audio", "text"]]),
            "voice": st.text(min_size=1),
            "speed": st.floats(0.25, 1.5),
            "input_audio_format": st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw"]),
            "output_audio_format": st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw"]),
            "input_audio_transcription": st.none() | st.just({"model": "m"}),
            "turn_detection": st.none() | st.just({"type": "semantic_vad"}),
            "max_response_output_tokens": st.integers(1, 4096) | st.just("inf"),
            "instructions": st.text(),
        },
    )
)
def test_preview_to_ga_and_back_is_the_same(session: dict[str, object]) -> None:
    assert session_to_preview(session_to_ga(session)) == session


@pytest.mark.parametrize(
    ("preview", "ga"),
    [
        ("response.text.delta", ev.TextDelta),
        ("response.text.done", ev.TextDone),
        ("response.audio.delta", ev.AudioDelta),
        ("response.audio.done", ev.AudioDone),
        ("response.audio_transcript.delta", ev.TranscriptDelta),
        ("response.audio_transcript.done", ev.TranscriptDone),
        ("conversation.item.created", ev.ItemCreated),
        ("transcription_session.updated", ev.SessionUpdated),
    ],
)
def test_preview_names_become_ga_events(preview: str, ga: type) -> None:
    assert type(decode(json.dumps({"type": preview}))) is ga


def test_a_preview_session_tells_its_turn_detection() -> None:
    event = decode(json.dumps({"type": "session.created", "session": PREVIEW_SESSION}))
    assert isinstance(event, ev.SessionCreated)
    assert event.session.turn_detection == {"type": "server_vad", "silence_duration_ms": 200}
    assert event.session.transcribes


def test_client_events_are_written_as_preview_wants_them() -> None:
    update = json.loads(encode(SessionUpdate(session=GA_SESSION), "preview"))
    assert update == {"type": "session.update", "session": PREVIEW_SESSION}
    wishes = {"output_modalities": ["text"], "max_output_tokens": 9}
    create = json.loads(encode(CreateResponse(options=wishes), "preview"))
    assert create["response"] == {"modalities": ["text"], "max_response_output_tokens": 9}
    assert client_event_to_ga(create)["response"] == wishes
    item = json.loads(encode(CreateItem(item=typed_message("assistant", "Hi")), "preview"))
    assert item["item"]["content"] == [{"type": "text", "text": "Hi"}]
    said = json.loads(encode(CreateItem(item=typed_message("user", "Hi")), "preview"))
    assert said["item"]["content"] == [{"type": "input_text", "text": "Hi"}]


@pytest.mark.parametrize(
    ("ga", "preview"),
    [
        ("conversation.item.added", "conversation.item.created"),
        ("conversation.item.done", None),
        ("input_audio_buffer.timeout_triggered", None),
        ("response.output_audio.delta", "response.audio.delta"),
        ("response.output_audio_transcript.done", "response.audio_transcript.done"),
        ("response.output_text.delta", "response.text.delta"),
        ("input_audio_buffer.speech_started", "input_audio_buffer.speech_started"),
        ("output_audio_buffer.stopped", "output_audio_buffer.stopped"),
        ("session.created", "session.created"),
    ],
)
def test_a_service_says_it_with_the_names_of_its_dialect(ga: str, preview: str | None) -> None:
    said = server_event_to_dialect({"type": ga, "item_id": "i"}, "preview")
    assert (None if said is None else said["type"]) == preview
    assert said is None or said["item_id"] == "i"
    assert server_event_to_dialect({"type": ga}, "ga") == {"type": ga}


def test_a_service_of_the_preview_shows_sessions_and_responses_flat() -> None:
    created = server_event_to_dialect({"type": "session.created", "session": GA_SESSION}, "preview")
    assert created == {"type": "session.created", "session": PREVIEW_SESSION}
    response = {
        "id": "r",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "verse"}},
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_audio", "transcript": "Hi"}],
            }
        ],
    }
    done = server_event_to_dialect({"type": "response.done", "response": response}, "preview")
    assert done is not None
    assert done["response"] == {
        "id": "r",
        "modalities": ["audio", "text"],
        "max_output_tokens": "inf",
        "output_audio_format": "pcm16",
        "voice": "verse",
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "audio", "transcript": "Hi"}],
            }
        ],
    }
    assert response["output_modalities"] == ["audio"], "the event that came in stays as it was"


def test_a_service_of_the_preview_names_no_function_and_shows_content_once() -> None:
    arguments = {"type": "response.function_call_arguments.done", "name": "f", "arguments": "{}"}
    said = server_event_to_dialect(arguments, "preview")
    assert said == {"type": "response.function_call_arguments.done", "arguments": "{}"}
    part = {"type": "response.content_part.added", "part": {}, "content": {}}
    assert server_event_to_dialect(part, "preview") == {"type": part["type"], "part": {}}


@pytest.mark.parametrize(
    ("ga", "preview"),
    [
        ("session.audio.output.voice", "session.voice"),
        ("session.audio.input.turn_detection.threshold", "session.turn_detection.threshold"),
        ("session.output_modalities[0]", "session.modalities[0]"),
        ("response.audio.output.voice", "response.voice"),
        ("session.max_output_tokens", "session.max_response_output_tokens"),
        ("response.max_output_tokens", "response.max_response_output_tokens"),
        ("session.tools[0].name", "session.tools[0].name"),
        ("item_id", "item_id"),
        (None, None),
    ],
)
def test_a_refusal_names_the_field_as_the_client_wrote_it(ga: str, preview: str) -> None:
    assert parameter_to_preview(ga) == preview
    error = {"type": "error", "error": {"code": "invalid_value", "param": ga}}
    said = server_event_to_dialect(error, "preview")
    assert said is not None
    assert said["error"] == {"code": "invalid_value", "param": preview}


@given(
    st.sampled_from(
        ["session.created", "response.done", "conversation.item.added", "error", "unknown"]
    ),
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "audio", "output", "item", "content", "role", "session", "response"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
)
def test_any_event_can_be_said_in_either_dialect(kind: str, rest: object) -> None:
    event = {"session": rest, "response": rest, "item": rest, "error": rest, "type": kind}
    said = server_event_to_dialect(event, "preview")
    assert said is not None
    assert server_event_to_ga(said)["type"] in (kind, "conversation.item.created")
    assert client_event_to_ga(client_event_to_dialect({"type": kind}, "preview")) == {"type": kind}


def test_only_the_two_dialects_are_known() -> None:
    assert check_dialect("preview") == "preview"
    with pytest.raises(ValueError, match="known are ga, preview"):
        check_dialect("live")
