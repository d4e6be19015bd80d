"""When a request is repeated: the rules of `retries`, for any trouble at any time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.backend.azure.retries import Retries, Trouble

RETRIES = Retries()
CHANCE = st.floats(0, 1, exclude_max=True)
WAITS = st.none() | st.floats(0, 120)
ANSWERS = st.builds(Trouble, st.integers(300, 599), WAITS)
SILENCES = st.builds(Trouble, may_have_acted=st.booleans())
TROUBLES = ANSWERS | SILENCES


@given(TROUBLES, st.integers(1, 20), st.floats(0, 60), CHANCE, st.booleans())
def test_nobody_waits_longer_than_ten_seconds(trouble, tries, spent, chance, harmless) -> None:
    pause = RETRIES.pause(trouble, tries, spent, chance, harmless=harmless)
    if pause is not None:
        assert pause >= 0
        assert spent + pause < 10
        assert tries <= RETRIES.most


@given(TROUBLES, st.lists(CHANCE, min_size=20, max_size=20), st.floats(0, 5), st.booleans())
def test_a_story_of_tries_ends_in_time(trouble, chances, each_takes, harmless) -> None:
    spent, tries = each_takes, 1
    while (
        pause := RETRIES.pause(trouble, tries, spent, chances[tries], harmless=harmless)
    ) is not None:
        spent += pause + each_takes
        tries += 1
    assert spent < 10 + each_takes
    assert tries <= RETRIES.most + 1


@given(
    st.integers(300, 599).filter(lambda status: status not in (429, 500, 502, 503, 504)),
    WAITS,
    CHANCE,
)
def test_what_would_be_answered_alike_is_final(status, wait, chance) -> None:
    assert RETRIES.pause(Trouble(status, wait), 1, 0.0, chance, harmless=True) is None


@given(st.sampled_from((429, 500, 502, 503, 504)), st.floats(0, 9.9), CHANCE, st.booleans())
def test_the_service_says_how_long(status, wait, chance, harmless) -> None:
    assert RETRIES.pause(Trouble(status, wait), 1, 0.0, chance, harmless=harmless) == wait


@given(st.sampled_from((429, 503)), CHANCE)
def test_pauses_grow_and_chance_only_shortens_them(status, chance) -> None:
    for tries, longest in ((1, 0.4), (2, 0.8), (3, 1.6)):
        pause = RETRIES.pause(Trouble(status), tries, 0.0, chance, harmless=False)
        assert pause is not None
        assert longest / 2 <= pause <= longest
    assert RETRIES.pause(Trouble(status), 4, 0.0, chance, harmless=False) is None


@pytest.mark.parametrize(
    ("may_have_acted", "harmless", "again"),
    [(False, False, True), (False, True, True), (True, True, True), (True, False, False)],
)
def test_what_may_have_happened_is_done_twice_only_where_that_does_no_harm(
    may_have_acted, harmless, again
) -> None:
    trouble = Trouble(may_have_acted=may_have_acted)
    assert (RETRIES.pause(trouble, 1, 0.0, 0.0, harmless=harmless) is not None) is again
