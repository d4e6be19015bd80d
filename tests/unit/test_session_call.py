"""The call as a story: what a person does, what the service says, what is asked of the shell."""

from __future__ import annotations

import json

import pytest

from voicepilot.protocol import problem
from voicepilot.session import Call, Phase
from voicepilot.session.commands import (
    CallTool,
    CloseCall,
    LetReplySound,
    OpenMicrophone,
    OpenPeer,
    Send,
    SetMicrophone,
    SilenceReply,
)
from voicepilot.session.connection import Connection, IllegalInputError, Input, State
from voicepilot.session.conversation import Status
from voicepilot.session.response_gate import ASK_SECONDS, EXPECT_SECONDS, STALL_SECONDS

from .service_story import Story, answer, function_call, sent_types, user_message


@pytest.fixture
def story() -> Story:
    return Story()


def said(story: Story) -> list[tuple[str, str | None, str]]:
    return [(t.role, t.text, t.status.value) for t in story.call.conversation.turns]


# --- the connection -----------------------------------------------------------------------------------


def test_talk_opens_the_microphone_then_the_peer_then_is_live(story: Story) -> None:
    call = story.call
    assert call.phase is Phase.IDLE
    assert call.talk(1) == [OpenMicrophone(1)]
    assert call.phase is Phase.CONNECTING
    assert call.microphone_opened(1, 2) == [SetMicrophone(1, True), OpenPeer(1)]
    assert call.answered(1, "rtc_9", 3) == []
    assert call.call_id == "rtc_9"
    assert call.channel_opened(1, 4) == []
    assert call.phase is Phase.LISTENING


def test_the_channel_may_open_before_the_answer_is_reported(story: Story) -> None:
    story.call.talk(1)
    story.call.microphone_opened(1, 1)
    story.call.channel_opened(1, 1)
    story.call.answered(1, "rtc_1", 1)
    assert story.call.phase is Phase.LISTENING


def test_the_page_speaks_the_dialect_that_the_call_was_opened_in(story: Story) -> None:
    call = story.call
    call.talk(1)
    call.microphone_opened(1, 1)
    assert call.agreed(1, "preview", 1) == []
    call.answered(1, "rtc_1", 1)
    call.channel_opened(1, 1)
    sent = call.configure({"type": "realtime", "audio": {"output": {"speed": 1.2}}}, 2)
    assert [json.loads(each.text)["session"] for each in sent if isinstance(each, Send)] == [
        {"speed": 1.2}
    ]
    call.stop(3)
    call.talk(4)
    call.agreed(1, "ga", 4)  # late, of the old attempt
    assert call.dialect == "preview"
    with pytest.raises(ValueError, match="is no dialect"):
        call.agreed(2, "klingon", 5)
    call.microphone_opened(2, 5)
    call.agreed(2, "ga", 5)
    assert call.dialect == "ga"


def test_a_second_talk_click_changes_nothing(story: Story) -> None:
    story.call.talk(1)
    assert story.call.talk(1) == []
    assert story.call.attempt == 1


def test_stop_while_the_permission_is_asked_closes_the_late_microphone(story: Story) -> None:
    call = story.call
    call.talk(1)
    assert call.stop(2) == [CloseCall(1)]
    assert call.microphone_opened(1, 3) == [CloseCall(1)]
    assert call.phase is Phase.ENDED
    assert call.talk(4) == [OpenMicrophone(2)]
    assert call.microphone_opened(1, 5) == [CloseCall(1)]
    assert call.phase is Phase.CONNECTING


def test_reports_of_an_old_attempt_change_nothing(story: Story) -> None:
    story.goes_live()
    story.call.stop(story.now)
    story.goes_live()
    before = story.call.conversation.version
    assert story.call.failed(1, problem("internal", detail="late"), story.now) == []
    assert story.call.link_changed(1, "failed", story.now) == []
    assert story.call.channel_closed(1, story.now) == []
    assert story.call.receive(1, '{"type":"error"}', story.now) == []
    assert story.call.tool_returned(1, "call_1", "late", story.now) == []
    assert story.call.phase is Phase.LISTENING
    assert story.call.conversation.version == before


