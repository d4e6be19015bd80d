"""Which way a call takes, and what the core makes of a player's reports where it plays the sound itself."""

from __future__ import annotations

import base64
import json

import pytest

from voicepilot.protocol import problem
from voicepilot.session import Call, Command, Phase
from voicepilot.session.commands import (
    CloseCall,
    OpenPeer,
    OpenSocket,
    PlayAudio,
    Send,
    SetMicrophone,
    SilenceReply,
)
from voicepilot.session.connection import LIMITS, State
from voicepilot.session.conversation import Status
from voicepilot.session.transport import PATIENCE_SECONDS, Transport

from .service_story import SESSION, Story, answer, sent_types

WORDS = "one two three four five six seven eight nine ten"


class Played(Story):
    """A call whose sound is played by the page."""

    def goes_live(self) -> int:
        self.call.expect_transport("websocket", self.now)
        self.call.talk(self.now)
        attempt = self.call.attempt
        self.call.microphone_opened(attempt, self.now)
        self.call.socket_opened(attempt, "ga", self.now)
        self.hears("session.created", session=SESSION)
        return attempt

    def sound(self, response_id: str, item_id: str, milliseconds: int) -> list[Command]:
        samples = base64.b64encode(bytes(48 * milliseconds)).decode()
        of = {"response_id": response_id, "item_id": item_id, "content_index": 0}
        return self.hears("response.output_audio.delta", **of, delta=samples)

    def sound_whole(self, response_id: str, item_id: str) -> list[Command]:
        of = {"response_id": response_id, "item_id": item_id, "content_index": 0}
        return self.hears("response.output_audio.done", **of)

    def plays(self, item_id: str, milliseconds: float) -> list[Command]:
        return self.call.played(self.call.attempt, item_id, 0, milliseconds, self.now)

    def speaks(self, response_id: str = "r1", item_id: str = "a1", seconds: int = 4) -> None:
        """An answer of ten words, all of it here, and its first half heard."""
        self.answer_begins(response_id, item_id, "u1")
        self.words(response_id, item_id, WORDS)
        self.sound(response_id, item_id, seconds * 1000)
        self.sound_whole(response_id, item_id)
        self.answer_done(response_id, answer(item_id, WORDS, "completed"))
        self.wait(seconds * 500)
        self.plays(item_id, seconds * 500)


@pytest.fixture
def story() -> Played:
    return Played()


def begun(preference: str) -> tuple[Call, list[Command]]:
    call = Call()
    call.expect_transport(preference, 1)
    call.talk(1)
    return call, call.microphone_opened(1, 2)


def told(commands: list[Command]) -> list[dict[str, object]]:
    return [
        {name: value for name, value in json.loads(each.text).items() if name != "event_id"}
        for each in commands
        if isinstance(each, Send)
    ]


def last(story: Story) -> tuple[str | None, Status]:
    turn = story.call.conversation.turns[-1]
    return turn.text, turn.status


# --- which way -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preference", "opened"),
    [
        ("webrtc", OpenPeer(1)),
        ("auto", OpenPeer(1)),
        ("websocket", OpenSocket(1, fell_back=False)),
        ("fallback", OpenSocket(1, fell_back=True)),
    ],
)
def test_a_call_begins_the_way_it_was_told_to(preference: str, opened: Command) -> None:
    _, commands = begun(preference)
    assert commands == [SetMicrophone(1, True), opened]


def test_an_unknown_way_is_refused_and_changes_nothing() -> None:
    call = Call()
    with pytest.raises(ValueError, match="carrier-pigeon"):
        call.expect_transport("carrier-pigeon", 1)
    call.talk(1)
    assert call.microphone_opened(1, 2)[-1] == OpenPeer(1)


def test_without_a_sound_connection_the_same_attempt_goes_on_over_websocket() -> None:
    call, _ = begun("auto")
    call.answered(1, "rtc_1", 10)
    deadline = call.next_deadline()
    assert deadline == 10 + PATIENCE_SECONDS
    assert call.tick(deadline - 0.1) == []
    assert call.tick(deadline) == [OpenSocket(1, fell_back=True)]
    assert call.phase is Phase.CONNECTING
    assert call.socket_opened(1, "ga", 15) == []
    assert (call.phase, call.attempt, call.problem) == (Phase.LISTENING, 1, None)


def test_a_sound_connection_that_fails_early_is_not_waited_for() -> None:
    call, _ = begun("auto")
    call.answered(1, "rtc_1", 10)
    assert call.link_changed(1, "failed", 11) == [OpenSocket(1, fell_back=True)]


def test_a_slow_service_is_waited_for() -> None:
    call, _ = begun("auto")
    assert call.next_deadline() == 2 + LIMITS[State.SIGNALLING][0]
    assert call.tick(2 + PATIENCE_SECONDS) == []


