"""Turns that are taken by hand: press, let go, and everything that can come between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicepilot.session import Call, Command, Phase
from voicepilot.session.commands import CloseCall, Send, SetMicrophone, SilenceReply
from voicepilot.session.configuring import ECHO_SECONDS
from voicepilot.session.push_to_talk import DRAIN_SECONDS, SHORTEST_SECONDS
from voicepilot.session.response_gate import Stage

from .service_story import SESSION, Story, answer, sent_types, user_message

CLEAR, COMMIT, CREATE, CANCEL = (
    "input_audio_buffer.clear",
    "input_audio_buffer.commit",
    "response.create",
    "response.cancel",
)
DRAIN_MS = DRAIN_SECONDS * 1000


def session(**in_audio: Any) -> dict[str, Any]:
    """The session of the stories with other input settings."""
    said = json.loads(json.dumps(SESSION))
    said["audio"]["input"] |= in_audio
    return said


BY_HAND = session(turn_detection=None)


class ByHand(Story):
    """A live call with push-to-talk, and its button."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_live()
        self.hears("session.updated", session=BY_HAND)

    def press(self) -> list[Command]:
        return self.call.hold(self.now)

    def let_go(self, after_ms: float = 0) -> list[Command]:
        self.now += after_ms / 1000
        return self.call.release(self.now)

    def says_a_turn(self) -> list[Command]:
        return [*self.press(), *self.let_go(1500), *self.wait(DRAIN_MS)]

    def commits(self, item_id: str, previous: str | None) -> None:
        self.hears("input_audio_buffer.committed", item_id=item_id, previous_item_id=previous)
        self.hears("conversation.item.added", item=user_message(item_id), previous_item_id=previous)


@pytest.fixture
def story() -> ByHand:
    return ByHand()


def microphone(commands: list[Command]) -> list[bool]:
    """How the commands switch the microphone, in order."""
    return [each.enabled for each in commands if isinstance(each, SetMicrophone)]


def test_a_session_without_turn_detection_closes_the_microphone() -> None:
    story = Story()
    story.goes_live()
    assert microphone(story.hears("session.updated", session=BY_HAND)) == [False]
    assert not story.call.microphone_on
    assert microphone(story.hears("session.updated", session=SESSION)) == [True]
    assert microphone(story.hears("session.updated", session={"id": "sess_1"})) == []


def test_a_call_that_is_opened_with_it_never_opens_the_microphone_by_itself() -> None:
    story = Story()
    assert story.call.expect_push_to_talk(True, story.now) == []
    story.call.talk(story.now)
    assert story.call.expect_push_to_talk(False, story.now) == []  # that is for the next call
    assert microphone(story.call.microphone_opened(1, story.now)) == [False]
    story.call.channel_opened(1, story.now)
    assert story.hears("session.created", session=BY_HAND) == []


def test_a_turn_from_press_to_answer(story: ByHand) -> None:
    pressed = story.press()
    assert sent_types(pressed) == [CLEAR]
    assert microphone(pressed) == [True]
    # What is still in the buffer is gone before the first word comes.
    assert isinstance(pressed[-1], SetMicrophone)
    assert story.call.phase is Phase.USER_SPEAKING

    assert story.let_go(1500) == [SetMicrophone(1, True)]
    assert story.call.next_deadline() == story.now + DRAIN_SECONDS
    assert story.call.phase is Phase.USER_SPEAKING
    assert story.wait(DRAIN_MS - 1) == []

    ended = story.wait(1)
    assert microphone(ended) == [False]
    assert sent_types(ended) == [COMMIT, CREATE]
    assert story.call.phase is Phase.THINKING

    story.commits("u1", None)
    story.answers("r1", "a1", "u1", "Twelve times seven is 84.")
    assert story.call.phase is Phase.LISTENING
    assert not story.call.microphone_on


def test_the_wait_begins_where_the_person_lets_go(story: ByHand) -> None:
    story.says_a_turn()
    story.now += 0.2
    story.answer_begins("r1", "a1", "u1")
    story.words("r1", "a1", "Yes.")
    story.now += 0.1
    story.sound_begins("r1")
    story.call.reply_heard(1, story.now)
    last = story.call.latency.last
    assert last is not None
    assert dict(last.parts)["end of turn"] == pytest.approx(DRAIN_MS)
    assert last.total == pytest.approx(DRAIN_MS + 300)


