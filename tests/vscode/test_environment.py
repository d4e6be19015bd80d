"""The private Python environment: made from the lock, once, whole, and of no use to anybody else."""

from __future__ import annotations

import asyncio
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Playwright, expect
from tests.vscode.conftest import Serve
from tests.vscode.workbench import SOON, Origin, Server, chromium, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

_NO_PROCESS = 2**22 + 1
"""No system numbers a process so high."""

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


def left_by_a_dead_window(storage: Path, vsix: Path) -> tuple[Path, Path]:
    """Begin the environment as a window does, and die; what was begun, and the lock file."""
    total = hashlib.sha256()
    with zipfile.ZipFile(vsix) as package:
        names = package.namelist()
        for wanted in ("/python/backend.txt", ".whl"):
            (name,) = (name for name in names if name.endswith(wanted))
            total.update(package.read(name))
    environment = storage / f"backend-{total.hexdigest()[:16]}"
    environment.mkdir(parents=True)
    unfinished = environment / "unfinished"
    unfinished.touch()
    lock = environment.with_name(f"{environment.name}.lock")
    lock.write_text(str(_NO_PROCESS))
    return unfinished, lock


async def outcome(environment: Path, code: str) -> str:
    """What its Python prints."""
    process = await asyncio.create_subprocess_exec(
        *(str(environment / "bin" / "python"), "-I", "-c", code), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    return printed.decode().strip()


async def test_it_is_made_when_it_is_first_needed_and_two_windows_make_it_once(
    playwright: Playwright, serve: Serve, vsix: Path
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
        unfinished, lock = left_by_a_dead_window(storage, vsix)
        await first.run("VoicePilot: Show Panel")
        await second.run("VoicePilot: Show Panel")
        await until(lambda: any(map(is_whole, environments(server))), INSTALLING)
        await until(lambda: not list(storage.glob("*.lock")), SOON)
        (made,) = environments(server)
        assert made == unfinished.parent
        assert not unfinished.exists() and not lock.exists()
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


async def test_without_any_python_the_person_is_told_what_to_install(
    playwright: Playwright, serve: Serve, tmp_path: Path
) -> None:
    async with (
        serve(own_python=True, path=str(tmp_path)) as server,
        chromium(playwright, Origin.SAME) as browser,
        window(browser, server) as workbench,
    ):
        await workbench.run("VoicePilot: Set Up Azure")
        await workbench.run("VoicePilot: Show Panel")
        await workbench.choose("Connect your Azure resource")
        toast = workbench.page.locator(".notification-toast", has_text="Python 3.11 or newer")
        await expect(toast).to_contain_text("sudo apt install python3-venv", timeout=SOON)
        assert not environments(server)