def test_what_the_service_refuses_it_would_refuse_on_either_way() -> None:
    call, _ = begun("auto")
    assert call.failed(1, problem("key-refused", detail="(status 401)"), 3) == [CloseCall(1)]
    assert call.phase is Phase.FAILED


def test_only_auto_has_a_second_way() -> None:
    call, _ = begun("webrtc")
    call.answered(1, "rtc_1", 10)
    assert call.tick(10 + LIMITS[State.CONNECTING][0]) == [CloseCall(1)]
    assert call.problem is not None
    assert call.problem.code == "connection-timeout"
    with pytest.raises(ValueError, match="no second way"):
        Transport("websocket").fall_back()


def test_a_connection_that_was_there_and_broke_is_lost() -> None:
    call, _ = begun("auto")
    call.answered(1, "rtc_1", 10)
    call.channel_opened(1, 11)
    assert call.link_changed(1, "failed", 60) == [CloseCall(1)]
    assert call.problem is not None
    assert call.problem.code == "connection-lost"


def test_what_the_peer_says_after_it_was_given_up_changes_nothing() -> None:
    call, _ = begun("auto")
    call.answered(1, "rtc_1", 10)
    call.tick(14)
    assert call.channel_opened(1, 14.5) == []
    assert call.answered(1, "rtc_2", 14.5) == []
    assert call.link_changed(1, "failed", 14.5) == []
    assert (call.phase, call.call_id) == (Phase.CONNECTING, "")


@pytest.mark.parametrize(
    ("opened", "code"), [(True, "connection-lost"), (False, "service-unreach")]
)
def test_a_socket_that_closes_ends_the_call(opened: bool, code: str) -> None:
    call, _ = begun("websocket")
    if opened:
        call.socket_opened(1, "ga", 3)
    assert call.socket_closed(1, 4) == [CloseCall(1)]
    assert call.problem is not None
    assert call.problem.code.startswith(code)


def test_the_service_over_the_socket_may_speak_the_other_dialect() -> None:
    call, _ = begun("websocket")
    call.socket_opened(1, "preview", 3)
    text = call.say("Hello", 4)[-1]
    assert call.dialect == "preview"
    assert isinstance(text, Send)


def test_the_next_call_begins_the_new_way_and_the_present_one_goes_on_as_it_is() -> None:
    call, _ = begun("websocket")
    call.socket_opened(1, "ga", 3)
    call.expect_transport("auto", 3)
    assert call.socket_closed(1, 4) == [CloseCall(1)]
    call.talk(5)
    assert call.microphone_opened(2, 6)[-1] == OpenPeer(2)


# --- an answer that is played here -----------------------------------------------------------------------


def test_an_answer_is_played_piece_by_piece_and_ends_when_it_was_heard(story: Played) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "u1")
    assert story.call.phase is Phase.THINKING
    commands = story.sound("r1", "a1", 200)
    assert commands[0] == PlayAudio(1, "a1", 0, base64.b64encode(bytes(9600)).decode())
    assert story.call.phase is Phase.ASSISTANT_SPEAKING
    story.words("r1", "a1", WORDS)
    story.sound("r1", "a1", 800)
    story.sound_whole("r1", "a1")
    story.answer_done("r1", answer("a1", WORDS, "completed"))
    story.wait(990)
    story.plays("a1", 900)
    assert story.call.phase is Phase.ASSISTANT_SPEAKING
    assert story.call.can_interrupt
    story.wait(100)
    assert story.plays("a1", 1000) == []
    assert story.call.phase is Phase.LISTENING
    assert not story.call.can_interrupt
    assert last(story) == (WORDS, Status.COMPLETED)


def test_a_pause_of_the_service_does_not_end_the_answer(story: Played) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "u1")
    story.sound("r1", "a1", 200)
    story.plays("a1", 200)  # everything that came, but more will come
    assert story.call.phase is Phase.ASSISTANT_SPEAKING
    story.sound("r1", "a1", 200)
    story.answer_done("r1", answer("a1", WORDS, "completed"))
    story.plays("a1", 400)
    assert story.call.phase is Phase.LISTENING


def test_answers_are_heard_one_after_the_other(story: Played) -> None:
    story.goes_live()
    story.speaks("r1", "a1", seconds=2)
    story.answer_begins("r2", "a2", "a1")
    story.sound("r2", "a2", 500)
    story.answer_done("r2", answer("a2", "Done.", "completed"))
    assert story.call.record.playout.response_id == "r1"
    story.plays("a1", 2000)
    assert story.call.record.playout.response_id == "r2"
    assert story.call.phase is Phase.ASSISTANT_SPEAKING
    story.plays("a2", 500)
    assert story.call.phase is Phase.LISTENING


