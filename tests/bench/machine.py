"""On which machine was this measured, and how busy was it?"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from pathlib import Path


def load() -> float | None:
    """How many processes wanted to run in the last minute; None where the system does not count."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


async def at_rest(within: float = 5.0) -> None:
    """Return once less than 0.4 of the processors was busy for a tenth of a second, or after so many seconds.

    A browser that has just started goes on starting for half a second, on all processors.
    """
    until = time.monotonic() + within
    busy, elapsed = _ticks()
    while elapsed and time.monotonic() < until:
        await asyncio.sleep(0.1)
        busy_then, elapsed_then = busy, elapsed
        busy, elapsed = _ticks()
        if busy - busy_then < 0.4 * (elapsed - elapsed_then):
            return


def _ticks() -> tuple[int, int]:
    """How long all processors together were busy since the system started, and how long that is."""
    try:
        first = Path("/proc/stat").read_text("ascii").splitlines()[0]
    except OSError:
        return 0, 0
    ticks = [int(part) for part in first.split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def described() -> str:
    """Processor, cores, system and Python, in words."""
    return (
        f"{_processor()}, {os.cpu_count()} cores; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
