"""What happens between `voicepilot demo` and Ctrl-C?

The embedded service and the page server start at the same time; the address is printed as soon as
the page can be served, since a person needs longer to press Talk than the service to start. A call
that comes earlier waits for the service. Whatever ends first (a signal, the service) ends both.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls
from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.debug_desk import DebugDesk
from voicepilot.backend.embedded import EmbeddedService
from voicepilot.backend.end_signals import on_end_signals
from voicepilot.backend.feed import Feed
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.page_files import Page, PageError, load_page
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.backend.wheels import WheelFolder
from voicepilot.bridge import messages
from voicepilot.protocol.session_config import ServerVad, SessionConfig

PREFERRED_PORT: Final = 8777
"""Used when free and no other is asked for, so that the browser remembers its microphone consent."""
_SERVICE: Final = "Offline demo"
_SESSION: Final = SessionConfig(
    model="offline-demo",
    instructions="You are VoicePilot. Answer in English, briefly, as one speaks.",
    transcription_model="offline-demo",
    transcription_language="en",
    turn_detection=ServerVad(),
    tools=tools.SPECS,
)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line chose. `port` None is the preferred one or else any that is free.

    `wheels` is a folder of wheels that the debugging page may install.
    """

    page: Path
    folder: Path
    port: int | None = None
    open_browser: bool = True
    wheels: Path | None = None


class DemoDesk:
    """Answers the page: calls go to the embedded service, tools look at one folder."""

    def __init__(
        self,
        build: str,
        calls: Calls,
        toolbox: tools.Toolbox,
        feed: Feed | None = None,
    ) -> None:
        self._build = build
        self._calls = calls
        self._toolbox = toolbox
        self._feed = feed or Feed()

    async def welcome(self, hello: messages.Hello) -> messages.Welcome:
        """Say that this is the offline demo, and which tools it has; a page wants a call soon."""
        self._calls.warm_up(_SESSION)
        infos = tuple(messages.ToolInfo(tool.name, tool.description) for tool in tools.SPECS)
        return messages.Welcome(_SERVICE, "ga", infos, self._build, feed=self._feed.wanted)

    async def open_call(self, call: messages.OpenCall) -> messages.CallOpened:
        """Open a call at the embedded service, once it listens. Raises Failure."""
        return await self._calls.open(_SESSION, call.sdp)

    async def run_tool(self, call: messages.ToolCall) -> messages.ToolOutput:
        """Run one of the two tools; a wrong call is answered with a sentence."""
        return messages.ToolOutput(await self._toolbox.run(call.name, call.arguments))

    async def call_closed(self, call: messages.CallClosed) -> None:
        """End it at the service too, which would find out by itself some seconds later."""
        await self._calls.hang_up(call.call_id)

    async def feed(self, inputs: messages.CallFeed) -> messages.FeedTaken:
        """Pass on what the page told its core."""
        return self._feed.take(inputs)


def run(options: DemoOptions) -> int:
    """Run the demo until it is ended; the process's exit code.

    0: ended by Ctrl-C or a signal; 1: the service stopped; 2: it could not start (page not built,
    port taken), said in a sentence on standard error.
    """
    try:
        listener = _listener(options.port)
        page = load_page(options.page)
    except (PageError, _PortError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the person at the terminal reads
        return 2
    with listener, contextlib.suppress(KeyboardInterrupt):  # Windows has no signal handlers
        return asyncio.run(_serve(options, page, listener))
    return 0


async def _serve(options: DemoOptions, page: Page, listener: socket.socket) -> int:
    ended = asyncio.Event()
    service = EmbeddedService()
    with on_end_signals(ended.set):
        try:
            async with Calls(service.ready) as calls:
                desk = DemoDesk(page.build, calls, tools.Toolbox(options.folder))
                wheels = WheelFolder(options.wheels) if options.wheels is not None else None
                debugging = DebugDesk(service.ready, wheels)

                async def serve_bridge(bridge: web.WebSocketResponse) -> None:
                    await BridgeLink(SocketLine(bridge), desk, debugging).serve()

                async with PageServer(page, listener, serve_bridge, wheels) as server:
                    await service.start()
                    _greet(server.url)
                    if options.open_browser and _has_desktop():
                        # A daemon, the one thing left to itself: a browser's launcher may return
                        # only when the browser ends, and that must not hold up our end.
                        threading.Thread(target=_open, args=(server.url,), daemon=True).start()
                    return await _until_ended(ended, service)
        finally:
            await service.stop()


async def _until_ended(ended: asyncio.Event, service: EmbeddedService) -> int:
    """Wait for the first thing that ends the demo; the exit code."""
    asked = asyncio.create_task(ended.wait())
    fell = asyncio.create_task(service.stopped_by_itself())
    try:
        await asyncio.wait({asked, fell}, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            print("VoicePilot has ended.", flush=True)  # noqa: T201
            return 0
        print(  # noqa: T201
            f"The offline realtime service stopped by itself. {service.last_words()}\n"
            f"Start the demo again; if it stops again, {service.log} tells more.",
            file=sys.stderr,
        )
        return 1
    finally:
        asked.cancel()
        fell.cancel()
        await asyncio.gather(asked, fell, return_exceptions=True)


def _greet(url: str) -> None:
    print(  # noqa: T201
        f"VoicePilot is ready. Open this address in your browser (it opens one browser, once):\n\n"
        f"  {url}\n\n"
        "Press Talk there and speak English. Ctrl-C here ends everything.",
        flush=True,
    )


class _PortError(Exception):
    pass


def _listener(port: int | None) -> socket.socket:
    if port is None:
        try:
            return listen(PREFERRED_PORT)
        except OSError:
            return listen(0)
    try:
        return listen(port)
    except OSError as error:
        raise _PortError(
            f"Port {port} on 127.0.0.1 cannot be used ({error.strerror}). "
            "End the program that has it, or choose another with --port."
        ) from error


def _has_desktop() -> bool:
    """Whether a browser can open a window; without one, a text browser would take the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _open(url: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)
