"""What happens between `voicepilot serve` and Ctrl-C?

The call page is served on this machine, and its calls go to the deployment that is set. Everything that
can be wrong with the settings is said before anything starts; who signs in, and whether the service takes
it, is tried as soon as a page is open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.chosen import credentials_for
from voicepilot.backend.azure.http import Http
from voicepilot.backend.azure.sideband import Sidebands
from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.configuration import Configuration
from voicepilot.backend.desk import Desk
from voicepilot.backend.end_signals import on_end_signals
from voicepilot.backend.failure import Failure
from voicepilot.backend.feed import Feed
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.network_memory import NetworkMemory
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
from voicepilot.settings.layers import DEFAULT
from voicepilot.settings.table import setting

_EXAMPLES: Final = {"endpoint": "https://NAME.openai.azure.com", "deployment": "NAME"}
"""What a call cannot do without, each with what it looks like."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line chose beside the settings.

    `folder` is where the tools look, `record` the file in which calls are recorded.
    """

    page: Path
    folder: Path
    configuration: Configuration
    open_browser: bool = True
    record: Path | None = None


def run(options: ServeOptions) -> int:
    """Serve until it is ended; the process's exit code.

    0: ended by Ctrl-C or a signal; 2: it could not start (a setting is missing, page not built, port
    taken, no recording possible), said in sentences on standard error.
    """
    configuration = options.configuration
    missing = list(missing_settings(configuration))
    if missing:
        return _sorry(*missing, "To try VoicePilot without an account: python3 build.py demo")
    port = configuration.settings.port
    asked = configuration.places["port"] != DEFAULT
    feed = Feed()
    try:
        page = load_page(options.page)
        listener = page_listener(port if asked else None)
        with (
            listener,
            recorded(options.record, configuration.settings.endpoint, feed) as witness,
            _transcribed(feed, configuration),
            contextlib.suppress(KeyboardInterrupt),  # Windows has no signal handlers
        ):
            return asyncio.run(_serve(options, page, listener, feed, witness))
    except (PageError, PortError, RecordingError) as error:
        return _sorry(str(error))
    return 0


def _transcribed(feed: Feed, configuration: Configuration) -> AbstractContextManager[None]:
    if not configuration.settings.transcripts:
        return contextlib.nullcontext()
    return transcripts_kept(feed, transcripts_folder())


def missing_settings(configuration: Configuration) -> list[str]:
    """What must be set before a call is possible, a sentence each that says where it can be set."""
    sentences = []
    for name, example in _EXAMPLES.items():
        if not configuration.settings.values()[name]:
            row = setting(name)
            sentences.append(
                f"There is no {name} yet. {row.description}\n"
                f"  for this start:   voicepilot serve {row.option} {example}\n"
                f"  in the environment: {row.variables[-1]}={example}\n"
                f'  for every start:  {name} = "{example}" in {configuration.file}\n'
            )
    return sentences


async def _serve(
    options: ServeOptions,
    page: Page,
    listener: socket.socket,
    feed: Feed,
    witness: Recorder | None,
) -> int:
    configuration, settings = options.configuration, options.configuration.settings
    ended = asyncio.Event()
    try:
        async with contextlib.AsyncExitStack() as owned:
            owned.enter_context(on_end_signals(ended.set))
            found = asyncio.create_task(
                owned.enter_async_context(
                    credentials_for(settings, tell=_tell, variables=os.environ)
                )
            )
            if not await _finished(found, ended):  # a keyring may hang
                farewell()
                return 0
            credentials = found.result()
            target = Target(
                settings.endpoint,
                credentials,
                settings.dialect,
                settings.preview_region,
                settings.key_policy,
            )
            calls = await owned.enter_async_context(Calls.at(target, http=Http(witness=witness)))
            toolbox = tools.Toolbox(options.folder)
            sockets = SocketCalls(
                calls,
                lambda: configuration.settings.transport,
                lambda: configuration.session(tools.SPECS),
                NetworkMemory(),
            )
            sidebands = await owned.enter_async_context(Sidebands(toolbox.run, witness))
            desk = Desk(
                *(page.build, calls, configuration, toolbox),
                feed=feed,
                sockets=sockets,
                sidebands=sidebands,
            )
            drawer = SettingsDesk(configuration, sidebands.update)

            async def serve_bridge(bridge: web.WebSocketResponse) -> None:
                await BridgeLink(SocketLine(bridge), desk, drawer=drawer).serve()

            direct = settings.signalling == "direct"
            services = target.offer_origins if direct else ()
            server = await owned.enter_async_context(
                PageServer(
                    page,
                    listener,
                    serve_bridge,
                    services=services,
                    serve_call=sockets.serve,
                )
            )
            greet(server.url, f"Press Talk there: {desk.service} answers.")
            if settings.transcripts:
                kept_in = transcripts_folder()
                _tell(f"What is said is kept in {kept_in}; --transcripts no keeps nothing.")
            if options.open_browser:
                open_in_browser(server.url)
            await ended.wait()
    except Failure as failure:  # the settings ask for a way to sign in that there is not
        return _sorry(failure.problem.says, failure.problem.next_step)
    farewell()
    return 0


async def _finished(task: asyncio.Task[Any], ended: asyncio.Event) -> bool:
    """Wait for the task, or until the program shall end; then the task is ended too."""
    ending = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait((task, ending), return_when=asyncio.FIRST_COMPLETED)
        return task.done()
    finally:
        for each in (task, ending):
            each.cancel()
        await asyncio.wait((task, ending))


def _tell(sentence: str) -> None:
    """Show a sentence to who signs in."""
    print(sentence, flush=True)  # noqa: T201 - what the person at the terminal reads


def _sorry(*sentences: str) -> int:
    print(*sentences, sep="\n", file=sys.stderr)  # noqa: T201
    return 2