def test_a_failure_ends_the_attempt_with_its_sentence(story: Story) -> None:
    story.call.talk(1)
    what = problem("microphone-permission")
    assert story.call.failed(1, what, 2) == [CloseCall(1)]
    assert (story.call.phase, story.call.problem) == (Phase.FAILED, what)
    story.call.talk(3)
    assert story.call.problem is None


def test_what_is_not_fatal_is_only_shown(story: Story) -> None:
    attempt = story.goes_live()
    assert story.call.failed(attempt, problem("microphone-silent"), story.now) == []
    assert story.call.phase is Phase.LISTENING
    assert story.call.notice is not None


@pytest.mark.parametrize(
    ("steps", "seconds", "code"), [(1, 20, "service-unreachable"), (2, 10, "connection-timeout")]
)
def test_waiting_has_an_end(story: Story, steps: int, seconds: float, code: str) -> None:
    call = story.call
    call.talk(story.now)
    call.microphone_opened(1, story.now)
    if steps == 2:
        call.answered(1, "rtc_1", story.now)
    assert call.next_deadline() == story.now + seconds
    assert story.wait(seconds * 1000 - 1) == []
    assert story.wait(1) == [CloseCall(1)]
    assert call.problem is not None
    assert call.problem.code == code
    assert call.next_deadline() is None


def test_a_short_drop_of_the_link_is_survived_and_a_long_one_is_told(story: Story) -> None:
    attempt = story.goes_live()
    story.call.link_changed(attempt, "disconnected", story.now)
    assert story.call.phase is Phase.RECONNECTING
    story.wait(4900)
    story.call.link_changed(attempt, "connected", story.now)
    assert story.call.phase is Phase.LISTENING
    story.call.link_changed(attempt, "disconnected", story.now)
    assert story.wait(5000) == [CloseCall(attempt)]
    assert story.call.problem == problem("connection-lost")


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("what", list(Input))
def test_illegal_input_raises_and_changes_nothing(state: State, what: Input) -> None:
    connection = Connection()
    connection.state, connection.deadline = state, 7.0
    if connection.allows(what):
        connection.apply(what, 1.0)
        return
    with pytest.raises(IllegalInputError, match=what.value):
        connection.apply(what, 1.0)
    assert (connection.state, connection.deadline, connection.attempt) == (state, 7.0, 0)


def test_mute_holds_for_the_next_call(story: Story) -> None:
    assert story.call.mute(True, 1) == []
    story.call.talk(2)
    assert story.call.microphone_opened(1, 3)[0] == SetMicrophone(1, False)
    assert story.call.mute(False, 4) == [SetMicrophone(1, True)]


# --- a spoken turn ------------------------------------------------------------------------------------


def test_a_spoken_turn_in_the_recorded_order(story: Story) -> None:
    attempt = story.goes_live()
    story.user_begins("u1")
    assert story.call.phase is Phase.USER_SPEAKING
    assert story.user_ends("u1", None) == []
    assert story.call.phase is Phase.THINKING
    assert said(story) == [("user", None, "completed")]
    assert story.call.conversation.turns[0].awaits_words
    story.answer_begins("r1", "a1", "u1")
    story.transcribed("u1", "Hello there.")
    story.words("r1", "a1", "Hi, how ")
    assert LetReplySound(attempt) in story.sound_begins("r1")
    assert story.call.phase is Phase.ASSISTANT_SPEAKING
    story.words("r1", "a1", "are you?")
    story.answer_done("r1", answer("a1", "Hi, how are you?", "completed"))
    assert story.call.phase is Phase.ASSISTANT_SPEAKING
    story.sound_ends("r1")
    assert story.call.phase is Phase.LISTENING
    assert said(story) == [
        ("user", "Hello there.", "completed"),
        ("assistant", "Hi, how are you?", "completed"),
    ]


def test_a_late_transcript_takes_the_place_that_was_held(story: Story) -> None:
    story.goes_live()
    story.user_begins("u1")
    story.user_ends("u1", None)
    story.answers("r1", "a1", "u1", "An answer that is faster than the transcript.")
    story.transcribed("u1", "What came late.")
    assert [t.text for t in story.call.conversation.turns] == [
        "What came late.",
        "An answer that is faster than the transcript.",
    ]


