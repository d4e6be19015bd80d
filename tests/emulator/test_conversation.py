"""The order of a conversation, and what of an answer was heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.emulator.conversation import Conversation, Item, Spoken, typed
from voicepilot.emulator.errors import Rejected


def spoken_item(item_id: str, *pieces: tuple[str, float]) -> Item:
    spoken = Spoken(list(pieces))
    content = [{"type": "output_audio", "transcript": spoken.text}]
    body = {"id": item_id, "type": "message", "role": "assistant", "content": content}
    return Item(body, spoken=spoken)


def user_item(item_id: str) -> Item:
    content = [{"type": "input_text", "text": "hello"}]
    return typed({"id": item_id, "type": "message", "role": "user", "content": content})


def test_items_are_put_at_the_end_at_the_start_or_behind_another() -> None:
    conversation = Conversation()
    assert conversation.insert(user_item("b")) is None
    assert conversation.insert(user_item("d")) == "b"
    assert conversation.insert(user_item("a"), after="root") is None
    assert conversation.insert(user_item("c"), after="b") == "b"
    assert [item.id for item in conversation] == ["a", "b", "c", "d"]
    assert conversation.last_id == "d"


def test_what_is_rejected_changes_nothing() -> None:
    conversation = Conversation()
    conversation.insert(user_item("a"))
    with pytest.raises(Rejected, match="already exists"):
        conversation.insert(user_item("a"))
    with pytest.raises(Rejected, match="does not exist"):
        conversation.insert(user_item("b"), after="nobody")
    with pytest.raises(Rejected, match="does not exist"):
        conversation.delete("b")
    assert [item.id for item in conversation] == ["a"]


def test_an_answer_is_cut_to_the_words_that_were_heard() -> None:
    conversation = Conversation()
    conversation.insert(spoken_item("a", ("One two. ", 1000), ("Three four five six.", 2000)))
    item = conversation.truncate("a", 2000)
    assert item.body["content"] == [{"type": "output_audio", "transcript": "One two. Three four"}]
    assert item.spoken is not None
    assert item.spoken.duration_ms == 2000
    with pytest.raises(Rejected) as longer:
        conversation.truncate("a", 2001)
    assert "already shorter" in longer.value.message


def test_only_what_was_spoken_can_be_cut() -> None:
    conversation = Conversation()
    conversation.insert(user_item("a"))
    with pytest.raises(Rejected) as caught:
        conversation.truncate("a", 0)
    assert caught.value.code == "unsupported_content_type"


@given(
    st.lists(st.tuples(st.text("ab ,.", max_size=20), st.floats(0, 5000)), max_size=6),
    st.floats(0, 40_000),
)
def test_what_was_heard_is_a_beginning_of_what_was_said(
    pieces: list[tuple[str, float]], until: float
) -> None:
    spoken = Spoken(pieces)
    heard = spoken.heard(until)
    assert spoken.text.startswith(heard.text)
    assert heard.duration_ms <= until + 0.51
    assert spoken.heard(spoken.duration_ms + 1).text == spoken.text