def test_a_press_silences_the_answer(story: ByHand) -> None:
    story.says_a_turn()
    story.answer_begins("r1", "a1", "u1")
    story.words("r1", "a1", "One, two, three")
    story.sound_begins("r1")
    pressed = story.press()
    assert pressed[0] == SilenceReply(1)
    assert sent_types(pressed) == [CANCEL, "output_audio_buffer.clear", CLEAR]
    assert story.call.phase is Phase.USER_SPEAKING
    story.answer_done("r1", answer("a1", "One, two, three"), status="cancelled")
    story.hears("output_audio_buffer.cleared", response_id="r1")
    assert story.call.phase is Phase.USER_SPEAKING
    story.let_go(800)
    assert sent_types(story.wait(DRAIN_MS)) == [COMMIT, CREATE]


def test_the_answer_waits_for_the_end_of_the_one_before(story: ByHand) -> None:
    story.says_a_turn()
    story.answer_begins("r1", "a1", "u1")
    assert sent_types(story.says_a_turn())[-1] == COMMIT
    assert sent_types(story.answer_done("r1", status="cancelled")) == [CREATE]


def test_an_answer_that_begins_while_the_person_speaks_is_cancelled(story: ByHand) -> None:
    story.call.say("How late is it?", story.now)
    story.press()
    assert sent_types(story.answer_begins("r1", "a1", "u1"))[0] == CANCEL
    assert sent_types(story.answer_done("r1", status="cancelled")) == []
    story.let_go(500)
    assert sent_types(story.wait(DRAIN_MS)) == [COMMIT, CREATE]


def test_typed_words_wait_for_the_spoken_ones(story: ByHand) -> None:
    story.press()
    assert sent_types(story.call.say("And this.", story.now)) == ["conversation.item.create"]
    story.let_go(500)
    assert sent_types(story.wait(DRAIN_MS)) == [COMMIT, CREATE]


def test_a_slip_of_the_finger_is_no_turn(story: ByHand) -> None:
    story.press()
    slipped = story.let_go(SHORTEST_SECONDS * 1000 - 1)
    assert microphone(slipped) == [False]
    assert sent_types(slipped) == [CLEAR]
    assert story.call.phase is Phase.LISTENING
    assert story.call.next_deadline() is None
    assert story.wait(2000) == []
    # Words that were typed meanwhile are still answered.
    story.press()
    story.call.say("Hello.", story.now)
    assert sent_types(story.let_go(10)) == [CLEAR, CREATE]
    assert story.call.phase is Phase.THINKING


def test_a_press_while_it_drains_goes_on_with_the_turn(story: ByHand) -> None:
    story.press()
    story.let_go(900)
    story.now += DRAIN_SECONDS / 2
    assert story.press() == []
    assert story.call.by_hand.held
    assert story.wait(DRAIN_MS) == []
    # Short as the second press was, it is a part of the turn.
    assert sent_types(story.let_go(10)) == []
    assert sent_types(story.wait(DRAIN_MS)) == [COMMIT, CREATE]


def test_a_second_press_and_a_second_release_change_nothing(story: ByHand) -> None:
    story.press()
    assert story.press() == []
    story.let_go(500)
    assert story.let_go() == []
    story.wait(DRAIN_MS)
    assert story.let_go() == []


@pytest.mark.parametrize("named", [True, False])
def test_too_little_sound_is_no_turn_and_no_error(story: ByHand, named: bool) -> None:
    sent = [each for each in story.says_a_turn() if isinstance(each, Send)]
    commit = next(each for each in sent if each.event.TYPE == COMMIT)
    error = {"code": "input_audio_buffer_commit_empty", "message": "buffer too small"}
    if named:
        error["event_id"] = commit.event.event_id
    assert sent_types(story.hears("error", error=error)) == [CANCEL]
    story.hears("response.created", response={"id": "r1"})
    story.answer_done("r1", status="cancelled")
    assert story.call.phase is Phase.LISTENING
    assert story.call.notice is None
    assert story.call.gate.stage is Stage.RESTING
    assert story.call.conversation.turns == []


def test_too_little_sound_takes_back_a_wish_that_waits(story: ByHand) -> None:
    story.says_a_turn()
    story.answer_begins("r1", "a1", "u1")
    story.says_a_turn()
    empty = {"code": "input_audio_buffer_commit_empty"}
    assert sent_types(story.hears("error", error=empty)) == []
    assert sent_types(story.answer_done("r1", status="cancelled")) == []
    assert story.call.phase is Phase.LISTENING