def test_latency_is_split_into_its_parts(story: Story) -> None:
    attempt = story.goes_live()
    story.user_begins("u1")
    story.user_ends("u1", None)
    story.wait(110)
    story.answer_begins("r1", "a1", "u1")
    story.words("r1", "a1", "Hi.")
    story.wait(30)
    story.sound_begins("r1")
    story.wait(60)
    story.call.reply_heard(attempt, story.now)
    last = story.call.latency.last
    assert last is not None
    assert [(name, round(ms)) for name, ms in last.parts] == [
        ("end of turn", 200),
        ("answer", 110),
        ("voice", 30),
        ("way to you", 60),
    ]
    assert round(last.total) == 400
    story.call.reply_heard(attempt, story.now + 1)
    assert story.call.latency.last is last


# --- barge-in -----------------------------------------------------------------------------------------


def interrupted_story(story: Story) -> list[str]:
    """A measured answer of 15 characters a second, then one that is interrupted after 2 s."""
    story.goes_live()
    story.answers("r0", "a0", "root", "Fifteen characters a second is how I speak here.")
    story.answer_begins("r1", "a1", "a0")
    words = "one two three four five six seven eight nine ten eleven twelve thirteen"
    story.words("r1", "a1", words)
    story.sound_begins("r1")
    story.wait(2000)
    return words.split()


def test_the_users_voice_silences_the_assistant_and_cuts_the_caption(story: Story) -> None:
    numbers = interrupted_story(story)
    assert story.user_begins("u1") == [SilenceReply(1)]
    assert story.call.phase is Phase.USER_SPEAKING
    cut = story.call.conversation.turns[-1]
    heard = (cut.text or "").split()
    assert heard == numbers[: len(heard)]
    assert 5 <= len(heard) <= 7  # 30 characters
    story.answer_done("r1", answer("a1", " ".join(numbers), "incomplete"), status="cancelled")
    story.hears("output_audio_buffer.cleared", response_id="r1")
    story.hears("conversation.item.truncated", item_id="a1", content_index=0, audio_end_ms=2000)
    assert cut.status is Status.INTERRUPTED
    assert (cut.text or "").split() == heard


def test_the_service_has_the_last_word_on_what_was_heard(story: Story) -> None:
    interrupted_story(story)
    story.user_begins("u1")
    story.hears("conversation.item.truncated", item_id="a1", content_index=0, audio_end_ms=500)
    assert story.call.conversation.turns[-1].text == "one two"


def test_a_late_done_does_not_undo_the_interruption(story: Story) -> None:
    interrupted_story(story)
    story.user_begins("u1")
    story.hears("conversation.item.done", item=answer("a1", "all of it", "completed"))
    assert story.call.conversation.turns[-1].status is Status.INTERRUPTED


def test_the_reply_sounds_again_only_with_the_next_answer(story: Story) -> None:
    interrupted_story(story)
    story.user_begins("u1")
    assert story.hears("output_audio_buffer.started", response_id="r1") == []
    story.answer_done("r1", answer("a1", "x", "incomplete"), status="cancelled")
    story.user_ends("u1", "a1")
    assert story.hears("response.created", response={"id": "r2"}) == [LetReplySound(1)]


def test_without_interruption_in_the_session_the_voice_silences_nothing(story: Story) -> None:
    attempt = story.goes_live()
    detection = {"type": "server_vad", "interrupt_response": False}
    session = {"id": "s", "audio": {"input": {"turn_detection": detection}}}
    story.hears("session.updated", session=session)
    story.answer_begins("r1", "a1", "root")
    story.sound_begins("r1")
    assert story.user_begins("u1") == []
    assert story.call.interrupt(story.now)[0] == SilenceReply(attempt)


def test_interrupt_by_hand_cancels_and_clears(story: Story) -> None:
    interrupted_story(story)
    commands = story.call.interrupt(story.now)
    assert commands[0] == SilenceReply(1)
    assert sent_types(commands) == ["response.cancel", "output_audio_buffer.clear"]
    assert story.call.phase is Phase.LISTENING
    assert story.call.interrupt(story.now) == []