def test_speaking_silences_the_answer_and_tells_what_was_heard(story: Played) -> None:
    story.goes_live()
    story.speaks(seconds=4)
    commands = story.user_begins("u2")
    assert commands[0] == SilenceReply(1)
    assert told(commands) == [
        {
            "type": "conversation.item.truncate",
            "item_id": "a1",
            "content_index": 0,
            "audio_end_ms": 2000,
        }
    ]
    assert story.call.phase is Phase.USER_SPEAKING
    assert last(story) == ("one two three four five", Status.INTERRUPTED)
    truncated = {"item_id": "a1", "content_index": 0, "audio_end_ms": 2000}
    assert story.hears("conversation.item.truncated", **truncated) == []
    assert last(story) == ("one two three four five", Status.INTERRUPTED)


def test_no_more_is_told_to_be_heard_than_came(story: Played) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "u1")
    story.sound("r1", "a1", 300)
    story.plays("a1", 304.9)  # the player counts in blocks
    assert told(story.user_begins("u2"))[0]["audio_end_ms"] == 300


def test_an_answer_of_which_nothing_was_heard_is_deleted(story: Played) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "u1")
    story.words("r1", "a1", WORDS)
    story.sound("r1", "a1", 300)
    assert told(story.user_begins("u2")) == [{"type": "conversation.item.delete", "item_id": "a1"}]
    story.hears("conversation.item.deleted", item_id="a1")
    assert story.call.conversation.turns == []


def test_what_waits_behind_the_sound_is_deleted(story: Played) -> None:
    story.goes_live()
    story.speaks("r1", "a1", seconds=2)
    story.answer_begins("r2", "a2", "a1")
    story.sound("r2", "a2", 500)
    story.answer_done("r2", answer("a2", "Done.", "completed"))
    kinds = sent_types(story.user_begins("u2"))
    assert kinds == ["conversation.item.truncate", "conversation.item.delete"]


def test_what_was_heard_to_its_end_stays(story: Played) -> None:
    story.goes_live()
    story.speaks("r1", "a1", seconds=2)
    story.plays("a1", 2000)
    assert sent_types(story.user_begins("u2")) == []
    assert last(story) == (WORDS, Status.COMPLETED)


def test_late_sound_of_an_interrupted_answer_is_not_played(story: Played) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "u1")
    story.sound("r1", "a1", 300)
    story.plays("a1", 100)
    story.user_begins("u2")
    assert story.sound("r1", "a1", 300) == []
    assert story.plays("a1", 150) == []
    assert not story.call.can_interrupt
    assert story.call.phase is Phase.USER_SPEAKING


def test_the_button_cancels_before_it_cuts(story: Played) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "u1")
    story.sound("r1", "a1", 300)
    story.plays("a1", 200)
    commands = story.call.interrupt(story.now)
    assert commands[0] == SilenceReply(1)
    # The service has no sound of its own to clear here.
    assert sent_types(commands) == ["response.cancel", "conversation.item.truncate"]
    assert story.call.phase is Phase.LISTENING
    assert story.call.interrupt(story.now) == []


def test_a_service_that_may_not_interrupt_speaks_on(story: Played) -> None:
    story.goes_live()
    detection = {"type": "server_vad", "interrupt_response": False}
    session = {**SESSION, "audio": {"input": {"turn_detection": detection}}}
    story.hears("session.updated", session=session)
    story.speaks(seconds=4)
    assert story.user_begins("u2") == []
    assert story.call.can_interrupt


def test_reports_of_an_old_attempt_change_nothing(story: Played) -> None:
    story.goes_live()
    story.speaks(seconds=4)
    story.call.stop(story.now)
    story.goes_live()
    assert story.call.played(1, "a1", 0, 4000, story.now) == []
    assert story.call.socket_closed(1, story.now) == []
    assert story.call.phase is Phase.LISTENING


def test_the_time_to_the_first_sound_is_measured(story: Played) -> None:
    story.goes_live()
    story.user_begins("u1")
    story.user_ends("u1", None)
    story.wait(300)
    story.answer_begins("r1", "a1", "u1")
    story.words("r1", "a1", "Yes")
    story.wait(100)
    story.sound("r1", "a1", 200)
    story.wait(50)
    story.call.reply_heard(1, story.now)
    latency = story.call.latency.last
    assert latency is not None
    parts = [(name, round(milliseconds)) for name, milliseconds in latency.parts]
    assert parts == [("end of turn", 200), ("answer", 300), ("voice", 100), ("way to you", 50)]


def test_of_a_sentence_whose_sound_is_still_coming_only_what_was_heard_is_shown(
    story: Played,
) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "u1")
    story.words("r1", "a1", f"{WORDS} {WORDS} {WORDS}")  # all the words, and a tenth of the sound
    story.sound("r1", "a1", 1000)
    story.plays("a1", 900)
    story.user_begins("u2")
    assert last(story) == ("one two three", Status.INTERRUPTED)
