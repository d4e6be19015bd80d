"""The bridge's schema: what is written is read back, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.bridge import messages
from voicepilot.bridge.messages import (
    MAX_SDP,
    CallClosed,
    CallControl,
    CallFeed,
    CallKey,
    CallOpened,
    FeedTaken,
    Hello,
    KeyGiven,
    MessageError,
    OpenCall,
    ToolCall,
    ToolInfo,
    ToolOutput,
    Welcome,
)
from voicepilot.bridge.mirror_messages import ConfigureCall, Levels, MirrorFeed, Place, Scene

EXAMPLES = [
    Hello("b1"),
    Welcome(
        "Offline demo",
        "ga",
        (ToolInfo("list_files", "Lists files."),),
        "b1",
        feed=True,
        signalling="direct",
    ),
    OpenCall(1, "v=0\r\n"),
    CallOpened("v=0\r\n", "rtc_1", 1784859437, "ga"),
    CallOpened("v=0\r\n", "rtc_1", None, "ga"),
    ToolCall("call_1", "read_file", '{"path": "a"}'),
    ToolCall("call_1", "read_file", ""),
    ToolOutput(""),
    CallClosed("rtc_1"),
    CallFeed("p1", 3, ({"at": 1.5, "name": "talk", "args": []},)),
    FeedTaken(3),
    CallKey(1, fresh=True),
    KeyGiven("https://service/calls", "ek_1", None, "ga"),
    CallControl("say", "Hello."),
    MirrorFeed("p1", 3, ({"at": 1.5, "name": "talk", "args": []},)),
    ConfigureCall({"speed": 1.5}),
    Levels(0.5, 0.0),
    Scene(({"id": "", "label": "System default"},), "", (), "connected", {"loss": None}),
    Place(elsewhere=True, watched=False),
    ToolInfo("read_file", "Reads a file."),
]
TYPES = sorted({type(example) for example in EXAMPLES}, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_survives_json(message):
    params = json.loads(json.dumps(message.to_params()))
    assert type(message).from_params(params) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_a_missing_an_unknown_and_a_mistyped_field_are_named(message):
    params = message.to_params()
    for field in params:
        with pytest.raises(MessageError) as missing:
            type(message).from_params({k: v for k, v in params.items() if k != field})
        assert missing.value.field == field
        with pytest.raises(MessageError) as mistyped:
            type(message).from_params({**params, field: object()})
        assert mistyped.value.field == field
    with pytest.raises(MessageError) as unknown:
        type(message).from_params({**params, "extra": 1})
    assert unknown.value.field == "extra"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"attempt": True, "sdp": "v=0"}, "attempt"),
        ({"attempt": 0, "sdp": "v=0"}, "attempt"),
        ({"attempt": 1, "sdp": '{"type": "offer"}'}, "sdp"),
        ({"attempt": 1, "sdp": "v=0" + "x" * MAX_SDP}, "sdp"),
    ],
)
def test_a_call_opens_only_with_a_real_attempt_and_description(params, field):
    with pytest.raises(MessageError) as error:
        OpenCall.from_params(params)
    assert error.value.field == field


garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["build", "sdp", "attempt", "tools", "name", "output"]) | st.text(),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(TYPES), garbage)
def test_garbage_is_a_message_error_or_a_message(kind, params):
    try:
        assert isinstance(kind.from_params(params), kind)
    except MessageError as error:
        assert error.field


def test_the_methods_are_those_of_the_map():
    map_text = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for method in (messages.HELLO, messages.CALL_OPEN, messages.TOOL_CALL, messages.CALL_CLOSED):
        assert f"| page to backend | `{method}` |" in map_text


def test_a_key_is_not_in_what_is_logged_of_its_message():
    assert "ek_1" not in repr(KeyGiven("https://service/calls", "ek_1", None, "ga"))