def test_interrupt_after_the_response_is_made_only_clears(story: Story) -> None:
    interrupted_story(story)
    story.answer_done("r1", answer("a1", "x", "completed"))
    assert sent_types(story.call.interrupt(story.now)) == ["output_audio_buffer.clear"]
    story.hears("output_audio_buffer.cleared", response_id="r1")
    assert story.call.conversation.turns[-1].status is Status.INTERRUPTED
    assert story.call.interrupt(story.now) == []


# --- typed words and functions --------------------------------------------------------------------------


def test_typed_words_are_a_turn_at_once_and_ask_for_one_answer(story: Story) -> None:
    story.goes_live()
    commands = story.call.say("  What time is it? ", story.now)
    assert sent_types(commands) == ["conversation.item.create", "response.create"]
    assert said(story) == [("user", "What time is it?", "completed")]
    sent = commands[0]
    assert isinstance(sent, Send)
    echo = json.loads(sent.text)["item"] | {"status": "completed"}
    story.hears("conversation.item.added", item=echo, previous_item_id=None)
    assert len(story.call.conversation.turns) == 1


def test_typed_words_wait_for_the_answer_that_is_being_made(story: Story) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "root")
    assert sent_types(story.call.say("One.", story.now)) == ["conversation.item.create"]
    assert sent_types(story.call.say("Two.", story.now)) == ["conversation.item.create"]
    done = story.answer_done("r1", answer("a1", "x", "completed"))
    assert sent_types(done) == ["response.create"]


def test_words_need_a_call_and_content(story: Story) -> None:
    with pytest.raises(ValueError, match="during a call"):
        story.call.say("Hello", 1)
    story.goes_live()
    with pytest.raises(ValueError, match="no words"):
        story.call.say("  \n", 1)
    with pytest.raises(ValueError, match="at most"):
        story.call.say("x" * 32_001, 1)


def test_an_item_the_service_refuses_is_marked_failed(story: Story) -> None:
    story.goes_live()
    sent = story.call.say("Hello", story.now)[0]
    assert isinstance(sent, Send)
    story.hears("error", error={"code": "invalid_value", "event_id": sent.event.event_id})
    assert said(story) == [("user", "Hello", "failed")]
    assert story.call.notice is not None
    assert story.call.notice.code == "request-refused"


def call_functions(story: Story, *calls: tuple[str, str]) -> list[CallTool]:
    story.hears("response.created", response={"id": "r1"})
    asked: list[CallTool] = []
    for call_id, name in calls:
        item = function_call(f"f_{call_id}", call_id, name)
        story.hears("response.output_item.added", response_id="r1", item=item)
        commands = story.hears(
            "response.function_call_arguments.done",
            response_id="r1",
            item_id=f"f_{call_id}",
            call_id=call_id,
            arguments='{"path": "a"}',
        )
        asked += [command for command in commands if isinstance(command, CallTool)]
    return asked


def test_outputs_first_then_one_response_after_the_end(story: Story) -> None:
    story.goes_live()
    asked = call_functions(story, ("c1", "list_files"), ("c2", "read_file"))
    assert asked == [
        CallTool(1, "c1", "list_files", '{"path": "a"}'),
        CallTool(1, "c2", "read_file", '{"path": "a"}'),
    ]
    first = story.call.tool_returned(1, "c1", "[]", story.now)
    assert sent_types(first) == ["conversation.item.create"]
    items = [function_call(f"f_{c}", c, "x", "{}") for c in ("c1", "c2")]
    assert story.answer_done("r1", *items) == []
    assert story.call.phase is Phase.THINKING
    second = story.call.tool_returned(1, "c2", "text", story.now)
    assert sent_types(second) == ["conversation.item.create", "response.create"]
    assert story.call.tool_returned(1, "c2", "again", story.now) == []
    assert [use.output for use in story.call.conversation.tool_uses] == ["[]", "text"]


def test_an_output_that_somebody_else_has_put_in_is_not_sent_again(story: Story) -> None:
    story.goes_live()
    call_functions(story, ("c1", "list_files"), ("c2", "read_file"))
    assert story.call.tool_answered(1, "c1", story.now) == []
    output = {"id": "o2", "type": "function_call_output", "call_id": "c2", "output": "text"}
    story.hears("conversation.item.added", item=output)
    assert story.call.tool_returned(1, "c2", "text", story.now) == []
    items = [function_call(f"f_{c}", c, "x", "{}") for c in ("c1", "c2")]
    done = story.answer_done("r1", *items)
    assert sent_types(done) == ["response.create"]
    assert not any(isinstance(command, CallTool) for command in done)
    assert story.call.tool_answered(1, "c1", story.now) == []


