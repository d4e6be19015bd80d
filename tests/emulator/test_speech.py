"""Hibari's voice: nothing lost between pieces, an early first sound, speed, pauses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import voices

from voicepilot.emulator.speech import OUTPUT_RATE, pieces
from voicepilot.emulator.tempo import hastened

QUESTION = "What is the capital of France, and how far is it from Berlin?"
COUNT = ", ".join(str(number) for number in range(1, 101)) + "."


def _seconds(samples: np.ndarray) -> float:
    """How long it sounds, the silence at both ends left out."""
    loud = np.flatnonzero(np.abs(samples) > 600)
    return float(loud[-1] - loud[0]) / OUTPUT_RATE


@pytest.mark.parametrize(
    "text",
    [
        "Hello there. How are you today?",
        'Dr. Smith paid 3.5 dollars…  "Really?" he said.\n\nThen he left',
        "  white space around  ",
        COUNT,
        "",
        "\n",
        "日本 😀!",
    ],
)
def test_the_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(piece.text for piece in voices.voice().speak(text)) == text


@given(st.lists(st.text(alphabet="ab ,;.\n", min_size=1).filter(str.strip), max_size=5))
def test_cutting_loses_no_character(sentences: list[str]) -> None:
    stripped = [sentence.strip() for sentence in sentences]
    text = " ".join(stripped)
    cut = list(pieces(text, stripped))
    assert "".join(cut) == text
    assert all(cut)


def test_sound_begins_at_once_and_pauses_are_a_breath() -> None:
    first, second = voices.voice().speak("Hello there. How are you today?")
    for piece in (first, second):
        loud = np.flatnonzero(np.abs(piece.samples) > 600)
        lead_ms = loud[0] / 24
        pause_ms = (len(piece.samples) - loud[-1]) / 24
        assert lead_ms < 60
        assert 150 <= pause_ms <= 280
        assert np.abs(piece.samples).max() > 8000


def test_a_long_sentence_comes_in_pieces_and_the_first_is_short() -> None:
    spoken = list(voices.voice().speak(COUNT))
    assert len(spoken) >= 4
    assert len(spoken[0].text) <= 50
    assert all(len(piece.text) <= 120 for piece in spoken)
    assert sum(len(piece.samples) for piece in spoken) > 30 * OUTPUT_RATE


def test_the_same_words_sound_the_same() -> None:
    assert np.array_equal(voices.sentence("Hello there."), voices.sentence("Hello there."))


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 1.25, 1.5])
def test_speed_changes_the_duration_by_its_ratio(speed: float) -> None:
    ratio = _seconds(voices.sentence(QUESTION)) / _seconds(voices.sentence(QUESTION, speed))
    assert ratio == pytest.approx(speed, rel=0.12)


def test_hastening_keeps_the_pitch() -> None:
    rate = 24_000
    tone = np.sin(2 * np.pi * 220 * np.arange(rate) / rate).astype(np.float32)
    fast = hastened(tone, 1.25, rate)
    assert len(fast) / rate == pytest.approx(0.8, abs=0.04)
    middle = fast[4800:14400]
    loudest = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle)))))
    assert loudest * rate / len(middle) == pytest.approx(220, abs=5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(0.5), rel=0.1)


@pytest.mark.parametrize("length", [0, 1, 100, 959, 961])
def test_hastening_takes_sounds_of_any_length(length: int) -> None:
    assert len(hastened(np.zeros(length, np.float32), 1.2, 24_000)) <= length + 960


@pytest.mark.parametrize("speed", [0.2, 1.6, -1.0, float("nan")])
def test_other_speeds_are_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must lie between"):
        voices.voice().speak("Hello.", speed)


def test_what_has_no_sound_gives_no_samples() -> None:
    (piece,) = voices.voice().speak("😀")
    assert piece.text == "😀"
    assert len(piece.samples) == 0
