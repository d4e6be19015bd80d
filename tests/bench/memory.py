"""How much memory does a page hold after fifty calls, and how much of it did the calls leave?

Counted by the browser after collecting garbage: JavaScript's heap, the document's, and the buffers
outside of them, the memory of WebAssembly included.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.async_api import CDPSession, Playwright
from tests.bench import sites
from tests.bench.browsers import Visited, browser, visit
from tests.bench.events import still
from tests.bench.rows import Samples
from tests.bench.sites import served

MEASURES = ("page_memory_mb",)

CALLS: Final = 50


async def measure(
    playwright: Playwright, service: str, folder: Path, calls: int = CALLS
) -> dict[str, Samples]:
    """Call and stop, our page and the twin in turns."""
    after: dict[str, list[float]] = {"ours": [], "twin": []}
    pages = {"ours": sites.ours(), "twin": sites.twin()}
    async with served(pages, service) as there, browser(playwright, still(folder)) as chromium:
        open_pages: dict[str, tuple[Visited, CDPSession]] = {}
        for name, site in there.items():
            context = await chromium.new_context()
            visited = await visit(context, site, "call")
            open_pages[name] = visited, await context.new_cdp_session(visited.page)
        for number in range(1, calls + 1):
            for name, (visited, tools) in open_pages.items():
                await visited.page.bring_to_front()
                await visited.talk()
                await visited.stop()
                if number in (1, calls):
                    after[name].append(await _megabytes(visited, tools))
    growth = {name: values[-1] - values[0] for name, values in after.items()}
    note = (
        f"After the first call {after['ours'][0]:.1f} MB (twin {after['twin'][0]:.1f}); "
        f"{calls - 1} more calls left {growth['ours']:+.2f} MB (twin {growth['twin']:+.2f})."
    )
    return {"page_memory_mb": Samples(after["ours"][-1:], after["twin"][-1:], note=note)}


async def _megabytes(visited: Visited, tools: CDPSession) -> float:
    await visited.page.wait_for_timeout(500)  # until Python has collected what the call held
    # An object that another held is free only in the next round.
    for _ in range(2):
        await tools.send("HeapProfiler.collectGarbage")
    usage = await tools.send("Runtime.getHeapUsage")
    octets: float = sum(
        usage[part] for part in ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
    )
    # The heap's own figures leave out the memory of WebAssembly.
    return (octets + float(await visited.probe("machines()"))) / 1e6
