"""What does an event of the data channel cost in the page?

In a live call the page's own listener is given a synthetic stream of a realistic call, a few events a
frame. An event's cost is the time in that listener and its share of the drawing that follows.
"""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Playwright
from tests.bench import sites
from tests.bench.browsers import Visited, browser, stubbornly, visit
from tests.bench.rows import Samples, percentile
from tests.bench.sites import Site, served
from tests.bench.stream import events
from tests.voices import silence, write_wav

MEASURES = ("event_p50_us", "event_p99_us", "event_first100_us")

FIRST: Final = 100
_WARM_UP: Final = 300
_MEASURED: Final = 800
_IN_FRAME: Final = 5
"""At 60 frames a second that is 300 events a second, more than the service sends while it speaks."""

BURST: Final = 5000


async def measure(
    playwright: Playwright, service: str, folder: Path, runs: int
) -> dict[str, Samples]:
    """Play the stream to our page and to the twin, in turns, each time to a page just loaded."""
    texts = events(FIRST + _WARM_UP + _MEASURED)
    costs: dict[str, list[list[float]]] = {"ours": [], "twin": []}
    rates: list[float] = []
    pages = {"ours": sites.ours(), "twin": sites.twin()}
    quiet = still(folder)
    async with served(pages, service) as there, browser(playwright, quiet) as chromium:
        for _ in range(runs):
            for name, site in there.items():
                spent, rate = await stubbornly(partial(_play, chromium, site, texts))
                costs[name].append(spent)
                rates += [rate] if name == "ours" else []
    return {
        "event_p50_us": _compared(costs, lambda spent: percentile(warm(spent), 0.5)),
        "event_p99_us": Samples(
            *(
                [percentile(warm(spent), 0.99) for spent in costs[name]]
                for name in ("ours", "twin")
            ),
            p99=percentile([cost for spent in costs["ours"] for cost in warm(spent)], 0.99),
            note=f"A burst of {BURST} events: {statistics.median(rates):,.0f} a second.",
        ),
        "event_first100_us": _compared(costs, lambda spent: statistics.fmean(spent[:FIRST])),
    }


def _compared(costs: dict[str, list[list[float]]], value: Any) -> Samples:
    return Samples(*([value(spent) for spent in costs[name]] for name in ("ours", "twin")))


def warm(spent: list[float]) -> list[float]:
    """The costs after the first hundred and the warming up."""
    return spent[FIRST + _WARM_UP :]


def still(folder: Path) -> Path:
    """A microphone in which nobody speaks."""
    return write_wav(folder / "still.wav", silence(1000))


async def _play(chromium: Any, site: Site, texts: list[str]) -> tuple[list[float], float]:
    context = await chromium.new_context()
    try:
        visited = await visit(context, site, "events")
        await visited.talk()
        spent = await visited.probe(f"play(given[0], {_IN_FRAME})", texts)
        rate = await burst(visited, events(BURST))
        await visited.stop()
        return spent, rate
    finally:
        await context.close()


async def burst(visited: Visited, texts: list[str]) -> float:
    """Give the page all of these at once, then let it draw; returns events a second."""
    spent = await visited.probe("play(given[0], given[0].length)", texts)
    return len(texts) / (sum(spent) / 1e6)
