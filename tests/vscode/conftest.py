"""One VS Code for all tests of the extension; each test has user folders of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Playwright, async_playwright
from tests.vscode.install import install
from tests.vscode.workbench import Server

ROOT = Path(__file__).parents[2]

Serve = Callable[..., AbstractAsyncContextManager[Server]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def vsix() -> Path:
    """The package that is tested: `build.py test vscode` makes it."""
    given = os.environ.get("VOICEPILOT_VSIX")
    found = [Path(given)] if given else sorted((ROOT / "dist").glob("voicepilot-*.vsix"))
    assert found, "there is no package; make it: python3 build.py package"
    return found[-1]


@pytest.fixture(scope="session")
def code_server() -> Path:
    """The server's program."""
    return install(ROOT / ".cache" / "code-server")


@pytest.fixture
def serve(tmp_path: Path, code_server: Path, vsix: Path) -> Serve:
    """Starts VS Code with the extension: ``async with serve() as server``.

    ``own_python=False`` lets the extension run in this Python, instead of making its environment.
    """

    @asynccontextmanager
    async def start(*, own_python: bool = False, **settings: Any) -> AsyncIterator[Server]:
        python = {} if own_python else {"voicepilot.python": sys.executable}
        server = Server(code_server, tmp_path / "vscode", settings=python | settings)
        server.prepare()
        await server.install(vsix)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()

    return start
