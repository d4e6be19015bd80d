"""Each input of a page counts once, in order, and a latecomer hears what there was."""

from __future__ import annotations

import pytest

from voicepilot.backend.feed import MOST_PAGES, Feed
from voicepilot.bridge.messages import CallFeed, FeedTaken, MessageError
from voicepilot.session.feed import Entry, encode


class Ear:
    def __init__(self) -> None:
        self.words: list[str] = []

    def heard(self, page: str, entry: Entry) -> None:
        self.words.append(f"{page}:{entry.args[0]}")

    def missed(self, page: str) -> None:
        self.words.append(f"{page}:?")


def batch(first: int, *words: str, page: str = "p") -> CallFeed:
    entries = tuple(encode(Entry(1.0, "say", (word,))) for word in words)
    return CallFeed(page, first, entries)


def test_what_is_sent_again_counts_once() -> None:
    feed, ear = Feed(), Ear()
    assert not feed.wanted
    feed.listen(ear)
    assert feed.wanted
    assert feed.take(batch(1, "a", "b")) == FeedTaken(2)
    assert feed.take(batch(1, "a", "b", "c")) == FeedTaken(3)
    assert feed.take(batch(2, "b")) == FeedTaken(3)
    assert ear.words == ["p:a", "p:b", "p:c"]


def test_a_latecomer_hears_everything_and_leaves_when_it_likes() -> None:
    feed, early, late = Feed(), Ear(), Ear()
    feed.listen(early)
    feed.take(batch(1, "a"))
    feed.take(batch(1, "x", page="q"))
    leave = feed.listen(late)
    feed.take(batch(2, "b"))
    leave()
    feed.take(batch(3, "c"))
    assert late.words == ["p:a", "q:x", "p:b"]
    assert early.words == ["p:a", "q:x", "p:b", "p:c"]


def test_a_hole_is_told_to_those_here_and_to_those_who_come() -> None:
    feed, early, late = Feed(), Ear(), Ear()
    feed.listen(early)
    feed.take(batch(1, "a"))
    feed.take(batch(5, "e"))
    feed.listen(late)
    assert early.words == ["p:a", "p:?", "p:e"]
    assert late.words == ["p:?"]


def test_more_than_fits_is_not_kept_but_still_passed_on() -> None:
    feed, early, late = Feed(most_characters=200), Ear(), Ear()
    feed.listen(early)
    feed.take(batch(1, "a" * 100, "b" * 100, "c"))
    feed.listen(late)
    assert len(early.words) == 3
    assert late.words == ["p:?"]


def test_pages_long_silent_are_forgotten() -> None:
    feed, late = Feed(), Ear()
    for name in range(MOST_PAGES + 2):
        feed.take(batch(1, "a", page=str(name)))
    feed.listen(late)
    assert late.words == [f"{name}:a" for name in range(2, MOST_PAGES + 2)]


def test_a_batch_with_something_else_in_it_is_refused_whole() -> None:
    feed, ear = Feed(), Ear()
    feed.listen(ear)
    with pytest.raises(MessageError):
        feed.take(CallFeed("p", 1, (encode(Entry(1.0, "say", ("a",))), {"at": 1})))
    assert ear.words == []
