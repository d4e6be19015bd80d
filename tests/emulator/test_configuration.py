"""Session configurations: defaults, changes, refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeSessionCreateRequest

from voicepilot.emulator.configuration import Configuration
from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.hearing import TurnDetection


def changed(session: dict[str, Any], *, has_spoken: bool = False) -> Configuration:
    return Configuration.minted(None).updated(
        {"type": "realtime", **session}, has_spoken=has_spoken
    )


def test_the_defaults_are_azures() -> None:
    fields = Configuration.minted(None).fields
    assert fields["output_modalities"] == ["audio"]
    assert fields["max_output_tokens"] == "inf"
    assert fields["audio"]["input"]["transcription"] is None
    assert fields["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "alloy",
        "speed": 1.0,
    }
    assert Configuration.minted(None).hearing() == TurnDetection("server_vad")


def test_a_change_keeps_the_rest_and_the_original() -> None:
    first = Configuration.minted(None)
    before = copy.deepcopy(first.fields)
    second = first.updated(
        {
            "type": "realtime",
            "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}},
        },
        has_spoken=False,
    )
    third = second.updated(
        {
            "type": "realtime",
            "audio": {
                "input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}
            },
        },
        has_spoken=False,
    )
    assert first.fields == before
    assert third.hearing() == TurnDetection("server_vad", threshold=0.7, silence_duration_ms=500)
    assert third.fields["audio"]["output"] == before["audio"]["output"]


def test_another_kind_of_turn_detection_starts_from_its_own_defaults() -> None:
    configuration = changed({"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}})
    assert configuration.turn_detection == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }
    assert configuration.hearing() == TurnDetection("semantic_vad", eagerness="auto")


def test_null_and_empty_values_clear() -> None:
    configuration = changed(
        {
            "instructions": "",
            "tools": [],
            "audio": {
                "input": {"turn_detection": None, "transcription": None, "noise_reduction": None}
            },
        }
    )
    assert configuration.turn_detection is None
    assert configuration.transcription is None
    assert configuration.fields["instructions"] == ""


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"modalities": ["text"]}, "unknown_parameter", "session.modalities"),
        ({"output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
        ({"output_modalities": []}, "invalid_value", "session.output_modalities"),
        ({"output_modalities": ["video"]}, "invalid_value", "session.output_modalities[0]"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
        ({"model": "another"}, "invalid_value", "session.model"),
        ({"max_output_tokens": 4097}, "invalid_value", "session.max_output_tokens"),
        ({"audio": {"output": {"speed": 1.6}}}, "invalid_value", "session.audio.output.speed"),
        ({"audio": {"output": {"speed": True}}}, "invalid_value", "session.audio.output.speed"),
        (
            {"audio": {"output": {"speed": float("nan")}}},
            "invalid_value",
            "session.audio.output.speed",
        ),
        (
            {"audio": {"input": {"turn_detection": {"threshold": 0.5}}}},
            "missing_required_parameter",
            "session.audio.input.turn_detection.type",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "eagerness": "low"}}}},
            "unknown_parameter",
            "session.audio.input.turn_detection.eagerness",
        ),
        (
            {"tools": [{"type": "function"}]},
            "missing_required_parameter",
            "session.tools[0].name",
        ),
        ({"tool_choice": "never"}, "invalid_value", "session.tool_choice"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_path(
    session: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(Rejected) as caught:
        changed(session)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_the_voice_stays_once_it_was_heard() -> None:
    wish = {"audio": {"output": {"voice": "marin"}}}
    assert changed(wish).fields["audio"]["output"]["voice"] == "marin"
    with pytest.raises(Rejected, match="voice"):
        changed(wish, has_spoken=True)


def test_a_response_has_its_own_wishes_and_the_sessions_for_the_rest() -> None:
    configuration = changed({"instructions": "Be kind.", "audio": {"output": {"speed": 1.2}}})
    order = configuration.ordered(
        {"conversation": "none", "output_modalities": ["text"], "max_output_tokens": 9}
    )
    assert (order.in_conversation, order.modality, order.max_output_tokens) == (False, "text", 9)
    assert (order.instructions, order.speed) == ("Be kind.", 1.2)
    with pytest.raises(Rejected) as caught:
        configuration.ordered({"modalities": ["text"]})
    assert caught.value.param == "response.modalities"


def test_every_field_of_the_published_session_is_known() -> None:
    published = set(RealtimeSessionCreateRequest.model_fields)
    for name in published - {"type"}:
        try:
            changed({name: {"": object()}})
        except Rejected as rejected:
            assert rejected.code != "unknown_parameter" or rejected.param != f"session.{name}"


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "audio", "input", "output", "turn_detection", "tools", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_any_json_is_taken_or_rejected(session: Any) -> None:
    base = Configuration.minted(None)
    before = copy.deepcopy(base.fields)
    try:
        base.updated(session, has_spoken=False).hearing()
    except Rejected as rejected:
        assert rejected.message
    assert base.fields == before
