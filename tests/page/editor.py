"""A stand-in for VS Code around the page: its panel in a document that may not use the microphone.

The backend is the real one, started as the extension host starts it, and the page in the panel is the
build's document for webviews, from another origin than the call page. In between, this does what
`extension/src/panel.ts` does: it passes frames on, and opens the call page where the panel asks for it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, BrowserContext
from tests.page.backends import ROOT
from tests.page.call_page import CallPage, Visit
from tests.unit.host_process import Process, started

from voicepilot.backend.page_server import listen

_NONCE = "bm9uY2U="
_EDITOR = """
globalThis.acquireVsCodeApi = () => ({ postMessage: (said) => { void globalThis.toEditor(said); } });
globalThis.witness = { violations: [] };
document.addEventListener("securitypolicyviolation", (event) =>
  witness.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""


def packed_page(folder: Path) -> Path:
    """The page as it goes into the extension's package."""
    page = folder / "packed"
    subprocess.run(
        [sys.executable, "-m", "voicepilot.bundle", "--packed", "--out", str(page)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "py")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return page


class Editor:
    """The extension host and its panel."""

    def __init__(self, host: Process, context: BrowserContext, address: str) -> None:
        self.opened: asyncio.Queue[str] = asyncio.Queue()
        """The addresses of call pages that the panel has asked for."""
        self._host = host
        self._context = context
        self._address = address
        self._page = 0
        self._panel: CallPage | None = None
        self._passing = asyncio.create_task(self._pass_frames())

    @property
    def panel(self) -> CallPage:
        """The page in the panel."""
        assert self._panel is not None
        return self._panel

    async def open(self) -> CallPage:
        """Open the panel."""
        page = await self._context.new_page()
        self._panel = CallPage(page, Visit())
        await page.expose_function("toEditor", self._hear)
        await page.goto(f"{self._address}/panel")
        await self._panel.ready()
        return self._panel

    async def address(self) -> str:
        """An address that opens the call page, once."""
        url: str = (await self._host.ask("page.address")).result["url"]
        return url

    async def close(self) -> None:
        """Close the panel."""
        self.panel.check()
        assert await self.panel.witness("violations") == []
        self._host.tell("page.closed", page=self._name)
        await self.panel.page.close()
        self._panel = None

    async def end(self) -> None:
        """Let go of it all."""
        self._passing.cancel()
        await asyncio.gather(self._passing, return_exceptions=True)

    @property
    def _name(self) -> str:
        return f"panel-{self._page}"

    async def _hear(self, said: dict[str, Any]) -> None:
        match said["kind"]:
            case "connect":
                if self._page:
                    self._host.tell("page.closed", page=self._name)
                self._page += 1
                self._host.tell("page.opened", page=self._name, talks=said["talks"])
                await self._post({"kind": "connected"})
            case "frame":
                self._host.tell("page.message", page=self._name, text=said["text"])
            case "elsewhere":
                self.opened.put_nowait(await self.address())

    async def _pass_frames(self) -> None:
        while True:
            said = await self._host.next_of("page.message")
            if said["page"] == self._name and self._panel is not None:
                await self._post({"kind": "frame", "text": said["text"]})

    async def _post(self, message: dict[str, Any]) -> None:
        await self.panel.page.evaluate("(message) => postMessage(message, '*')", message)


@asynccontextmanager
async def editor(browser: Browser, page_folder: Path, project: Path) -> AsyncIterator[Editor]:
    """The stand-in, with the offline demo behind it."""
    form = (page_folder / "editor.html").read_text("utf-8")

    async def panel(request: web.Request) -> web.Response:
        source = f"http://{request.headers['Host']}"
        text = form.replace("{base}", source).replace("{source}", source).replace("{nonce}", _NONCE)
        return web.Response(
            text=text,
            content_type="text/html",
            headers={"Permissions-Policy": "microphone=()"},
        )

    application = web.Application()
    application.router.add_get("/panel", panel)
    application.router.add_static("/", page_folder)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    context = await browser.new_context(permissions=["microphone"])
    await context.add_init_script(_EDITOR)
    try:
        async with started() as host:
            use = {"service": "demo", "settings": {}, "python": "", "key": ""}
            answer = await host.ask(
                "host.start", page=str(page_folder), folders=[str(project)], cookie="", **use
            )
            assert "port" in answer.result, json.dumps(answer.result)
            made = Editor(host, context, f"http://127.0.0.1:{listener.getsockname()[1]}")
            try:
                yield made
            finally:
                await made.end()
    finally:
        await context.close()
        await runner.cleanup()
        listener.close()
