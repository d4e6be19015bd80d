"""How long until the page is ready, and how much comes over the wire?

Each run visits each page twice: first with a new browser profile, then with the same profile in a new
browser process, as on another day.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Playwright
from tests.bench import sites
from tests.bench.browsers import profile, stubbornly, visit
from tests.bench.machine import at_rest
from tests.bench.rows import Samples
from tests.bench.sites import Site, served

MEASURES = ("ready_cold", "ready_warm", "ready_cold_js", "ready_warm_js", "bytes_cold")


async def measure(playwright: Playwright, service: str, runs: int) -> dict[str, Samples]:
    """Measure the start of our page, of the twin and of stock Pyodide, in turns."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    pages = {"ours": sites.ours(), "twin": sites.twin(), "stock": sites.stock()}
    async with served(pages, service) as there:
        for _ in range(runs):
            for name, site in there.items():
                cold, warm, octets = await stubbornly(partial(_visit_twice, playwright, site))
                found["cold", name].append(cold)
                found["warm", name].append(warm)
                found["bytes", name].append(octets)

    def compared(what: str, baseline: str) -> Samples:
        return Samples(found[what, "ours"], found[what, baseline])

    return {
        "ready_cold": compared("cold", "stock"),
        "ready_warm": compared("warm", "stock"),
        "ready_cold_js": compared("cold", "twin"),
        "ready_warm_js": compared("warm", "twin"),
        "bytes_cold": compared("bytes", "stock"),
    }


async def _visit_twice(playwright: Playwright, site: Site) -> tuple[float, float, float]:
    with TemporaryDirectory(prefix="voicepilot-profile-", ignore_cleanup_errors=True) as folder:
        cold, octets = await _start(playwright, site, Path(folder))
        warm, _ = await _start(playwright, site, Path(folder))
    return cold, warm, octets


async def _start(playwright: Playwright, site: Site, folder: Path) -> tuple[float, float]:
    async with profile(playwright, folder) as context:
        await at_rest()
        visited = await visit(context, site, "boot")
        await visited.page.wait_for_load_state("networkidle")  # what comes after the start counts
        return visited.ready_ms, float(await visited.probe("bytes()"))