def test_muted_nothing_is_said(story: ByHand) -> None:
    assert microphone(story.call.mute(True, story.now)) == [False]
    assert story.press() == []
    assert not story.call.by_hand.held
    assert microphone(story.call.mute(False, story.now)) == [False]  # until the button is pressed

    story.press()
    assert microphone(story.call.mute(True, story.now)) == [False]
    assert microphone(story.call.mute(False, story.now)) == [True]
    story.call.mute(True, story.now)
    story.let_go(900)
    assert sent_types(story.wait(DRAIN_MS)) == [COMMIT, CREATE]


@pytest.mark.parametrize("draining", [True, False])
def test_stop_ends_the_turn_with_the_call(story: ByHand, draining: bool) -> None:
    story.press()
    if draining:
        story.let_go(500)
    assert story.call.stop(story.now) == [CloseCall(1)]
    assert story.call.next_deadline() is None
    assert story.let_go() == []
    assert story.wait(5000) == []
    assert story.press() == []


def test_a_lost_link_keeps_the_turn_that_was_begun_and_begins_none(story: ByHand) -> None:
    story.press()
    story.call.link_changed(1, "disconnected", story.now)
    assert story.call.phase is Phase.RECONNECTING
    story.call.link_changed(1, "connected", story.now)
    assert story.call.phase is Phase.USER_SPEAKING
    story.let_go(700)
    assert sent_types(story.wait(DRAIN_MS)) == [COMMIT, CREATE]

    story.answers("r1", "a1", "u1", "Yes.")
    story.call.link_changed(1, "disconnected", story.now)
    assert story.press() == []
    story.call.link_changed(1, "failed", story.now)
    assert story.call.phase is Phase.FAILED


def test_without_push_to_talk_the_button_does_nothing() -> None:
    story = Story()
    story.goes_live()
    assert story.call.hold(story.now) == []
    assert story.call.release(story.now) == []
    assert story.call.phase is Phase.LISTENING


def test_other_turn_detection_while_held_lifts_the_button(story: ByHand) -> None:
    story.press()
    assert microphone(story.hears("session.updated", session=SESSION)) == [True]
    assert not story.call.by_hand.held
    assert story.call.phase is Phase.LISTENING
    assert story.let_go(500) == []
    assert story.wait(DRAIN_MS) == []


# --- changes of the settings in a running call ----------------------------------------------------------


UPDATE: dict[str, Any] = {
    "type": "realtime",
    "audio": {"input": {"turn_detection": None}, "output": {"speed": 1.2}},
}
TAKEN = session(turn_detection=None) | {"type": "realtime"}
TAKEN["audio"]["output"] = {"speed": 1.2, "voice": "marin"}


def test_a_change_that_the_service_echoes_is_taken() -> None:
    story = Story()
    story.goes_live()
    (sent,) = story.call.configure(UPDATE, story.now)
    assert isinstance(sent, Send)
    assert json.loads(sent.text)["session"] == UPDATE
    assert story.call.next_deadline() == story.now + ECHO_SECONDS
    assert microphone(story.hears("session.updated", session=TAKEN)) == [False]
    assert story.call.next_deadline() is None
    story.wait(ECHO_SECONDS * 1000)
    assert story.call.notice is None


@pytest.mark.parametrize("echo", [None, SESSION])
def test_a_change_that_is_ignored_counts_from_the_next_call(echo: dict[str, Any] | None) -> None:
    story = Story()
    story.goes_live()
    story.call.configure(UPDATE, story.now)
    if echo is not None:
        story.hears("session.updated", session=echo)
    story.wait(ECHO_SECONDS * 1000 - 1)
    assert story.call.notice is None
    story.wait(1)
    assert story.call.notice is not None
    assert story.call.notice.code == "settings-next-call"
    assert not story.call.notice.fatal
    assert not story.call.by_hand.chosen  # the service still finds the turns
    # An answer does not make it untrue, a change that is taken does.
    story.answers("r1", "a1", "u1", "Yes.")
    assert story.call.notice is not None
    story.call.configure(UPDATE, story.now)
    story.hears("session.updated", session=TAKEN)
    assert story.call.notice is None


def test_a_change_that_is_refused_counts_from_the_next_call() -> None:
    story = Story()
    story.goes_live()
    (sent,) = story.call.configure(UPDATE, story.now)
    assert isinstance(sent, Send)
    story.hears("error", error={"code": "cannot_update_voice", "event_id": sent.event.event_id})
    assert story.call.notice is not None
    assert story.call.notice.code == "settings-next-call"
    assert story.call.next_deadline() is None


