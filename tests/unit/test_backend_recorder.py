"""A recording has what happened, in the order in which it did, and nothing that nobody may read."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from voicepilot.backend.azure.witness import Exchange
from voicepilot.backend.recorder import Recorder, RecordingError
from voicepilot.protocol.problems import problem
from voicepilot.session.feed import Entry
from voicepilot.session.recording import read_recording
from voicepilot.session.replay import read_log

KEY = "marked-standing-key-0123456789"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.marked.token"
EPHEMERAL = "ek_marked0123456789"
OFFER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na=ice-ufrag:markedufrag\r\na=ice-pwd:markedpassword\r\n"
    "a=fingerprint:sha-256 AA:BB\r\na=candidate:1 1 udp 1 192.168.7.9 5 typ host\r\nm=audio\r\n"
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def exchange(path: str, headers: dict[str, str], body: bytes, **reply: Any) -> Exchange:
    return Exchange("POST", path, 100.1, 100.3, headers, body, **reply)


def mint(header: str = "api-key", value: str = KEY) -> Exchange:
    tools = [{"type": "mcp", "authorization": "marked-mcp", "headers": {"X": "marked-header"}}]
    return exchange(
        "/openai/v1/realtime/client_secrets",
        {header: value, "Content-Type": "application/json"},
        json.dumps({"session": {"model": "m", "tools": tools}}).encode(),
        status=200,
        reply_headers={"x-request-id": "r-1", "Set-Cookie": "marked-cookie"},
        reply=json.dumps({"value": EPHEMERAL, "expires_at": 9, "session": {"id": "s"}}).encode(),
    )


def feed(recorder: Recorder, *inputs: tuple[str, tuple[Any, ...]], page: str = "p") -> None:
    for number, (name, args) in enumerate(inputs):
        recorder.heard(page, Entry(5.0 + number / 10, name, args))


def event(kind: str, **fields: Any) -> tuple[str, tuple[Any, ...]]:
    return "receive", (1, json.dumps({"type": kind, **fields}))


LIVE = (
    ("talk", ()),
    ("microphone_opened", (1,)),
    ("answered", (1, "rtc_1")),
    ("channel_opened", (1,)),
)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_call_with_its_requests_is_written_down_and_replays(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with Recorder(path, "host · m", Clock()) as recorder:
        recorder.exchanged(mint())
        feed(
            recorder,
            *LIVE,
            event("session.created", session={"id": "s1", "model": "m", "expires_at": 9}),
            ("tick", ()),
            ("say", ("Hello.",)),
            ("link_changed", (1, "disconnected")),
            ("failed", (1, problem("sound-blocked"))),
        )
        assert len(lines(path)) > 5, "written at once"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = lines(path)
    assert written[0]["recording"] == 1
    kinds = [line.get("name") or line.get("direction") for line in written[1:]]
    assert kinds == [
        *("request", "reply", "talk", "microphone_opened", "answered", "channel_opened"),
        *("received", "say", "sent", "sent", "link_changed", "failed"),
    ]
    assert all(line["call"] == 1 for line in written[3:])
    assert written[1]["headers"] == {"api-key": None, "content-type": "application/json"}
    assert written[2]["headers"] == {"x-request-id": "r-1", "set-cookie": None}
    report = read_log(path.read_bytes().splitlines())
    assert report.broken == []
    assert [turn.text for turn in report.record.conversation.turns] == ["Hello."]
    (request,) = report.to_json()["requests"]
    assert (request["status"], request["ms"]) == (200, 200)
    (events,) = read_recording(path.read_bytes().splitlines()).calls.values()
    assert [each.sent for each in events] == [False, True, True]


def test_nothing_secret_and_no_sound_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with Recorder(path, "", Clock()) as recorder:
        recorder.exchanged(mint())
        recorder.exchanged(mint("Authorization", f"Bearer {TOKEN}"))
        recorder.exchanged(
            exchange(
                "/openai/v1/realtime/calls",
                {"Authorization": f"Bearer {EPHEMERAL}", "Content-Type": "application/sdp"},
                OFFER.encode(),
                status=401,
                reply=f"no access with {KEY} or {TOKEN}".encode(),
            )
        )
        recorder.exchanged(exchange("/x", {}, b"", trouble="ClientConnectorError"))
        feed(
            recorder,
            *LIVE,
            event("response.output_audio.delta", item_id="a", delta="UklGRg" * 100),
            event("error", error={"code": "x", "message": f"the key {KEY} and {EPHEMERAL}"}),
            ("say", (f"Is {TOKEN} a token?",)),
        )
    text = path.read_text("utf-8")
    assert "marked" not in text
    assert "UklGRg" not in text
    assert "192.168.7.9" not in text
    assert '"~600"' in text
    assert "m=audio" in text


def test_calls_of_several_pages_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with Recorder(path, "", Clock()) as recorder:
        feed(recorder, *LIVE, event("session.created", session={"id": "s1"}))
        feed(recorder, *LIVE, event("session.created", session={"id": "s2"}), page="q")
        feed(recorder, ("stop", ()), ("talk", ()), ("microphone_opened", (2,)))
    assert [line["call"] for line in lines(path)[1:]] == [1] * 5 + [2] * 5 + [1, 3, 3]


def test_after_a_gap_only_what_the_page_was_told_is_known(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with Recorder(path, "", Clock()) as recorder:
        recorder.missed("p")
        feed(recorder, ("say", ("Hello.",)), event("session.created", session={}))
    directions = [line["direction"] for line in lines(path)[1:]]
    assert directions == ["gap", "input", "received"]
    assert read_log(path.read_bytes().splitlines()).gaps == 1


def test_an_event_that_comes_both_ways_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with Recorder(path, "", Clock()) as recorder:
        recorder.overheard({"type": "session.updated", "event_id": "e1"}, "rtc_1")
        feed(recorder, *LIVE, event("session.updated", event_id="e1"))
        feed(recorder, event("response.created", event_id="e2", response={"id": "r"}))
        recorder.overheard({"type": "response.created", "event_id": "e2"}, "rtc_1")
    events = [line["event"]["event_id"] for line in lines(path)[1:] if "event" in line]
    assert events == ["e1", "e2"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    path.write_text("mine")
    with pytest.raises(RecordingError, match="exists already"), Recorder(path, ""):
        pass
    with (
        pytest.raises(RecordingError, match="cannot be written"),
        Recorder(tmp_path / "no" / "x", ""),
    ):
        pass
    assert path.read_text() == "mine"
