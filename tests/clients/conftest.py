"""The embedded service as a process of its own, as people start it, with its models loaded."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import aiohttp
import pytest_asyncio
from tests.clients.service import KEY, ROOT, Service
from tests.emulator.client import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service() -> AsyncIterator[Service]:
    """The service; it has answered once, so that no test waits for the models."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicepilot.cli", "emulator", "--port", "0", "--api-key", KEY),
        env={**os.environ, "PYTHONPATH": str(ROOT / "py")},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert line.startswith("listening http://127.0.0.1:"), line
        service = Service(line.split()[1])
        await answer_once(service)
        yield service
    finally:
        process.terminate()
        await process.wait()


async def answer_once(service: Service) -> None:
    """Have a first word spoken."""
    async with aiohttp.ClientSession() as http:
        client = await Bench(service.base, http, KEY).call()
        client.send("response.create")
        await client.wait("response.done", within=60)
        await client.close()