@pytest.mark.parametrize("character", ["x", "\n", "\N{PILE OF POO}"])
def test_an_output_too_long_for_the_data_channel_is_cut_with_a_note(
    story: Story, character: str
) -> None:
    story.goes_live()
    call_functions(story, ("c1", "read_file"), ("c2", "read_file"))
    (sent,) = story.call.tool_returned(1, "c1", character * 300_000, story.now)
    assert isinstance(sent, Send)
    assert 190_000 < len(sent.text.encode()) < 210_000
    assert sent.text.count("left out: the output was too long") == 1
    short = character * 15_000
    (sent,) = story.call.tool_returned(1, "c2", short, story.now)
    assert story.call.conversation.tool_use("c2").output == short


def test_outputs_that_return_before_the_end_wait_for_it(story: Story) -> None:
    story.goes_live()
    call_functions(story, ("c1", "list_files"))
    returned = story.call.tool_returned(1, "c1", "[]", story.now)
    assert sent_types(returned) == ["conversation.item.create"]
    done = story.answer_done("r1", function_call("f_c1", "c1", "list_files", "{}"))
    assert sent_types(done) == ["response.create"]


def test_a_call_seen_only_at_the_end_is_made_then(story: Story) -> None:
    story.goes_live()
    story.hears("response.created", response={"id": "r1"})
    done = story.answer_done("r1", function_call("f1", "c1", "list_files", '{"path": "b"}'))
    assert done == [CallTool(1, "c1", "list_files", '{"path": "b"}')]


def test_a_cancelled_response_wants_no_answer_to_its_functions(story: Story) -> None:
    story.goes_live()
    call_functions(story, ("c1", "list_files"))
    story.answer_done("r1", status="cancelled")
    returned = story.call.tool_returned(1, "c1", "[]", story.now)
    assert sent_types(returned) == ["conversation.item.create"]


# --- the service's troubles ---------------------------------------------------------------------------


def test_a_response_that_was_faster_is_waited_for(story: Story) -> None:
    story.goes_live()
    story.call.say("Hello", story.now)
    story.hears("response.created", response={"id": "vad"})
    code = "conversation_already_has_active_response"
    assert story.hears("error", error={"code": code}) == []
    assert story.call.notice is None
    done = story.answer_done("vad", answer("a1", "x", "completed"))
    assert sent_types(done) == ["response.create"]


def test_a_refused_create_whose_rival_was_missed_is_tried_again(story: Story) -> None:
    story.goes_live()
    story.call.say("Hello", story.now)
    story.hears("error", error={"code": "conversation_already_has_active_response"})
    assert sent_types(story.wait(1999)) == []
    assert sent_types(story.wait(2)) == ["response.create"]


def test_a_failed_response_is_shown_with_its_reason(story: Story) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "root")
    details = {"type": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}}
    story.answer_done("r1", status="failed", status_details=details)
    assert story.call.notice is not None
    assert "Slow down." in story.call.notice.says
    assert story.call.phase is Phase.LISTENING
    assert story.call.conversation.turns[-1].status is Status.FAILED


def test_a_session_at_its_end_fails_the_call_with_its_sentence(story: Story) -> None:
    story.goes_live()
    assert story.hears("error", error={"code": "session_expired"}) == [CloseCall(1)]
    assert story.call.problem == problem("session-expired")


@pytest.mark.parametrize("code", ["response_cancel_not_active", "input_audio_buffer_commit_empty"])
def test_benign_errors_are_kept_and_not_shown(story: Story, code: str) -> None:
    story.goes_live()
    story.hears("error", error={"code": code, "message": "m"})
    assert story.call.notice is None
    assert story.call.record.errors[-1].code == code


