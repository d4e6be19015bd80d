"""Where speech begins and ends, against scenes in which that is known to the millisecond."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests import voices

from voicepilot.emulator.hearing import (
    INPUT_RATE,
    Hearing,
    SpeechBegan,
    SpeechEnded,
    TurnDetection,
    adaptive_pause_ms,
)

SENTENCES = (
    "What is the weather like in Paris tomorrow?",
    "Please count to twenty.",
    "The quick brown fox jumps over the lazy dog.",
    "What is twelve times seven?",
    "Stop.",
    "Repeat after me.",
    "What time is it?",
    "Yes.",
)
SERVER = TurnDetection("server_vad")
BARE = replace(SERVER, prefix_padding_ms=0)


@dataclass(frozen=True)
class Scene:
    """Sentences 1.2 s apart, and when each of them begins and ends, in ms."""

    samples: NDArray[np.float32]
    spoken: tuple[tuple[float, float], ...]

    def with_noise(self, snr_db: float) -> NDArray[np.float32]:
        speech = np.concatenate(
            [self.samples[int(begin * 16) : int(end * 16)] for begin, end in self.spoken]
        )
        level = np.sqrt(np.mean(speech**2) / 10 ** (snr_db / 10))
        noise = np.random.default_rng(1).standard_normal(len(self.samples)) * level
        return (self.samples + noise).astype(np.float32)

    def with_clicks(self) -> NDArray[np.float32]:
        """Key strokes of 3 to 12 ms, nearly three in a second, as loud as the speech."""
        random = np.random.default_rng(2)
        samples = self.samples.copy()
        for at_ms in range(300, len(samples) // 16 - 300, 370):
            length = int(16 * random.uniform(3, 12))
            click = random.standard_normal(length) * np.exp(-4 * np.arange(length) / length) * 0.5
            samples[at_ms * 16 : at_ms * 16 + length] += click.astype(np.float32)
        return samples


@functools.cache
def scene() -> Scene:
    parts, spoken, position = [voices.silence(1200)], [], 1200.0
    for text in SENTENCES:
        sound = voices.sentence(text)
        loud = np.flatnonzero(np.abs(sound) > 300)
        spoken.append((position + loud[0] / 24, position + loud[-1] / 24))
        parts += [sound, voices.silence(1200)]
        position += len(sound) / 24 + 1200
    return Scene(voices.at_16_khz(np.concatenate(parts)), tuple(spoken))


def heard(
    samples: NDArray[np.float32], detection: TurnDetection, chunk: int = 320
) -> list[tuple[SpeechBegan | SpeechEnded, int]]:
    """Every event, and where the stream stood when it came."""
    hearing = Hearing(detection)
    events = []
    for start in range(0, len(samples), chunk):
        events += [
            (event, hearing.position_ms) for event in hearing.feed(samples[start : start + chunk])
        ]
    return events


@pytest.mark.parametrize("sound", ["clean", "noise at 10 dB", "clicks", "quiet"])
def test_each_sentence_is_found_where_it_is(sound: str) -> None:
    known = scene()
    samples = {
        "clean": lambda: known.samples,
        "noise at 10 dB": lambda: known.with_noise(10),
        "clicks": known.with_clicks,
        "quiet": lambda: (known.samples * 0.05).astype(np.float32),
    }[sound]()
    events = heard(samples, BARE)
    began = [(event.at_ms, seen) for event, seen in events if isinstance(event, SpeechBegan)]
    ended = [(event.at_ms, seen) for event, seen in events if isinstance(event, SpeechEnded)]
    assert len(began) == len(ended) == len(known.spoken)
    for (at_ms, seen), (true_ms, _) in zip(began, known.spoken, strict=True):
        assert abs(at_ms - true_ms) <= 160
        assert seen - true_ms <= 260
    for (at_ms, seen), (_, true_ms) in zip(ended, known.spoken, strict=True):
        assert abs(at_ms - true_ms) <= 150
        assert 100 <= seen - true_ms <= 400


@pytest.mark.parametrize("level", [0.003, 0.03, 0.3])
def test_noise_alone_is_not_speech(level: float) -> None:
    noise = np.random.default_rng(3).standard_normal(10 * INPUT_RATE) * level
    assert heard(noise.astype(np.float32), SERVER) == []


def test_clicks_alone_are_not_speech() -> None:
    empty = Scene(np.zeros(10 * INPUT_RATE, np.float32), ())
    assert heard(empty.with_clicks(), SERVER) == []


@pytest.mark.parametrize("chunk", [1, 160, 511, 4096, 10**6])
def test_the_cut_into_chunks_changes_nothing(chunk: int) -> None:
    samples = scene().samples[: 6 * INPUT_RATE]
    assert [event for event, _ in heard(samples, SERVER, chunk)] == [
        event for event, _ in heard(samples, SERVER)
    ]


def test_the_prefix_is_taken_off_but_never_into_the_turn_before() -> None:
    bare = heard(scene().samples, BARE)
    padded = heard(scene().samples, replace(SERVER, prefix_padding_ms=5000))
    assert padded[0][0] == SpeechBegan(0)
    for (_, _), (ended, _), (began, _) in zip(
        padded[0::2], padded[1::2], padded[2::2], strict=False
    ):
        assert began.at_ms == ended.at_ms
    usual = heard(scene().samples, SERVER)
    assert [event.at_ms - 300 for event, _ in bare[0::2]] == [
        event.at_ms for event, _ in usual[0::2]
    ]


def test_a_longer_silence_duration_joins_sentences() -> None:
    joined = heard(scene().samples, replace(SERVER, silence_duration_ms=1600))
    assert [type(event) for event, _ in joined] == [SpeechBegan]


def test_a_new_configuration_keeps_the_stream() -> None:
    samples = scene().samples
    hearing = Hearing(replace(BARE, threshold=1.0))
    half = len(samples) // 2
    assert hearing.feed(samples[:half]) == []
    hearing.configure(BARE)
    events = hearing.feed(samples[half:])
    assert hearing.position_ms == len(samples) * 1000 // INPUT_RATE
    ends = [event.at_ms for event in events if isinstance(event, SpeechEnded)]
    assert ends[-1] == pytest.approx(scene().spoken[-1][1], abs=150)


def test_semantic_detection_waits_longer_for_a_sentence_broken_off() -> None:
    (begin, end), *_ = scene().spoken
    whole = scene().samples[: int((end + 1) * 16)]
    broken = scene().samples[: int((begin + 0.6 * (end - begin)) * 16)]
    waits = []
    for spoken in (whole, broken):
        padded = np.concatenate((spoken, np.zeros(5 * INPUT_RATE, np.float32)))
        events = heard(padded, TurnDetection("semantic_vad"))
        assert [type(event) for event, _ in events] == [SpeechBegan, SpeechEnded]
        waits.append(events[-1][1] - len(spoken) / 16)
    assert 500 <= waits[0] <= 1000
    assert waits[1] >= 1.4 * waits[0]


@given(
    st.sampled_from(["low", "medium", "high", "auto"]),
    st.floats(-60, 100),
    st.integers(0, 20_000),
)
def test_the_adaptive_pause_stays_within_its_limits(
    eagerness: str, trailing_db: float, gap_ms: int
) -> None:
    pause = adaptive_pause_ms(eagerness, trailing_db=trailing_db, longest_gap_ms=gap_ms)
    longest = {"low": 8000, "medium": 4000, "high": 2000, "auto": 4000}[eagerness]
    assert longest // 10 <= pause <= longest
    assert pause >= adaptive_pause_ms(eagerness, trailing_db=trailing_db + 1, longest_gap_ms=0)
    assert pause >= min(gap_ms, longest)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "none"},
        {"threshold": 1.5},
        {"prefix_padding_ms": -1},
        {"silence_duration_ms": -1},
        {"eagerness": "eager"},
    ],
)
def test_impossible_rules_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        TurnDetection(**({"kind": "server_vad"} | wrong))


def test_stereo_is_refused_and_changes_nothing() -> None:
    hearing = Hearing(SERVER)
    with pytest.raises(ValueError, match="mono"):
        hearing.feed(np.zeros((2, 512), np.float32))
    assert hearing.position_ms == 0


def test_hearing_is_cheap_enough_for_the_event_loop() -> None:
    hearing = Hearing(SERVER)
    begin = time.thread_time()
    for start in range(0, 10 * INPUT_RATE, 320):
        hearing.feed(scene().samples[start : start + 320])
    assert (time.thread_time() - begin) / 10 < 0.02
