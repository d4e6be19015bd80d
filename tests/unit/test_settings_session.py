"""Settings become a session, and a change of them the smallest update of a running one."""

from dataclasses import replace

import pytest
from openai.types.realtime import RealtimeSessionCreateRequest
from openai.types.realtime.session_update_event import SessionUpdateEvent

from voicepilot.backend.tools import SPECS
from voicepilot.settings import Settings
from voicepilot.settings.session import changes, session_config

MINE = Settings(deployment="voice", transcription_deployment="scribe", language="de")
MODES = [
    {"turn_detection": "push-to-talk"},
    {"turn_detection": "semantic_vad", "eagerness": "low"},
    {"noise_reduction": "off", "modality": "text", "speed": 1.25},
    {"transcription_deployment": "", "instructions": ""},
]


@pytest.mark.parametrize("mode", MODES)
def test_the_session_is_one_that_the_published_types_know(mode):
    session = session_config(replace(MINE, **mode), SPECS).to_json()
    RealtimeSessionCreateRequest.model_validate(session, strict=True, extra="forbid")


def test_the_session_says_what_was_set():
    session = session_config(replace(MINE, instructions="Be brief."), SPECS).to_json()
    assert session["model"] == "voice"
    assert session["instructions"] == "Be brief."
    assert session["audio"] == {
        "input": {
            "transcription": {"model": "scribe", "language": "de"},
            "noise_reduction": {"type": "near_field"},
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 200,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"voice": "marin", "speed": 1.0},
    }
    assert [tool["name"] for tool in session["tools"]] == ["list_files", "read_file"]


def test_nothing_changed_is_no_update():
    assert changes(MINE, MINE) is None
    assert changes(MINE, replace(MINE, voice="cedar", port=1, deployment="other")) is None


@pytest.mark.parametrize(
    ("mode", "update"),
    [
        ({"speed": 1.25}, {"audio": {"output": {"speed": 1.25}}}),
        ({"turn_detection": "push-to-talk"}, {"audio": {"input": {"turn_detection": None}}}),
        ({"noise_reduction": "off"}, {"audio": {"input": {"noise_reduction": None}}}),
        ({"instructions": "Be brief."}, {"instructions": "Be brief."}),
        ({"modality": "text"}, {"output_modalities": ["text"]}),
        (
            {"language": ""},
            {"audio": {"input": {"transcription": {"model": "scribe"}}}},
        ),
        (
            {"turn_detection": "semantic_vad", "eagerness": "high", "speed": 0.5},
            {
                "audio": {
                    "input": {
                        "turn_detection": {
                            "type": "semantic_vad",
                            "eagerness": "high",
                            "create_response": True,
                            "interrupt_response": True,
                        }
                    },
                    "output": {"speed": 0.5},
                }
            },
        ),
    ],
)
def test_an_update_holds_what_differs_and_nothing_else(mode, update):
    session = changes(MINE, replace(MINE, **mode))
    assert session == {"type": "realtime", **update}
    SessionUpdateEvent.model_validate({"type": "session.update", "session": session})


def test_instructions_can_be_cleared():
    before = replace(MINE, instructions="Be brief.")
    assert changes(before, MINE) == {"type": "realtime", "instructions": ""}
