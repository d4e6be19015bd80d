"""The time line of a turn: lanes from events and meters, and how they are laid out."""

import json

import pytest

from voicepilot.debug.timeline import Timeline, picture


def received(timeline, at, kind, **fields):
    timeline.received(json.dumps({"type": kind, **fields}), at)


@pytest.fixture
def spoken():
    """A spoken turn, whose transcript comes after the answer has begun."""
    timeline = Timeline()
    timeline.heard_user(True, 9.5)
    received(timeline, 10.0, "input_audio_buffer.speech_started", item_id="u1")
    timeline.heard_user(False, 10.8)
    received(timeline, 11.0, "input_audio_buffer.speech_stopped", item_id="u1")
    received(timeline, 11.01, "input_audio_buffer.committed", item_id="u1")
    received(timeline, 11.02, "response.created", response={"id": "r1"})
    answer = {"response_id": "r1", "item_id": "a1"}
    received(timeline, 11.2, "response.output_audio_transcript.delta", delta="Eighty", **answer)
    received(timeline, 11.25, "output_audio_buffer.started", response_id="r1")
    timeline.heard_reply(11.3)
    received(
        timeline,
        11.4,
        "conversation.item.input_audio_transcription.completed",
        item_id="u1",
        transcript="What?",
    )
    received(timeline, 11.5, "response.output_audio_transcript.done", transcript="84", **answer)
    received(timeline, 11.6, "response.done", response={"id": "r1", "status": "completed"})
    received(timeline, 12.6, "output_audio_buffer.stopped", response_id="r1")
    return timeline


def spans(turn, lane):
    return [(span.label, span.start, span.end) for span in turn.lanes[lane].spans]


def marks(turn, lane):
    return [(mark.label, mark.at) for mark in turn.lanes[lane].marks]


def test_each_lane_holds_what_happened_in_it(spoken):
    (turn,) = spoken.turns
    assert turn.kind == "spoken"
    assert spans(turn, "Microphone") == [("sound", 9.5, 10.8)]
    assert spans(turn, "VAD") == [("speech", 10.0, 11.0)]
    assert marks(turn, "VAD") == [("committed", 11.01)]
    assert spans(turn, "Transcript") == [("your words", 11.01, 11.4), ("answer", 11.2, 11.5)]
    assert spans(turn, "Response") == [("response", 11.02, 11.6)]
    assert spans(turn, "Audio") == [("audio", 11.25, 12.6)]
    assert marks(turn, "Audio") == [("heard", 11.3)]
    assert not turn.running


def test_what_comes_late_stands_in_the_turn_that_caused_it(spoken):
    received(spoken, 13.0, "response.created", response={"id": "r2"})
    received(spoken, 13.1, "output_audio_buffer.started", response_id="r2")
    received(spoken, 13.5, "input_audio_buffer.speech_started", item_id="u2")
    received(spoken, 13.6, "output_audio_buffer.cleared", response_id="r2")
    received(spoken, 13.7, "response.done", response={"id": "r2", "status": "cancelled"})
    first, second = spoken.turns
    assert spans(first, "Audio")[-1] == ("audio", 13.1, 13.6)
    assert marks(first, "Audio")[-1] == ("cleared", 13.6)
    assert marks(first, "Response")[-1] == ("cancelled", 13.7)
    assert spans(second, "VAD") == [("speech", 13.5, None)]
    assert second.running


def test_a_typed_message_is_a_turn_and_a_tool_result_is_none():
    timeline = Timeline()
    message = {"type": "message", "role": "user"}
    timeline.sent(json.dumps({"type": "conversation.item.create", "item": message}), 1.0)
    timeline.sent(json.dumps({"type": "response.create"}), 1.1)
    output = {"type": "function_call_output"}
    timeline.sent(json.dumps({"type": "conversation.item.create", "item": output}), 1.5)
    (turn,) = timeline.turns
    assert turn.kind == "typed"
    assert marks(turn, "Response") == [("asked", 1.1), ("tool", 1.5)]


def test_a_short_pause_does_not_part_what_the_microphone_hears():
    timeline = Timeline()
    for audible, at in ((True, 1.0), (False, 1.2), (True, 1.3), (False, 1.6), (True, 2.0)):
        timeline.heard_user(audible, at)
    assert [(span.start, span.end) for span in timeline.sounds(0.0, 9.0)] == [
        (1.0, 1.6),
        (2.0, None),
    ]


def test_noise_after_a_turn_does_not_stretch_it(spoken):
    spoken.heard_user(True, 40.0)
    (turn,) = spoken.turns
    assert turn.end == 12.6
    assert spans(turn, "Microphone") == [("sound", 9.5, 10.8)]


def test_an_ended_call_leaves_nothing_running(spoken):
    received(spoken, 13.5, "input_audio_buffer.speech_started", item_id="u2")
    spoken.ended(14.0)
    assert spans(spoken.turns[-1], "VAD") == [("speech", 13.5, 14.0)]
    assert not spoken.turns[-1].running


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type": 3}', '{"type": "response.done"}'])
def test_whatever_comes_or_goes_is_survived(text):
    timeline = Timeline()
    timeline.received(text, 1.0)
    timeline.sent(text, 1.0)


def test_a_long_call_keeps_its_newest_turns_only():
    timeline = Timeline()
    for number in range(400):
        received(timeline, float(number), "input_audio_buffer.speech_started", item_id=str(number))
    assert len(timeline.turns) == 50
    assert timeline.turns[-1].number == 400


def test_the_picture_begins_with_the_first_sound_and_counts_from_the_turns_start(spoken):
    drawn = picture(spoken.turns[0], 99.0)
    rows = {row.name: row for row in drawn.rows}
    (sound,) = rows["Microphone"].bars
    assert sound.left == 0
    assert sound.begins == pytest.approx(-500)
    assert sound.lasts == pytest.approx(1300)
    (audio,) = rows["Audio"].bars
    assert 97 < audio.left + audio.width < 100
    assert [tick.label for tick in drawn.ticks] == ["0 ms", "500 ms", "1 s", "1.5 s", "2 s"]
    assert drawn.ticks[0].left == pytest.approx(sound.width * 500 / 1300)
    assert drawn.words[:2] == ("speech 0 to 1000 ms", "committed 1010 ms")


def test_what_goes_on_reaches_to_now():
    timeline = Timeline()
    received(timeline, 5.0, "input_audio_buffer.speech_started", item_id="u1")
    (bar,) = picture(timeline.turns[0], 7.0).rows[1].bars
    assert bar.running
    assert bar.lasts == pytest.approx(2000)


def test_a_recording_that_begins_in_the_middle_of_a_turn_begins_there():
    timeline = Timeline()
    received(timeline, 7.0, "input_audio_buffer.committed", item_id="u1")
    (turn,) = timeline.turns
    assert (turn.kind, turn.start) == ("unasked", 7.0)
