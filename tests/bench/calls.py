"""How long does a spoken call take at each of its turns?

Each run is a first call of a page that was just loaded: Talk, a question, an answer that is interrupted
by voice, Stop. The microphone is a recording that begins when it opens; what is measured from is where
its sound ends *in the page*, so that no delay of the recording counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from playwright.async_api import Playwright
from tests.bench import sites
from tests.bench.browsers import browser, stubbornly, visit
from tests.bench.rows import Samples
from tests.bench.sites import Site, heard, served
from tests.voices import sentence, silence, up_to_last_sound, write_wav

MEASURES = ("connect", "reply", "barge_in", "mic_release")

AUDIBLE: Final = 0.01
"""Root mean square of 5 ms in which somebody speaks; full scale is 1."""

_BEFORE_MS: Final = 1800
"""The microphone's silence until the question: by then the call must be live."""

_ANSWER_MS: Final = 2400
"""From the end of the question to the interruption: the answer must have begun by then."""

_AFTER_MS: Final = 400
_PAUSE_MS: Final = 300
"""Between the words of an answer it is silent for less; who is not silenced is heard again by then."""

Loudness: TypeAlias = Sequence[tuple[float, float]]
"""(epoch milliseconds, root mean square), every 5 ms."""


async def measure(
    playwright: Playwright, service: str, folder: Path, runs: int
) -> dict[str, Samples]:
    """Hold spoken calls with our page and the twin, in turns."""
    question = up_to_last_sound(sentence("Count to forty."))
    interruption = up_to_last_sound(sentence("What is ten plus ten?"))
    spoken = np.concatenate((question, silence(_ANSWER_MS), interruption))
    recording = write_wav(
        folder / "question.wav", spoken, lead_silence_ms=_BEFORE_MS, tail_silence_ms=5000
    )
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    skipped = 0
    pages = {"ours": heard(sites.ours()), "twin": heard(sites.twin())}
    async with served(pages, service) as there, browser(playwright, recording) as chromium:
        for _ in range(runs):
            for name, site in there.items():
                call = await stubbornly(partial(_hold, chromium, site))
                for what, milliseconds in call.items():
                    if milliseconds is None:
                        skipped += 1
                    else:
                        found[what, name].append(milliseconds)
    if not found["barge_in", "ours"]:
        raise AssertionError("every interruption met a pause of the answer; run this again")
    note = (
        f"{skipped} interruptions met a pause of the answer and count for nothing."
        if skipped
        else ""
    )
    return {
        what: Samples(
            found[what, "ours"], found[what, "twin"], note=note if what == "barge_in" else ""
        )
        for what in MEASURES
    }


async def _hold(chromium: Any, site: Site) -> dict[str, float | None]:
    context = await chromium.new_context()
    try:
        visited = await visit(context, site, "call", listen=True)
        connected = await visited.talk()
        begun = 'probe.arrived["input_audio_buffer.speech_started"]'
        await visited.until(f"{begun}?.[1] + {_AFTER_MS} < probe.loudness.reply.at(-1)?.[0]")
        loudness = await visited.probe("loudness")
        interrupted = float(await visited.page.evaluate(f"() => {begun}[1]"))
        released = await visited.stop()
    finally:
        await context.close()
    asked = end_of_question(loudness["microphone"])
    return {
        "connect": connected,
        "reply": first_sound(loudness["reply"], asked) - asked,
        "barge_in": silent_after(loudness["reply"], interrupted),
        "mic_release": released,
    }


def end_of_question(microphone: Loudness) -> float:
    """When the first thing said ends: before the first second of silence."""
    audible = [at for at, rms in microphone if rms > AUDIBLE]
    for one, following in pairwise(audible):
        if following - one > 1000:
            return one
    raise AssertionError("the question and the interruption were not both heard in the page")


def first_sound(reply: Loudness, after: float) -> float:
    """When the reply begins after this time."""
    for at, rms in reply:
        if at > after and rms > AUDIBLE:
            return at
    raise AssertionError("no reply was heard in the page")


def silent_after(reply: Loudness, cause: float) -> float | None:
    """Milliseconds from `cause` to the last sound; None where it was silent at that moment anyway."""
    sounding = [at for at, rms in reply if rms > AUDIBLE and at < cause + _AFTER_MS]
    last = max(sounding, default=0.0)
    return max(0.0, last - cause) if last > cause - _PAUSE_MS else None
