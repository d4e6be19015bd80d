"""What happens between `voicepilot serve --stdio` and the end of standard input?

VS Code's extension host starts the backend as its child and says over standard input what to serve. The
call page comes to the person by one of two ways: into a webview of VS Code, whose frames pass through the
extension host, or into a browser from the page server. Both are answered by the same desk, and their
cores feed the same `Feed`, from which the host hears what is true of the call.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiohttp import web

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls
from voicepilot.backend.bridge_link import BridgeLink, PageDesk
from voicepilot.backend.call_pages import CallPages
from voicepilot.backend.call_status import CallStatus
from voicepilot.backend.demo import SERVICE, demo_configuration
from voicepilot.backend.desk import Desk
from voicepilot.backend.doctor.examination import Examination
from voicepilot.backend.doctor.report import State, document, verdict
from voicepilot.backend.embedded import EmbeddedService
from voicepilot.backend.end_signals import on_end_signals
from voicepilot.backend.failure import Failure
from voicepilot.backend.feed import Feed
from voicepilot.backend.host_account import HostAccount
from voicepilot.backend.host_azure import AzureService, Person
from voicepilot.backend.host_link import HostError, HostLink
from voicepilot.backend.host_log import logging_to_host
from voicepilot.backend.lines import HostedLine, Line, SocketLine
from voicepilot.backend.page_files import Page, PageError, load_page
from voicepilot.backend.page_program import PREFERRED_PORT
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.backend.standard_streams import StandardStreams
from voicepilot.backend.transcripts import transcripts_folder, transcripts_kept
from voicepilot.bridge import host_messages
from voicepilot.bridge.host_messages import ServiceKind
from voicepilot.bridge.messages import CallControl
from voicepilot.session.transcript import markdown
from voicepilot.settings import SettingError
from voicepilot.settings.table import TABLE

_log = logging.getLogger(__name__)


def run() -> int:
    """Serve the extension host until it is gone; the process's exit code."""
    return asyncio.run(_serve())


async def _serve() -> int:
    with StandardStreams() as streams, on_end_signals(streams.end):
        link = HostLink(streams)
        with logging_to_host(link.tell):
            async with Host(link) as host:
                await link.serve(host)
    return 0


