"""`python -m tests.bench [--json] [--runs N] [NAME...]`: measure, print, and without --json write docs."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from playwright.async_api import Playwright, async_playwright
from tests.bench import boot, calls, capacity, echo, events, memory
from tests.bench.machine import load
from tests.bench.report import Result, table, write
from tests.bench.rows import BY_NAME, MEASURES, Row, Samples
from tests.emulator.client import Bench
from tests.page.backends import KEY, ROOT, running

RUNS = 7


def main() -> int:
    """Measure what the command line names, everything if it names nothing."""
    parser = argparse.ArgumentParser(prog="build.py bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print only JSON; write no document")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each page (default: {RUNS})")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BY_NAME))
    options = parser.parse_args()
    for name in options.names:
        if name not in BY_NAME:
            parser.error(f"there is no measure {name!r}; choose from {', '.join(BY_NAME)}")
    if options.runs < 1:
        parser.error("--runs needs a number from 1 on")
    result = asyncio.run(measured(options.names or list(BY_NAME), options.runs))
    if options.json:
        print(json.dumps(result.to_json(), indent=1))
        return 0
    print(table(result))
    if not options.names:  # a part would replace the whole
        print(f"\nWritten: {write(result, ROOT / 'docs').relative_to(ROOT)}")
    return 0


async def measured(names: Sequence[str], runs: int) -> Result:
    """Run the measures that give these rows, one after the other."""
    before, began = load(), time.monotonic()
    found: dict[str, Samples] = {}
    with TemporaryDirectory(prefix="voicepilot-bench-") as scratch:
        folder = Path(scratch)
        async with service(folder) as address, async_playwright() as playwright:
            for stage, work in _stages(playwright, address, folder, runs).items():
                if wanted := set(stage).intersection(names):
                    print(f"measuring {', '.join(sorted(wanted))} ...", file=sys.stderr, flush=True)
                    found |= await work()
    rows = [Row(each, found[each.name]) for each in MEASURES if each.name in names]
    return Result(rows, before, load(), time.monotonic() - began)


def _stages(
    playwright: Playwright, address: str, folder: Path, runs: int
) -> dict[tuple[str, ...], Callable[[], Awaitable[dict[str, Samples]]]]:
    async def echoed() -> dict[str, Samples]:
        async with service(folder, "--scenario", "echo") as other:
            return await echo.measure(playwright, other, folder, runs)

    return {
        boot.MEASURES: lambda: boot.measure(playwright, address, runs),
        calls.MEASURES: lambda: calls.measure(playwright, address, folder, runs),
        echo.MEASURES: echoed,
        events.MEASURES: lambda: events.measure(playwright, address, folder, runs),
        memory.MEASURES: lambda: memory.measure(playwright, address, folder),
        capacity.MEASURES: lambda: capacity.measure(address),
    }


@asynccontextmanager
async def service(folder: Path, *options: str) -> AsyncIterator[str]:
    """An embedded service in a process of its own, its models loaded; gives its address."""
    command = ("emulator", "--port", "0", "--api-key", KEY, *options)
    async with running(*command, folder=folder) as program:
        address = await program.says(r"http://\S+")
        if not options:
            async with aiohttp.ClientSession() as http:
                client = await Bench(address, http, KEY).call()
                client.send("response.create")
                await client.wait("response.done", within=60)
                await client.close()
        yield address


if __name__ == "__main__":
    sys.exit(main())