def test_a_response_outside_the_conversation_changes_nothing_in_it(story: Story) -> None:
    story.goes_live()
    story.hears("response.created", response={"id": "x", "conversation_id": None})
    story.hears("response.output_item.added", response_id="x", item=answer("z"))
    story.words("x", "z", "aside")
    assert story.call.phase is Phase.LISTENING
    assert sent_types(story.call.say("Hi", story.now))[-1] == "response.create"
    assert [t.text for t in story.call.conversation.turns] == ["Hi"]


def test_stop_ends_what_was_in_progress_and_keeps_what_was_said(story: Story) -> None:
    story.goes_live()
    story.answer_begins("r1", "a1", "root")
    story.words("r1", "a1", "I was about to say something rather long and then")
    story.sound_begins("r1")
    story.wait(1000)
    story.call.stop(story.now)
    last = story.call.conversation.turns[-1]
    assert last.status is Status.INTERRUPTED
    assert 0 < len(last.text or "") < 30
    story.goes_live()
    assert len(story.call.conversation.turns) == 1


def test_unknown_events_are_counted(story: Story) -> None:
    story.goes_live()
    story.hears("response.sung")
    story.hears("response.sung")
    story.call.receive(1, "no json", story.now)
    assert story.call.record.unknown == {"response.sung": 2}
    assert story.call.record.malformed == 1


def test_an_idle_call_needs_no_timer() -> None:
    assert Call().next_deadline() is None
    assert Call().tick(1.0) == []


# --- nobody answers -------------------------------------------------------------------------------------


def test_a_turn_that_nobody_answers_is_told_and_gives_the_word_back(story: Story) -> None:
    story.goes_live()
    story.user_begins("item_1")
    story.user_ends("item_1", None)
    assert story.wait(EXPECT_SECONDS * 1000 - 1) == []
    assert (story.call.phase, story.call.notice) == (Phase.THINKING, None)
    story.wait(1)
    assert story.call.phase is Phase.LISTENING
    assert story.call.notice == problem("no-answer", seconds=5)
    # What is asked anew is asked, and with the answer the notice goes.
    assert sent_types(story.call.say("Are you there?", story.now)) == [
        "conversation.item.create",
        "response.create",
    ]
    story.wait(ASK_SECONDS * 1000)
    assert story.call.phase is Phase.LISTENING
    assert story.call.notice == problem("no-answer", seconds=5)
    story.answer_begins("resp_1", "item_2", "item_1")
    assert story.call.notice is None


def test_the_wait_is_counted_from_the_last_turn(story: Story) -> None:
    story.goes_live()
    story.user_begins("item_1")
    story.user_ends("item_1", None)
    story.wait(EXPECT_SECONDS * 1000 - 1)
    story.user_begins("item_2")
    story.user_ends("item_2", "item_1")
    story.wait(EXPECT_SECONDS * 1000 - 1)
    assert story.call.notice is None
    story.wait(1)
    assert story.call.notice is not None


def test_an_answer_that_begins_and_stalls_is_told_and_can_be_interrupted(story: Story) -> None:
    story.goes_live()
    story.call.say("A long one, please.", story.now)
    story.answer_begins("resp_1", "item_2", "vp-1-1")
    for _ in range(3):  # slow is not silent
        story.wait(STALL_SECONDS * 1000 - 1)
        story.words("resp_1", "item_2", "word ")
    assert story.call.notice is None
    story.wait(STALL_SECONDS * 1000)
    assert story.call.phase is Phase.LISTENING
    assert story.call.notice == problem("no-answer", seconds=10)
    assert story.call.next_deadline() is None
    # It may still be made: nothing is asked over it, but it can be stopped.
    assert sent_types(story.call.say("Hello?", story.now)) == ["conversation.item.create"]
    assert "response.cancel" in sent_types(story.call.interrupt(story.now))
    assert sent_types(story.answer_done("resp_1", status="cancelled")) == ["response.create"]


def test_a_long_answer_is_no_silence_while_it_sounds(story: Story) -> None:
    story.goes_live()
    story.call.say("Go on.", story.now)
    story.answer_begins("resp_1", "item_2", "vp-1-1")
    story.sound_begins("resp_1")
    for _ in range(4):
        story.wait(STALL_SECONDS * 1000)
    assert story.call.notice is None
    assert story.call.phase is Phase.ASSISTANT_SPEAKING