class Host:
    """The desk of the extension host. An async context manager; leaving it ends what it began."""

    def __init__(self, link: HostLink) -> None:
        self._link = link
        self._status = CallStatus(
            lambda status: link.tell(host_messages.STATUS, status.to_params())
        )
        self._feed = Feed()
        self._feed.listen(self._status)
        self._whole = AsyncExitStack()
        self._service = AsyncExitStack()
        self._page: Page | None = None
        self._folder = Path()
        self._account = HostAccount(link)
        self._person: Person | None = None
        self._azure: AzureService | None = None
        self._desk: PageDesk | None = None
        self._server: PageServer | None = None
        self._hosted: dict[str, HostedLine] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._pages = CallPages(self._feed, self._run)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Host:
        self._whole.enter_context(
            transcripts_kept(
                self._feed,
                transcripts_folder(),
                lambda: self._azure is not None and self._azure.keeps_transcripts,
            )
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._service.aclose()
        await self._whole.aclose()

    # ---- what the extension host asks for (host_link.HostDesk)

    async def start(self, said: host_messages.HostStart) -> host_messages.HostStarted:
        """Serve the page, with a service behind it. Raises HostError."""
        if self._server is not None:
            raise HostError("VoicePilot's backend has been started already.")
        try:
            page = load_page(Path(said.page))
        except PageError as error:
            raise HostError(str(error)) from error
        self._page = page
        if said.folders:
            self._folder = Path(said.folders[0])
        else:
            empty = tempfile.TemporaryDirectory(prefix="voicepilot-")
            self._folder = Path(self._whole.enter_context(empty))
        await self._begin(said.use)
        self._pages.expect()
        self._server = await self._whole.enter_async_context(
            PageServer(
                page,
                _listener(),
                self._serve_browser,
                services=self._azure.offer_origins if self._azure else (),
                serve_call=self._serve_call,
                cookie=said.cookie,
            )
        )
        return host_messages.HostStarted(said.use.service, page.build, self._server.port)

    async def use(self, said: host_messages.UseService) -> None:
        """Put another service behind the page; the pages connect anew. Raises HostError."""
        await self._service.aclose()
        await self._begin(said)
        for line in tuple(self._hosted.values()):
            line.close()
        for bridge in tuple(self._sockets):
            await bridge.close()

    def check(self, said: host_messages.CheckSetting) -> host_messages.SettingChecked:
        """Say whether a setting may have this value, and how it is kept."""
        row = next((each for each in TABLE if each.editor_name == said.name), None)
        if row is None:
            return host_messages.SettingChecked(says="There is no such setting.")
        try:
            return host_messages.SettingChecked(value=str(row.taken(said.value)))
        except SettingError as error:
            return host_messages.SettingChecked(says=error.says)

    async def sign_in(self) -> str:
        """Sign in to the person's own resource; who is let in then. Raises HostError, Failure."""
        if self._azure is None:
            raise HostError("The offline demo needs no account. To use your own: Set Up Azure.")
        return await self._azure.sign_in()

    async def examine(self) -> host_messages.Examined:
        """Check everything that a call to the person's own resource needs. Raises HostError."""
        person = self._person
        if person is None:
            raise HostError("VoicePilot's backend has not been started yet.")
        findings = []
        # The page shows which microphones there are; no other browser is started for that.
        examination = Examination(
            person.configuration, tell=person.tell, browser=False, options=person.let_in_by
        )
        with self._account.awaited():
            async with examination:
                async for found in examination.findings():
                    findings.append(found)
                    told = {"name": found.name, "state": found.state.value, "found": found.found}
                    self._link.tell(host_messages.FINDING, told)
        good = all(each.state is not State.FAILED for each in findings)
        return host_messages.Examined(good, verdict(findings), document(findings))

    def transcript(self) -> str:
        """Write down what was said; "" where nothing was."""
        return markdown(self._status.conversation)

    def address(self) -> host_messages.PageAddress:
        """An address that opens the call page in one browser, once. Raises HostError."""
        if self._server is None:
            raise HostError("VoicePilot's backend has not been started yet.")
        self._server.door.new_token()
        return host_messages.PageAddress(self._server.url)

    async def control(self, said: host_messages.ControlCall) -> bool:
        """Tell the page that has the call."""
        try:
            await self._pages.control(CallControl(said.action))
        except Failure:
            return False
        return True

    def page_opened(self, said: host_messages.PageOpened) -> None:
        """Answer a page in a webview from now on."""
        self.page_closed(host_messages.PageClosed(said.page))
        line = HostedLine(lambda text: self._pass_on(said.page, text))
        self._hosted[said.page] = line
        self._run(self._serve_hosted(said, line))

    def page_message(self, said: host_messages.PageMessage) -> None:
        """Take a frame of such a page."""
        if (line := self._hosted.get(said.page)) is not None:
            line.take(said.text)

    def page_closed(self, said: host_messages.PageClosed) -> None:
        """Such a page is gone."""
        if (line := self._hosted.pop(said.page, None)) is not None:
            line.close()

    # ---- services

    async def _begin(self, use: host_messages.UseService) -> None:
        if self._page is None:
            raise HostError("VoicePilot's backend has not been started yet.")
        self._azure = None
        link = self._link
        self._person = Person(
            self._folder,
            use.settings,
            self._account,
            use.key,
            keep=lambda changed: link.tell(host_messages.SETTINGS_CHANGED, {"settings": changed}),
            tell=lambda sentence: link.tell(host_messages.NOTICE, {"text": sentence}),
        )
        match use.service:
            case ServiceKind.DEMO:
                self._desk = await self._demo(self._page, use.python)
            case ServiceKind.AZURE:
                azure = AzureService(self._page.build, self._person, self._feed)
                self._azure = await self._service.enter_async_context(azure)
                self._desk = self._azure.desk

    async def _demo(self, page: Page, python: str) -> PageDesk:
        service = EmbeddedService(python=python) if python else EmbeddedService()
        self._service.push_async_callback(service.stop)
        try:
            await service.start()
        except OSError as error:
            raise HostError(f"The offline demo could not be started: {error.strerror}.") from error
        calls = await self._service.enter_async_context(Calls(service.ready))
        toolbox = tools.Toolbox(self._folder)
        return Desk(
            page.build, calls, demo_configuration(), toolbox, feed=self._feed, service=SERVICE
        )

    # ---- pages

    async def _serve_hosted(self, said: host_messages.PageOpened, line: HostedLine) -> None:
        desk = self._azure.hosted if self._azure is not None else self._desk
        await self._serve_page(line, desk, talks=said.talks)
        if self._hosted.get(said.page) is line:
            # Not the page has left but we have: it is to greet us again.
            del self._hosted[said.page]
            self._link.tell(host_messages.PAGE_CLOSED, {"page": said.page})

    async def _serve_browser(self, bridge: web.WebSocketResponse) -> None:
        self._sockets.add(bridge)
        try:
            await self._serve_page(SocketLine(bridge), self._desk, talks=True)
        finally:
            self._sockets.discard(bridge)

    async def _serve_call(self, page: web.WebSocketResponse, tried_webrtc: bool) -> None:
        if self._azure is not None:
            await self._azure.serve_call(page, tried_webrtc)

    async def _serve_page(self, line: Line, desk: PageDesk | None, *, talks: bool) -> None:
        if desk is None:
            return
        drawer = self._azure.drawer if self._azure is not None else None
        link = BridgeLink(line, desk, drawer=drawer, company=self._pages)
        await self._pages.serve(link, talks=talks)

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("serving a page failed", exc_info=error)

    def _pass_on(self, page: str, text: str) -> None:
        said = host_messages.PageMessage(page, text)
        self._link.tell(host_messages.PAGE_MESSAGE, said.to_params())


def _listener() -> socket.socket:
    try:
        return listen(PREFERRED_PORT)
    except OSError:
        listener = listen(0)
        _log.warning(
            "Port %d is taken; the call page is at %d for now, where the browser may ask for the "
            "microphone again.",
            *(PREFERRED_PORT, listener.getsockname()[1]),
        )
        return listener
