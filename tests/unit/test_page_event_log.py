"""The log is bounded, keeps its order, and downloads what `voicepilot replay` reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from voicepilot.page.event_log import EventLog, kind_of

CREATED = json.dumps({"type": "session.created", "session": {"id": "s1", "model": "m"}})
SPOKEN = json.dumps(
    {
        "type": "conversation.item.added",
        "item": {
            "id": "i1",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_text", "text": "Hello"}],
        },
    }
)


def filled(number: int, **bounds: int) -> EventLog:
    log = EventLog(**bounds)
    for n in range(number):
        log.add("received", f'{{"type":"{n}"}}', float(n))
    return log


def test_keeps_the_newest_up_to_a_number() -> None:
    log = filled(10, most_events=3)
    assert [entry.kind for entry in log] == ["7", "8", "9"]
    assert (len(log), log.total) == (3, 10)


def test_keeps_the_newest_up_to_a_length_but_always_the_last() -> None:
    log = filled(10, most_characters=30)
    assert [entry.number for entry in log] == [9, 10]
    log.add("sent", "y" * 1000, 11.0)
    assert [entry.number for entry in log] == [11]


def test_tells_what_is_new() -> None:
    log = filled(5)
    assert [entry.number for entry in log.since(3)] == [4, 5]
    assert log.since(5) == []
    log.clear()
    assert log.since(0) == []
    log.add("sent", "z", 9.0)
    assert [entry.number for entry in log.since(5)] == [6]


def test_a_line_is_one_json_object_with_the_time_from_the_start() -> None:
    log = EventLog()
    log.add("received", CREATED, 100.0)
    log.add("sent", "no JSON at all", 101.25)
    first, second = (json.loads(line) for line in log.lines().splitlines())
    assert first == {"direction": "received", "at": 0.0, "event": json.loads(CREATED)}
    assert second == {"direction": "sent", "at": 1.25, "event": "no JSON at all"}


def test_the_kind_of_whatever_comes() -> None:
    assert kind_of(CREATED) == "session.created"
    for text in ("", "no JSON", "[]", "null", '{"type": 5}', "[" * 100_000):
        assert kind_of(text) == "?"


def test_replay_reads_the_download(tmp_path: Path) -> None:
    log = EventLog()
    log.add("received", CREATED, 0.0)
    log.add("received", SPOKEN, 1.0)
    recording = tmp_path / "events.jsonl"
    recording.write_text(log.lines(), encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "voicepilot", "replay", str(recording), "--json"],
        cwd=Path(__file__).parents[2] / "py",
        capture_output=True,
        check=True,
        timeout=30,
    )
    report = json.loads(told.stdout)
    assert report["session"]["id"] == "s1"
    assert [(turn["role"], turn["text"]) for turn in report["turns"]] == [("user", "Hello")]
