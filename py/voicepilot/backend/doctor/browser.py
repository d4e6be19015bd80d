"""Does a browser on this computer get sound from the microphone, and has it a loudspeaker?

A Chromium-like browser is started without a window, with a profile of its own that is thrown away, on a
page of ours that listens for a second and a half and tells the loudest sample. Its sound goes nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from aiohttp import web

from voicepilot.backend.doctor.report import Outcome, failed, ok, skipped, warned
from voicepilot.protocol.json_text import parse_json
from voicepilot.protocol.problems import problem

_WITHIN_S: Final = 20.0
_END_WITHIN_S: Final = 3.0
_NAMES: Final = (
    *("google-chrome", "google-chrome-stable", "chromium", "chromium-browser"),
    *("microsoft-edge", "microsoft-edge-stable", "brave-browser", "chrome", "msedge"),
)
_MAC: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_WINDOWS: Final = (
    r"Google\Chrome\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
)
_OPTIONS: Final = (
    *("--headless=new", "--use-fake-ui-for-media-stream", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-sync", "--no-default-browser-check"),
    "--autoplay-policy=no-user-gesture-required",
)
_ERRORS: Final = {"NotFoundError": "microphone-missing", "NotReadableError": "microphone-busy"}


@dataclass(frozen=True, slots=True)
class Devices:
    """What the browser found. `peak` is the loudest sample, 1 at full scale; `error` the browser's name."""

    microphones: tuple[str, ...]
    loudspeakers: int
    peak: float
    error: str = ""


async def check_devices(options: tuple[str, ...] = ()) -> Outcome:
    """Look at microphone and loudspeaker; `options` are further ones for the browser."""
    browser = next(_browsers(), None)
    if browser is None:
        return skipped("There is no Chrome, Edge or Chromium here to try it with.")
    try:
        async with asyncio.timeout(_WITHIN_S):
            found = await _look(browser, options)
    except (TimeoutError, OSError):
        return skipped(f"{Path(browser).name} could not be started without a window.")
    if found.error:
        return failed(problem(_ERRORS.get(found.error, "microphone-permission")))
    named = found.microphones[0] or "a microphone"
    if found.peak == 0:
        return warned(problem("microphone-silent"))
    if not found.loudspeakers:
        return warned(problem("loudspeaker-missing"))
    return ok(f"{named} gives sound (loudest {found.peak:.3f} of 1), and there is a loudspeaker.")


async def _look(browser: str, options: tuple[str, ...]) -> Devices:
    async with _page() as (address, told):
        with tempfile.TemporaryDirectory(prefix="voicepilot-", ignore_cleanup_errors=True) as place:
            process = await asyncio.create_subprocess_exec(
                *(browser, *_OPTIONS, *options, f"--user-data-dir={place}", address),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            ended = asyncio.create_task(process.wait())
            try:
                await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
                if not told.done():
                    raise ChildProcessError("the browser ended by itself")
                return told.result()
            finally:
                await _end(process, ended)


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    """Ask the browser to end, then make it."""
    for insist in (process.terminate, process.kill):
        with contextlib.suppress(ProcessLookupError):
            insist()
        await asyncio.wait({ended}, timeout=_END_WITHIN_S)


@contextlib.asynccontextmanager
async def _page() -> AsyncIterator[tuple[str, asyncio.Future[Devices]]]:
    """Serve the page that looks, at an address nobody can guess, and take what it tells."""
    told: asyncio.Future[Devices] = asyncio.get_running_loop().create_future()
    path = f"/{secrets.token_urlsafe(16)}/"
    page = resources.files(__package__).joinpath("devices.html").read_text("utf-8")

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    async def take(request: web.Request) -> web.Response:
        if not told.done():
            told.set_result(_read(await request.read()))
        return web.Response(status=204)

    application = web.Application(client_max_size=65536)
    application.add_routes([web.get(path, show), web.post(f"{path}found", take)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{path}", told
    finally:
        await runner.cleanup()
        told.cancel()


def _read(body: bytes) -> Devices:
    try:
        found = parse_json(body)
    except ValueError:
        found = None
    match found:
        case {
            "microphones": list(names),
            "loudspeakers": int(loudspeakers),
            "peak": int() | float() as peak,
            "error": str(error),
        }:
            return Devices(tuple(map(str, names)) or ("",), loudspeakers, float(peak), error)
    return Devices(("",), 0, 0.0, "UnknownError")


def _browsers() -> Iterator[str]:
    """The browsers that there are, the likeliest first."""
    if sys.platform == "darwin":
        yield from (path for path in _MAC if Path(path).exists())
    if sys.platform == "win32":
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            root = Path(os.environ.get(variable) or "C:\\")
            yield from (str(root / each) for each in _WINDOWS if (root / each).exists())
    yield from (path for name in _NAMES if (path := shutil.which(name)) is not None)
