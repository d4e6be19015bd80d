"""The preview dialect is a table: what it writes, what it reads, and that nothing is lost both ways."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.protocol import decode, encode
from voicepilot.protocol import server_events as ev
from voicepilot.protocol.client_events import CreateItem, CreateResponse, SessionUpdate
from voicepilot.protocol.dialects import check_dialect, session_to_ga, session_to_preview
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
    create = json.loads(encode(CreateResponse(options={"output_modalities": ["text"]}), "preview"))
    assert create["response"] == {"modalities": ["text"]}
    item = json.loads(encode(CreateItem(item=typed_message("assistant", "Hi")), "preview"))
    assert item["item"]["content"] == [{"type": "text", "text": "Hi"}]
    said = json.loads(encode(CreateItem(item=typed_message("user", "Hi")), "preview"))
    assert said["item"]["content"] == [{"type": "input_text", "text": "Hi"}]


def test_only_the_two_dialects_are_known() -> None:
    assert check_dialect("preview") == "preview"
    with pytest.raises(ValueError, match="known are ga, preview"):
        check_dialect("live")
