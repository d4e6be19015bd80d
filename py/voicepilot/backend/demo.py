"""What happens between `voicepilot demo` and Ctrl-C?

The embedded service and the page server start at the same time; the address is printed as soon as
the page can be served, since a person needs longer to press Talk than the service to start. A call
that comes earlier waits for the service. Whatever ends first (a signal, the service) ends both.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls
from voicepilot.backend.azure.http import Http
from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.configuration import Configuration
from voicepilot.backend.debug_desk import DebugDesk
from voicepilot.backend.desk import Desk
from voicepilot.backend.embedded import EmbeddedService
from voicepilot.backend.end_signals import on_end_signals
from voicepilot.backend.feed import Feed
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.page_files import Page, PageError, load_page
from voicepilot.backend.page_program import (
    PortError,
    farewell,
    greet,
    open_in_browser,
    page_listener,
)
from voicepilot.backend.page_server import PageServer
from voicepilot.backend.recorder import Recorder, RecordingError, recorded
from voicepilot.backend.settings_desk import SettingsDesk
from voicepilot.backend.socket_calls import SocketCalls
from voicepilot.backend.transcripts import transcripts_folder, transcripts_kept
from voicepilot.backend.wheels import WheelFolder
from voicepilot.settings.layers import table

SERVICE: Final = "Offline demo"
_DEPLOYMENT: Final = "offline-demo"


def demo_configuration(transport: str = "auto") -> Configuration:
    """What the demo is set to. It forgets changes when it ends: the person's settings are for Azure."""
    settings = table(
        {
            "transport": transport,
            "deployment": _DEPLOYMENT,
            "transcription_deployment": _DEPLOYMENT,
            "instructions": "You are VoicePilot. Answer in English, briefly, as one speaks.",
            "language": "en",
        },
        "the demo",
    )
    return Configuration((settings,))


def socket_calls(calls: Calls, configuration: Configuration) -> SocketCalls:
    """The demo's calls over WebSocket. Its service is on this computer, so networks are not remembered."""
    return SocketCalls(
        calls,
        lambda: configuration.settings.transport,
        lambda: configuration.session(tools.SPECS),
    )


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the command line chose. `port` None is the preferred one or else any that is free.

    `wheels` is a folder of wheels that the debugging page may install, `transport` how calls go,
    `record` the file in which calls are recorded, `transcripts` whether they are kept as transcripts.
    """

    page: Path
    folder: Path
    port: int | None = None
    open_browser: bool = True
    wheels: Path | None = None
    record: Path | None = None
    transport: str = "auto"
    transcripts: bool = False


def run(options: DemoOptions) -> int:
    """Run the demo until it is ended; the process's exit code.

    0: ended by Ctrl-C or a signal; 1: the service stopped; 2: it could not start (page not built,
    port taken, no recording possible), said in a sentence on standard error.
    """
    feed = Feed()
    try:
        listener = page_listener(options.port)
        page = load_page(options.page)
        with (
            listener,
            recorded(options.record, SERVICE, feed) as witness,
            transcripts_kept(feed, transcripts_folder())
            if options.transcripts
            else contextlib.nullcontext(),
            contextlib.suppress(KeyboardInterrupt),  # Windows has no signal handlers
        ):
            return asyncio.run(_serve(options, page, listener, feed, witness))
    except (PageError, PortError, RecordingError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - what the person at the terminal reads
        return 2
    return 0


async def _serve(
    options: DemoOptions,
    page: Page,
    listener: socket.socket,
    feed: Feed,
    witness: Recorder | None,
) -> int:
    ended = asyncio.Event()
    service = EmbeddedService()
    configuration = demo_configuration(options.transport)
    with on_end_signals(ended.set):
        try:
            async with Calls(service.ready, http=Http(witness=witness)) as calls:
                toolbox = tools.Toolbox(options.folder)
                sockets = socket_calls(calls, configuration)
                desk = Desk(
                    *(page.build, calls, configuration, toolbox),
                    feed=feed,
                    service=SERVICE,
                    sockets=sockets,
                )
                wheels = WheelFolder(options.wheels) if options.wheels is not None else None
                debugging = DebugDesk(service.ready, wheels)
                drawer = SettingsDesk(configuration)

                async def serve_bridge(bridge: web.WebSocketResponse) -> None:
                    await BridgeLink(SocketLine(bridge), desk, debugging, drawer).serve()

                async with PageServer(
                    page, listener, serve_bridge, wheels, serve_call=sockets.serve
                ) as server:
                    await service.start()
                    greet(server.url, "Press Talk there and speak English.")
                    if options.open_browser:
                        open_in_browser(server.url)
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
            farewell()
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
