"""One VS Code for all tests of the extension; each test has user folders of its own."""

from __future__ import annotations

import io
import os
import sysconfig
import venv
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Playwright, async_playwright
from tests.voices import sentence, silence, write_wav
from tests.vscode.install import install
from tests.vscode.workbench import Server

ROOT = Path(__file__).parents[2]

SAID = "What is twelve times seven?"

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


@pytest.fixture(scope="session")
def python(vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the package's own wheel, and beside it what the tests' Python has."""
    folder = tmp_path_factory.mktemp("python") / "environment"
    venv.create(folder, symlinks=os.name != "nt")
    place = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", place))
    with zipfile.ZipFile(vsix) as package:
        (wheel,) = (name for name in package.namelist() if name.endswith(".whl"))
        with package.open(wheel) as file, zipfile.ZipFile(io.BytesIO(file.read())) as content:
            content.extractall(packages)
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib"))
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture
def serve(tmp_path: Path, code_server: Path, vsix: Path, python: Path) -> Serve:
    """Starts VS Code with the extension: ``async with serve() as server``.

    ``own_python=True`` lets the extension make its environments, for which it downloads packages;
    ``path`` is where it looks for programs.
    """

    @asynccontextmanager
    async def start(
        *, own_python: bool = False, path: str | None = None, **settings: Any
    ) -> AsyncIterator[Server]:
        given = {} if own_python else {"voicepilot.python": str(python)}
        server = Server(code_server, tmp_path / "vscode", settings=given | settings, path=path)
        server.prepare()
        await server.install(vsix)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()

    return start


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The switch with which Chromium's microphone says it, again and again."""
    track = np.concatenate([sentence(SAID), silence(8000)])
    wav = write_wav(tmp_path_factory.mktemp("spoken") / "said.wav", track, lead_silence_ms=2500)
    return f"--use-file-for-fake-audio-capture={wav}"
