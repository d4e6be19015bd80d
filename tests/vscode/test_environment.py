"""The private Python environment: made from the lock, once, whole, and of no use to anybody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Playwright
from tests.vscode.conftest import Serve
from tests.vscode.workbench import SOON, Origin, Server, chromium, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

INSTALLING = 300_000
"""Milliseconds in which what the backend needs is downloaded and installed."""


def environments(server: Server, name: str = "backend-*") -> list[Path]:
    """The environments that were made, finished or not."""
    found = (server.storage / "environments").glob(name)
    return sorted(each for each in found if each.is_dir())


def is_whole(environment: Path) -> bool:
    """Whether it was made to its end."""
    return (environment / "voicepilot.json").exists()


async def until(holds: Callable[[], bool], limit: float) -> None:
    """Wait until it holds, for so many milliseconds at most."""
    async with asyncio.timeout(limit / 1000):
        while not holds():  # noqa: ASYNC110 - a folder tells nobody
            await asyncio.sleep(0.2)


async def outcome(environment: Path, code: str) -> str:
    """What its Python prints."""
    process = await asyncio.create_subprocess_exec(
        *(str(environment / "bin" / "python"), "-I", "-c", code), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    return printed.decode().strip()


async def test_it_is_made_when_it_is_first_needed_and_two_windows_make_it_once(
    playwright: Playwright, serve: Serve
) -> None:
    address = "https://nobody.openai.azure.com"
    azure = {"voicepilot.endpoint": address, "voicepilot.deployment": "realtime"}
    async with (
        serve(own_python=True, **azure) as server,
        chromium(playwright, Origin.SAME) as browser,
        window(browser, server) as first,
        window(browser, server) as second,
    ):
        storage = server.storage / "environments"
        await first.run("VoicePilot: Show Panel")
        await second.run("VoicePilot: Show Panel")
        await until(lambda: any(map(is_whole, environments(server))), INSTALLING)
        await until(lambda: not list(storage.glob("*.lock")), SOON)
        (made,) = environments(server)
        assert is_whole(made)
        log = server.log()
        assert log.count("-m venv") + log.count("uv venv") == 1
        assert await outcome(made, "import voicepilot, aiohttp; print(voicepilot.__file__)") == str(
            next(made.glob("lib/*/site-packages/voicepilot/__init__.py"))
        )
        installed = json.loads(
            await outcome(
                made,
                "import json, importlib.metadata as m;"
                "print(json.dumps([d.name for d in m.distributions()]))",
            )
        )
        assert not {"aiortc", "faster-whisper", "numpy"} & set(installed)  # only what is needed