def test_a_refused_request_for_an_answer_gives_the_word_back(story: Story) -> None:
    story.goes_live()
    create = story.call.say("Hello.", story.now)[-1]
    assert isinstance(create, Send)
    error = {"code": "invalid_value", "message": "No.", "event_id": create.event.event_id}
    story.hears("error", error=error)
    assert story.call.phase is Phase.LISTENING
    assert story.call.notice is not None
    assert story.call.notice.code == "request-refused"


@pytest.mark.parametrize(
    ("status", "details", "code", "says"),
    [
        ("failed", {"error": {"code": "rate_limit_exceeded"}}, "response-failed", "rate_limit"),
        ("incomplete", {"reason": "content_filter"}, "response-filtered", "content filter"),
        ("incomplete", {"reason": "max_output_tokens"}, "response-cut", "longest length"),
    ],
)
def test_why_an_answer_is_not_whole_is_told(
    story: Story, status: str, details: dict[str, object], code: str, says: str
) -> None:
    story.goes_live()
    story.call.say("Hello.", story.now)
    story.answer_begins("resp_1", "item_2", "vp-1-1")
    story.answer_done("resp_1", status=status, status_details={"type": status, **details})
    assert story.call.phase is Phase.LISTENING
    assert story.call.notice is not None
    assert story.call.notice.code == code
    assert says in story.call.notice.says


def test_an_answer_does_not_make_a_missing_transcript_good(story: Story) -> None:
    story.goes_live()
    story.user_begins("item_1")
    story.user_ends("item_1", None)
    failed = "conversation.item.input_audio_transcription.failed"
    story.hears(failed, item_id="item_1", error={"code": "DeploymentNotFound", "message": "No."})
    story.answers("resp_1", "item_2", "item_1", "Yes.")
    assert story.call.notice == problem("transcription-missing")
    story.user_begins("item_3")
    story.user_ends("item_3", "item_2")
    story.transcribed("item_3", "Now?")
    assert story.call.notice is None


def test_a_turn_awaits_its_words_until_they_came_or_cannot_come(story: Story) -> None:
    story.goes_live()
    for number in (1, 2, 3):
        story.user_begins(f"item_{number}")
        story.user_ends(f"item_{number}", None if number == 1 else f"item_{number - 1}")
    turns = story.call.conversation.turns
    assert [turn.awaits_words for turn in turns] == [True] * 3
    story.transcribed("item_1", "One.")
    failed = "conversation.item.input_audio_transcription.failed"
    story.hears(failed, item_id="item_2", error={"message": "No."})
    assert [turn.awaits_words for turn in turns] == [False, False, True]
    story.call.stop(story.now)
    assert said(story)[2] == ("user", None, "completed")
    assert not turns[2].awaits_words


def test_what_nobody_said_awaits_no_words(story: Story) -> None:
    story.goes_live()
    timeout = "input_audio_buffer.timeout_triggered"
    story.hears(timeout, item_id="quiet", audio_start_ms=0, audio_end_ms=6000)
    story.hears("conversation.item.added", item=user_message("silent", ""), previous_item_id=None)
    assert not any(turn.awaits_words for turn in story.call.conversation.turns)


def test_a_wish_that_is_refused_again_and_again_is_given_up_in_words(story: Story) -> None:
    story.goes_live()
    story.call.say("Hello", story.now)
    for _ in range(6):
        story.hears("error", error={"code": "conversation_already_has_active_response"})
        story.wait(2100)
    assert story.call.notice is not None
    assert story.call.notice.code == "response-failed"


def test_the_latency_of_typed_words_is_that_of_their_own_answer(story: Story) -> None:
    attempt = story.goes_live()
    story.answer_begins("r1", "a1", "root")
    story.call.say("And now?", story.now)
    story.words("r1", "a1", "Still the first answer.")
    story.sound_begins("r1")
    story.call.reply_heard(attempt, story.now + 0.1)
    assert story.call.latency.last is None
    story.answer_done("r1", answer("a1", "Still the first answer.", "completed"))
    story.sound_ends("r1")
    story.wait(500)
    story.answer_begins("r2", "a2", "a1")
    story.words("r2", "a2", "The second.")
    story.call.reply_heard(attempt, story.now + 0.1)
    last = story.call.latency.last
    assert last is not None
    assert round(last.total) == 600
