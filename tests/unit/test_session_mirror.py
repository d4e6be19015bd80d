"""Who hears the inputs of pages sees the call of the one that talks, as that page has it."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from voicepilot.session.feed import Entry, decode
from voicepilot.session.mirror import MOST_PAGES, CallMirror

from .test_session_feed import Fed, Page, state
from .test_session_properties import USUAL, World


def entries(page: Page) -> list[Entry]:
    return [decode(json.loads(line)) for line in page.feed]


@settings(max_examples=USUAL, deadline=None)
@given(st.data())
def test_a_mirror_is_the_same_as_its_source_however_its_inputs_come(data: st.DataObject) -> None:
    page, world, mirror = Page(), World(), CallMirror()
    page.tell(0.0, "talk")
    page.tell(0.0, "microphone_opened", 1)
    page.tell(0.0, "answered", 1, "rtc")
    page.tell(0.0, "channel_opened", 1)
    world.call = Fed(page)  # type: ignore[assignment]
    heard = 0
    for _ in range(data.draw(st.integers(1, 40), "steps")):
        world.take(data.draw(st.sampled_from(world.steps())))
        if data.draw(st.booleans(), "a batch comes"):
            again = data.draw(st.integers(0, heard), "of them heard before")
            sent = entries(page)[heard - again :]
            new = [answer for _, answer in mirror.take("p", heard - again + 1, sent)]
            assert new == page.answers[heard:]
            heard = len(page.feed)
            # The order of the conversation is kept from one drawing to the next: draw both.
            assert len(mirror.call.conversation.entries) == len(page.call.conversation.entries)
            assert state(mirror.call) == state(page.call)
    list(mirror.take("p", heard + 1, entries(page)[heard:]))
    assert mirror.call.phase is page.call.phase
    assert mirror.complete


def test_the_page_that_talks_is_shown_and_one_that_was_only_opened_is_not() -> None:
    mirror = CallMirror()
    assert mirror.complete and not mirror.call.under_way
    list(mirror.take("a", 1, [Entry(1.0, "talk", ())]))
    list(mirror.take("b", 1, [Entry(1.0, "expect_transport", ("webrtc",))]))
    assert mirror.shown == "a" and mirror.call.under_way
    list(mirror.take("b", 2, [Entry(2.0, "talk", ()), Entry(2.0, "mute", (True,))]))
    assert mirror.shown == "b" and mirror.call.muted
    list(mirror.take("a", 2, [Entry(3.0, "stop", ())]))
    assert mirror.call.under_way


def test_a_page_with_a_hole_is_not_shown_as_if_it_were_whole() -> None:
    mirror = CallMirror()
    list(mirror.take("a", 1, [Entry(1.0, "talk", ())]))
    assert list(mirror.take("a", 3, [Entry(1.0, "stop", ())])) == [(Entry(1.0, "stop", ()), [])]
    assert not mirror.complete and not mirror.call.under_way
    assert mirror.last("a") == 3
    list(mirror.take("b", 1, [Entry(1.0, "talk", ())]))
    assert mirror.complete


def test_an_input_that_its_core_took_and_ours_refuses_is_a_hole() -> None:
    mirror = CallMirror()
    list(mirror.take("a", 1, [Entry(1.0, "talk", ()), Entry(1.0, "say", ("Hello.",))]))
    assert not mirror.complete


def test_pages_that_are_not_shown_are_forgotten_in_the_end() -> None:
    mirror = CallMirror()
    list(mirror.take("a", 1, [Entry(1.0, "talk", ())]))
    for number in range(MOST_PAGES + 2):
        list(mirror.take(f"p{number}", 1, [Entry(1.0, "mute", (True,))]))
    assert mirror.of("p0") is None and mirror.last("p0") == 0
    assert mirror.of(f"p{MOST_PAGES + 1}") is not None
    assert mirror.call.under_way
