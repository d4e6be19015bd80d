"""Whisper on hibari's voice: words right, silence silent, no ghosts and no repeats."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import pytest
from tests import voices

from voicepilot.emulator import recognition
from voicepilot.emulator.recognition import (
    ModelDamagedError,
    Recogniser,
    without_repeats,
)

SENTENCES = (
    "What is the weather like in Paris tomorrow?",
    "The quick brown fox jumps over the lazy dog.",
    "List the files in this folder.",
    "Repeat after me, the sun is shining.",
    "Spell the word banana.",
    "What time is it?",
    "Stop.",
    "Tell me a story about a small brave girl who lived near the sea.",
    "I would like to know what you can do without a connection.",
)
SECOND = 16_000


@functools.cache
def recogniser() -> Recogniser:
    return Recogniser()


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def _errors(said: list[str], written: list[str]) -> int:
    """Words inserted, left out or replaced (edit distance)."""
    row = list(range(len(written) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(written, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def _spoken(text: str, speed: float = 1.0) -> np.ndarray:
    return voices.at_16_khz(np.concatenate((voices.silence(300), voices.sentence(text, speed))))


def test_at_most_one_word_in_twenty_is_wrong() -> None:
    errors = words = 0
    for text in SENTENCES:
        errors += _errors(_words(text), _words(recogniser().transcribe(_spoken(text))))
        words += len(_words(text))
    assert errors / words <= 0.05


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.75, 1.25, 1.5])
def test_every_speed_can_be_understood(speed: float) -> None:
    text = "What is the weather like in Paris tomorrow?"
    written = recogniser().transcribe(_spoken(text, speed))
    assert _errors(_words(text), _words(written)) <= 1


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("What is twelve times seven?", r"what is (12|twelve) times (7|seven)"),
        ("What's two plus two?", r"what's (2|two) plus (2|two)"),
        ("Count to one hundred.", r"count to (100|one hundred)"),
        ("Read the file notes dot text.", r"read the file notes ?(\.|dot )te?xt"),
    ],
)
def test_what_the_mind_must_read(said: str, written: str) -> None:
    assert re.match(written, recogniser().transcribe(_spoken(said)).lower())


def test_nobody_speaks_nothing_is_written() -> None:
    random = np.random.default_rng(5)
    noise = random.standard_normal(3 * SECOND)
    hum = np.sin(2 * np.pi * 50 * np.arange(3 * SECOND) / SECOND)
    clicks = np.where(np.arange(3 * SECOND) % 6000 < 100, noise * 0.5, 0)
    brown = np.cumsum(noise)
    brown = brown - np.linspace(brown[0], brown[-1], len(brown))
    for sound in (
        np.zeros(0),
        np.zeros(100),
        np.zeros(3 * SECOND),
        noise * 0.001,
        noise * 0.03,
        noise * 0.3,
        hum * 0.3,
        clicks,
        brown / np.abs(brown).max() * 0.5,
    ):
        assert recogniser().transcribe(sound.astype(np.float32)) == ""


def test_long_audio_is_recognised_to_its_end() -> None:
    many = SENTENCES * 2
    samples = np.concatenate([_spoken(text) for text in many])
    assert len(samples) > 35 * SECOND
    said = [word for text in many for word in _words(text)]
    assert _errors(said, _words(recogniser().transcribe(samples))) / len(said) <= 0.08


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("What time is it? What time is", "What time is it?"),
        (
            "Read the file notes.md Read the file notes.md Read the file no",
            "Read the file notes.md",
        ),
        ("What is it now? What is it now? What is it now?", "What is it now?"),
        ("No, no.", "No, no."),
        ("Row, row, row your boat.", "Row, row, row your boat."),
        ("I saw the cat and I", "I saw the cat and I"),
        ("Please do it now. Please do it now. Then stop.",) * 2,
        ("", ""),
    ],
)
def test_only_what_says_it_all_again_is_cut(text: str, kept: str) -> None:
    assert without_repeats(text) == kept


def test_a_model_that_was_changed_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "model.bin"
    changed.write_bytes(b"not the model")
    with pytest.raises(ModelDamagedError, match="Install the package"):
        recognition._check(changed)


def test_what_the_mind_spells_can_be_understood() -> None:
    written = recogniser().transcribe(_spoken("B. A. N. A. N. A."))
    assert "".join(_words(written)) == "banana"
