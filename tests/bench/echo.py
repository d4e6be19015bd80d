"""How long does sound take from the microphone to the service and back to the page?

The service gives back what it hears (its scenario `echo`). The microphone beeps; each beep's beginning is
looked for in the page's microphone and in the page's reply, by the same meter.
"""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from playwright.async_api import Playwright
from tests.bench import sites
from tests.bench.browsers import Visited, browser, stubbornly, visit
from tests.bench.calls import Loudness
from tests.bench.rows import Samples, percentile
from tests.bench.sites import heard, served
from tests.voices import OUTPUT_RATE, silence, write_wav

MEASURES = ("echo_round_trip",)

_BEEPS: Final = 6
_EVERY_MS: Final = 350
_BEFORE_MS: Final = 2000
"""Silence until the first beep: by then both directions must be live and the jitter buffer settled."""

_AUDIBLE: Final = 0.02
_QUIET_MS: Final = 150
"""A beginning is sound after so much silence."""


async def measure(
    playwright: Playwright, service: str, folder: Path, runs: int
) -> dict[str, Samples]:
    """Beep through our page and through the twin, in turns, at a service that gives back the sound."""
    beep = (np.sin(np.arange(OUTPUT_RATE // 25) * 2 * np.pi * 700 / OUTPUT_RATE) * 12_000).astype(
        np.int16
    )
    one = np.concatenate((beep, silence(_EVERY_MS - 40)))
    recording = write_wav(
        folder / "beeps.wav",
        np.tile(one, _BEEPS),
        lead_silence_ms=_BEFORE_MS,
        tail_silence_ms=2000,
    )
    medians: dict[str, list[float]] = {"ours": [], "twin": []}
    every: list[float] = []
    pages = {"ours": heard(sites.ours()), "twin": heard(sites.twin())}
    async with served(pages, service) as there, browser(playwright, recording) as chromium:
        open_pages = {
            name: await visit(await chromium.new_context(), site, "call", listen=True)
            for name, site in there.items()
        }
        for _ in range(runs):
            for name, visited in open_pages.items():
                trips = await stubbornly(partial(_beep, visited))
                medians[name].append(statistics.median(trips))
                every += trips if name == "ours" else []
    return {
        "echo_round_trip": Samples(medians["ours"], medians["twin"], p99=percentile(every, 0.99))
    }


async def _beep(visited: Visited) -> list[float]:
    await visited.page.bring_to_front()
    await visited.talk()
    last = _BEFORE_MS + _BEEPS * _EVERY_MS
    await visited.page.wait_for_timeout(last)
    loudness = await visited.probe("loudness")
    await visited.stop()
    trips = round_trips(loudness["microphone"], loudness["reply"])
    if len(trips) < _BEEPS // 2:
        raise AssertionError(f"only {len(trips)} of {_BEEPS} beeps came back")
    return trips


def round_trips(microphone: Loudness, reply: Loudness) -> list[float]:
    """For each beep that came back, the milliseconds that it took."""
    returned = beginnings(reply)
    trips = []
    for sent in beginnings(microphone):
        back = next((at for at in returned if sent < at < sent + _EVERY_MS), None)
        if back is not None:
            trips.append(back - sent)
    return trips


def beginnings(loudness: Loudness) -> list[float]:
    """When sound began after silence."""
    found: list[float] = []
    last = 0.0
    for at, rms in loudness:
        if rms > _AUDIBLE:
            if at - last > _QUIET_MS:
                found.append(at)
            last = at
    return found
