"""One real service for all tests of this folder that talk to it, with its models loaded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest_asyncio
from tests.emulator.client import Bench, Client

from voicepilot.emulator.service import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

API_KEY = "standing"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bench() -> AsyncIterator[Bench]:
    """Opens calls to a service that runs until the tests are over."""
    until = asyncio.Event()
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(run(0, API_KEY, announce=said.set_result, until=until))
    line = await said
    assert line.startswith("listening http://127.0.0.1:")
    async with aiohttp.ClientSession() as http:
        yield Bench(line.split()[1], http, API_KEY)
    until.set()
    await serving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def one_call(bench: Bench) -> AsyncIterator[Client]:
    """A call that the tests of one module share."""
    client = await bench.call()
    yield client
    await client.close()
