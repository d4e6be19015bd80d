"""The order of items and the words of turns, whatever order the news comes in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicepilot.protocol.items import Item, function_output, typed_message
from voicepilot.session.conversation import Conversation, Status
from voicepilot.session.order import ROOT, Order
from voicepilot.session.pace import Pace, whole_words


def placed(*steps: tuple[str, str | None]) -> list[str]:
    order = Order()
    for key, previous in steps:
        order.place(key, previous)
    return list(order)


def test_items_stand_behind_the_one_the_service_names() -> None:
    assert placed(("a", None), ("b", "a"), ("c", "b")) == ["a", "b", "c"]
    assert placed(("a", None), ("c", "a"), ("b", "a")) == ["a", "b", "c"]
    assert placed(("b", None), ("a", ROOT)) == ["a", "b"]


def test_an_item_waits_at_the_end_for_the_one_before_it() -> None:
    assert placed(("a", None), ("c", "b"), ("d", "c"), ("x", None), ("b", "a")) == list("abcdx")


def test_a_new_predecessor_moves_an_item_and_what_follows_it() -> None:
    assert placed(("a", None), ("b", None), ("c", None), ("b", "c")) == ["a", "c", "b"]
    assert placed(("a", None), ("b", "a"), ("c", "a"), ("d", "c")) == ["a", "c", "d", "b"]


def test_a_circle_of_stated_places_is_ignored() -> None:
    assert placed(("a", None), ("b", "a"), ("c", "b"), ("b", "c")) == ["a", "b", "c"]
    assert placed(("a", "a"), ("b", "a")) == ["a", "b"]


def test_saying_it_again_changes_nothing() -> None:
    steps = [("a", None), ("b", "a"), ("x", "a")]
    assert placed(*steps, ("b", "a"), ("a", None), ("x", "a")) == placed(*steps)


@given(st.permutations(range(8)))
def test_a_chain_that_arrives_in_any_order_ends_in_its_own(arrival: list[int]) -> None:
    steps = [(str(n), str(n - 1) if n else ROOT) for n in arrival]
    assert placed(*steps) == [str(n) for n in range(8)]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.sampled_from([*"abcdefz", ROOT])))
)
def test_nothing_is_lost_or_doubled_whatever_is_named(steps: list[tuple[str, str | None]]) -> None:
    keys = placed(*steps)
    assert sorted(keys) == sorted({key for key, _ in steps})


def test_items_sent_without_a_name_are_recognised_when_they_come_back() -> None:
    conversation = Conversation()
    conversation.sent(typed_message("user", "Same."), None)
    conversation.sent(typed_message("user", "Same."), None)
    conversation.sent(typed_message("assistant", "Noted."), None)
    for item_id, role in (("i1", "user"), ("i2", "user"), ("i3", "assistant")):
        echo = typed_message(role, "Same." if role == "user" else "Noted.", item_id)
        conversation.added(echo, done=True)
    assert [turn.item_id for turn in conversation.turns] == ["i1", "i2", "i3"]


def test_an_output_may_be_known_before_its_call() -> None:
    conversation = Conversation()
    conversation.added(function_output("c1", "42", "o1"), done=True)
    call = Item(id="f1", type="function_call", call_id="c1", name="sum", arguments="{}")
    conversation.added(call, done=True)
    assert [(use.output, use.status) for use in conversation.tool_uses] == [
        ("42", Status.COMPLETED)
    ]


def test_a_deleted_item_leaves_the_order_of_the_others() -> None:
    conversation = Conversation()
    for item_id, previous in (("a", None), ("b", "a"), ("c", "b")):
        conversation.added(typed_message("user", item_id, item_id), previous)
    conversation.deleted("b")
    conversation.deleted("never seen")
    assert [turn.text for turn in conversation.turns] == ["a", "c"]


def test_a_piece_after_the_whole_changes_nothing() -> None:
    conversation = Conversation()
    conversation.grow("a", 0, "Hel")
    conversation.tell("a", 0, "Hello.")
    conversation.grow("a", 0, "lo.")
    assert conversation.turns[0].text == "Hello."


def test_an_answer_is_cut_by_its_sound_where_that_is_known() -> None:
    conversation = Conversation()
    conversation.tell("a", 0, "one two three four")
    conversation.sounded("a", 1000)
    conversation.truncated("a", 500)
    conversation.truncated("a", 900)  # heard no more than was heard before
    assert conversation.turns[0].text == "one two"
    assert conversation.turns[0].full_text == "one two three four"


def test_nothing_heard_is_the_empty_text_and_nothing_known_is_none() -> None:
    conversation = Conversation()
    conversation.tell("a", 0, "unheard")
    conversation.truncated("a", 0)
    conversation.hold_place("u", "a")
    assert [turn.text for turn in conversation.turns] == ["", None]


def test_versions_tell_what_changed() -> None:
    conversation = Conversation()
    conversation.tell("a", 0, "first")
    conversation.tell("b", 0, "second")
    before = {turn.key: turn.version for turn in conversation.turns}
    conversation.grow("c", 0, "third")
    conversation.truncated("b", 10)
    changed = {t.key for t in conversation.turns if t.version != before.get(t.key)}
    assert changed == {"b", "c"}


@given(st.text(alphabet="ab \n", max_size=30), st.integers(0, 40))
def test_a_cut_keeps_whole_words_from_the_beginning(words: str, limit: int) -> None:
    kept = whole_words(words, limit)
    assert words.startswith(kept)
    assert len(kept) <= max(limit, 0) or kept == words
    assert words.split()[: len(kept.split())] == kept.split()


def test_the_pace_is_that_of_the_answers_that_were_heard() -> None:
    pace = Pace()
    typical = pace.rate
    pace.measure("x" * 20, 900)  # too short to tell
    pace.measure("x" * 20, 100_000)  # a clock that stood still
    assert pace.rate == typical
    pace.measure("x" * 100, 10_000)
    pace.measure("x" * 80, 2_000)
    assert pace.rate == 180 / 12_000
    assert pace.characters(1000) == 15
    assert pace.milliseconds("x" * 15) == 1000


def test_an_item_that_was_refused_is_not_taken_for_its_repetition() -> None:
    conversation = Conversation()
    key = conversation.sent(typed_message("user", "Again."), None)
    conversation.refuse(key)
    conversation.sent(typed_message("user", "Again."), None)
    conversation.added(typed_message("user", "Again.", "i2"), done=True)
    statuses = [(turn.item_id, turn.status) for turn in conversation.turns]
    assert statuses == [(None, Status.FAILED), ("i2", Status.COMPLETED)]


def test_an_item_made_anew_after_it_was_deleted_is_seen() -> None:
    conversation = Conversation()
    conversation.sent(typed_message("user", "First.", "i1"), None)
    conversation.deleted("i1")
    conversation.sent(typed_message("user", "Second.", "i1"), None)
    assert [turn.text for turn in conversation.turns] == ["Second."]


def test_the_parts_of_a_message_do_not_run_together() -> None:
    conversation = Conversation()
    conversation.tell("a", 0, "look at")
    conversation.tell("a", 1, "this")
    conversation.tell("a", 2, " now")
    assert conversation.turns[0].text == "look at this now"