def test_a_change_while_the_call_is_opened_waits_for_it() -> None:
    story = Story()
    call = story.call
    call.talk(story.now)
    assert call.configure(UPDATE, story.now) == []
    call.stop(story.now)
    call.talk(story.now)
    call.microphone_opened(2, story.now)
    assert call.channel_opened(2, story.now) == []  # that was of the call before
    call.stop(story.now)
    call.talk(story.now)
    assert call.configure(UPDATE, story.now) == []
    call.microphone_opened(3, story.now)
    assert sent_types(call.channel_opened(3, story.now)) == ["session.update"]
    assert call.next_deadline() == story.now + ECHO_SECONDS


def test_a_session_is_changed_only_in_a_call() -> None:
    call = Call()
    with pytest.raises(ValueError, match="during a call"):
        call.configure(UPDATE, 1)
    story = Story()
    story.goes_live()
    with pytest.raises(ValueError, match="type"):
        story.call.configure({"audio": {}}, story.now)


# --- any order of everything ----------------------------------------------------------------------------

STEPS = (
    *("press", "release", "a moment", "a drain", "mute", "unmute", "stop", "talk", "type"),
    *("created", "done", "sound", "sound ends", "empty", "lost", "back", "by hand", "by ear"),
)


class Played(ByHand):
    """Takes steps in any order and keeps account of what the service was told."""

    def __init__(self) -> None:
        super().__init__()
        self.enabled = False
        self.cleared = True
        self.responses = 0

    def take(self, step: str) -> None:
        self.now += 0.03
        was_held = self.call.by_hand.held
        commands = self._step(step)
        types = sent_types(commands)
        for command in commands:
            if isinstance(command, SetMicrophone):
                self.enabled = command.enabled
        if isinstance(commands[-1] if commands else None, CloseCall):
            self.enabled = False
        if CREATE in types:
            assert not self.call.by_hand.speaking, "an answer was asked for over the person"
        if CLEAR in types and self.call.by_hand.speaking:
            assert not was_held
        if COMMIT in types:
            assert not self.call.by_hand.speaking
            assert types.count(COMMIT) == 1
        assert len([kind for kind in types if kind == CREATE]) <= 1
        if self.call.online:
            assert self.enabled == self.call.microphone_on
            assert not (self.call.muted and self.enabled)
        if self.call.by_hand.speaking:
            assert self.call.online
            assert self.call.phase in (Phase.USER_SPEAKING, Phase.RECONNECTING)

    def _step(self, step: str) -> list[Command]:
        match step:
            case "press":
                return self.press()
            case "release":
                return self.let_go()
            case "a moment":
                return self.wait(60)
            case "a drain":
                return self.wait(DRAIN_MS)
            case "mute" | "unmute":
                return self.call.mute(step == "mute", self.now)
            case "stop":
                return self.call.stop(self.now)
            case "talk":
                if self.call.under_way:
                    return []
                self.call.talk(self.now)
                attempt = self.call.attempt
                commands = self.call.microphone_opened(attempt, self.now)
                return [*commands, *self.call.channel_opened(attempt, self.now)]
            case "type":
                return self.call.say("typed", self.now) if self.call.online else []
            case "created":
                self.responses += 1
                return self.hears("response.created", response={"id": f"r{self.responses}"})
            case "done":
                return self.answer_done(f"r{self.responses}")
            case "sound":
                return self.sound_begins(f"r{self.responses}")
            case "sound ends":
                return self.sound_ends(f"r{self.responses}")
            case "empty":
                return self.hears("error", error={"code": "input_audio_buffer_commit_empty"})
            case "lost" | "back":
                state = "disconnected" if step == "lost" else "connected"
                return self.call.link_changed(self.call.attempt, state, self.now)
            case "by hand":
                return self.hears("session.updated", session=BY_HAND)
            case _:
                return self.hears("session.updated", session=SESSION)


@settings(deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=40))
def test_any_order_keeps_the_promises(steps: list[str]) -> None:
    played = Played()
    for step in steps:
        played.take(step)
    if played.call.by_hand.held:
        played.take("release")
    played.take("a drain")
    assert not played.call.by_hand.speaking
    played.take("stop")
    assert played.call.next_deadline() is None
    assert not played.enabled
