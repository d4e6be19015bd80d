"""A recording: read, played at its own speed, fed to a call of its own."""

import json
from pathlib import Path

import pytest

from voicepilot.debug.recording import Player, Replay, read_recording
from voicepilot.page.event_log import EventLog
from voicepilot.session import Phase


def line(at, kind, direction="received", **fields):
    return json.dumps({"direction": direction, "at": at, "event": {"type": kind, **fields}})


MESSAGE = {
    "id": "vp-1-1",
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "Ten plus ten?"}],
}
ANSWER = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0}
LOG = [
    line(4.0, "session.created", session={"id": "sess_1"}),
    line(5.0, "conversation.item.create", "sent", item=MESSAGE),
    line(5.2, "response.created", response={"id": "r1", "status": "in_progress"}),
    line(5.3, "response.output_audio_transcript.delta", delta="Twenty.", **ANSWER),
    line(5.4, "output_audio_buffer.started", response_id="r1"),
    line(5.5, "response.output_audio_transcript.done", transcript="Twenty.", **ANSWER),
    line(5.6, "response.done", response={"id": "r1", "status": "completed"}),
    line(6.0, "output_audio_buffer.stopped", response_id="r1"),
]


def test_what_a_recording_has_beside_events_is_passed_over():
    beside = [
        '{"recording": 1, "voicepilot": "0", "started": "", "service": ""}',
        '{"at": 1, "direction": "request", "number": 1, "method": "POST", "path": "/"}',
        '{"at": 1, "direction": "reply", "number": 1, "status": 200}',
        '{"at": 1, "direction": "input", "name": "talk", "args": []}',
        '{"at": 1, "direction": "gap"}',
    ]
    recording = read_recording([*beside, *LOG])
    assert len(recording.events) == len(LOG)
    assert recording.broken == ()


def test_times_count_from_the_first_event_and_broken_lines_are_named():
    recording = read_recording([LOG[0], "", "{", '{"direction": "up", "event": {}}', LOG[1]])
    assert [(event.direction, event.at) for event in recording.events] == [
        ("received", 0.0),
        ("sent", 1.0),
    ]
    assert [number for number, _ in recording.broken] == [3, 4]
    assert recording.length == 1.0


def test_a_clock_that_was_set_back_holds_nothing_up():
    recording = read_recording([line(5, "a"), line(9, "b"), line(2, "c"), line(10, "d")])
    assert [event.at for event in recording.events] == [0, 4, 4, 5]


def test_a_log_without_times_is_played_step_by_step():
    recording = read_recording(['{"type": "a"}', '{"type": "b"}'])
    assert [event.at for event in recording.events] == [0.0, 0.1]


def test_what_the_page_downloads_can_be_played():
    log = EventLog()
    log.add("sent", "no json", 7.0)
    log.add("received", '{"type": "session.created"}', 8.5)
    recording = read_recording(log.lines().split("\n"))
    assert [(event.at, event.text) for event in recording.events] == [
        (0.0, "no json"),
        (1.5, '{"type": "session.created"}'),
    ]
    assert recording.broken == ()


def test_events_come_at_their_time_and_speed():
    player = Player(read_recording([line(at, "x") for at in (0, 1, 2, 4)]))
    assert player.due(100.0) == []
    player.play(100.0)
    assert len(player.due(100.0)) == 1
    assert player.next_in(100.0) == 1.0
    player.change_speed(2.0, 100.5)
    assert player.next_in(100.5) == 0.25
    assert len(player.due(101.3)) == 2
    player.pause(101.3)
    assert player.due(200.0) == []
    assert player.position(200.0) == pytest.approx(2.1)
    player.play(200.0)
    assert len(player.due(201.0)) == 1
    assert player.over
    assert not player.playing
    assert player.position(300.0) == 4.0


def test_time_does_not_go_backward():
    with pytest.raises(ValueError, match="forward"):
        Player(read_recording(LOG)).change_speed(0, 1.0)


def test_a_replayed_call_shows_what_the_live_one_showed():
    replay = Replay()
    phases = []
    recording = read_recording(LOG)
    for event in recording.events:
        replay.take(event)
        phases.append(replay.call.phase)
    assert [(turn.role, turn.text) for turn in replay.call.conversation.turns] == [
        ("user", "Ten plus ten?"),
        ("assistant", "Twenty."),
    ]
    assert Phase.THINKING in phases
    assert Phase.ASSISTANT_SPEAKING in phases
    assert phases[-1] is Phase.LISTENING
    assert replay.log.total == len(LOG)
    replay.end(recording.length)
    assert replay.call.phase is Phase.ENDED


def test_a_replay_asks_for_nothing():
    """It has a core and a log, and nothing that could open a microphone or a connection."""
    source = (Path(__file__).parents[2] / "py/voicepilot/debug/recording.py").read_text()
    assert "seam" not in source
