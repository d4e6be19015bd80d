"""What the page talks to: the demo as people start it, and backends that go wrong on purpose."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

from aiohttp import web

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.demo import demo_configuration, socket_calls
from voicepilot.backend.desk import Desk
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.page_files import load_page
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.backend.settings_desk import SettingsDesk

ROOT = Path(__file__).parents[2]
BUILT = Path(os.environ.get("VOICEPILOT_PAGE", ROOT / "dist" / "page"))
WITNESS_WORKLET = Path(__file__).with_name("witness_worklet.js")
KEY = "key-of-the-page-tests"

_START_S = 60.0


def witnessed_page(folder: Path) -> Path:
    """A copy of the built page whose one worklet holds the tests' too; the policy allows no other.

    The policy names the worklet by its path, so it is enforced as built.
    """
    page = shutil.copytree(BUILT, folder / "page")
    (worklet,) = (page / "assets").glob("level-meter.*.js")
    worklet.write_bytes(worklet.read_bytes() + WITNESS_WORKLET.read_bytes())
    return page


class Program:
    """One `voicepilot` command as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, *arguments: str, folder: Path, variables: Mapping[str, str] | None = None
    ) -> Program:
        """Start the command in ``folder``, with ``variables`` in its environment too."""
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "voicepilot.cli", *arguments),
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT / "py"), **(variables or {})},
                stdout=asyncio.subprocess.PIPE,
            )
        )

    async def says(self, pattern: str) -> str:
        """The first thing in what it prints that matches ``pattern``."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_START_S):
            while line := (await self._process.stdout.readline()).decode():
                if found := re.search(pattern, line):
                    return found[0]
        raise AssertionError(f"it ended without saying {pattern}")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def signal(self, number: Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def end(self, number: Signals = SIGTERM) -> None:
        """End it, and wait until it has ended."""
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self._process.wait()


@asynccontextmanager
async def running(
    *arguments: str, folder: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """A `voicepilot` command for as long as it is needed."""
    program = await Program.start(*arguments, folder=folder, variables=variables)
    try:
        yield program
    finally:
        await program.end(SIGKILL)  # a test may have stopped it so that it hears nothing else


@dataclass(frozen=True)
class Demo:
    """`voicepilot demo` as people start it."""

    program: Program
    url: str
    """Good for one browser, once."""

    folder: Path

    @property
    def service_pid(self) -> int:
        """The process of its embedded service."""
        children = Path(f"/proc/{self.program.pid}/task/{self.program.pid}/children").read_text()
        return int(children.split()[0])


@asynccontextmanager
async def demo(page: Path, folder: Path) -> AsyncIterator[Demo]:
    """The demo, serving the built ``page``, started in ``folder``."""
    command = ("demo", "--no-browser", "--port", "0", "--page", str(page))
    program = await Program.start(*command, folder=folder)
    try:
        yield Demo(program, await program.says(r"http://\S+"), folder)
    finally:
        await program.end()


@asynccontextmanager
async def backend(
    page_folder: Path, service: str, folder: Path, transport: str = "auto"
) -> AsyncIterator[PageServer]:
    """The demo's backend in this process, in front of the service at the address ``service``."""
    page = load_page(page_folder)
    credentials = FixedCredentials(Credential.api_key(KEY))
    async with Calls.at(Target(service, credentials, dialect="auto")) as calls:
        configuration = demo_configuration(transport)
        sockets = socket_calls(calls, configuration)
        toolbox = tools.Toolbox(folder)
        desk = Desk(
            page.build, calls, configuration, toolbox, sockets=sockets, service="Offline demo"
        )
        drawer = SettingsDesk(configuration)

        async def serve_bridge(bridge: web.WebSocketResponse) -> None:
            await BridgeLink(SocketLine(bridge), desk, drawer=drawer).serve()

        async with PageServer(page, listen(0), serve_bridge, serve_call=sockets.serve) as server:
            yield server


@asynccontextmanager
async def service_that(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """A service that answers everything by ``answer``; gives its address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await runner.cleanup()
        listener.close()
