"""Which pages are compared, and what serves them?

Three pages come from the same page server with a policy made the same way, in front of the same
backend: ours as built, a twin in JavaScript, and ours as stock Pyodide would start it.
"""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from playwright.async_api import BrowserContext
from tests.page.backends import BUILT, KEY, ROOT, WITNESS_WORKLET

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.page_files import Page, PageFile, load_page
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.bridge import messages
from voicepilot.bundle.archive import application_files
from voicepilot.bundle.assets import Asset, digest
from voicepilot.bundle.page import ENDPOINTS, SOCKETS
from voicepilot.bundle.policy import Contents, policy
from voicepilot.bundle.policy import PageServer as OwnServer
from voicepilot.protocol.session_config import ServerVad, SessionConfig

HERE: Final = Path(__file__).parent
WEBVIEW: Final = ROOT / "webview"
PYODIDE: Final = WEBVIEW / "node_modules" / "pyodide"
BUILD: Final = "benchmark"
METER: Final = "level-meter"

SESSION: Final = SessionConfig(
    model="offline-demo",
    instructions="Answer in English, briefly, as one speaks.",
    transcription_model="offline-demo",
    transcription_language="en",
    turn_detection=ServerVad(silence_duration_ms=200),
)
"""Both pages' calls are minted with exactly this."""


class Desk:
    """Answers a page's bridge; its calls go to one service."""

    def __init__(self, build: str, calls: Calls) -> None:
        self._build = build
        self._calls = calls

    async def welcome(self, _: messages.Hello) -> messages.Welcome:
        self._calls.warm_up(SESSION)
        return messages.Welcome("Benchmark", "ga", (), self._build)

    async def open_call(self, call: messages.OpenCall) -> messages.CallOpened:
        return await self._calls.open(SESSION, call.sdp)

    async def call_key(self, wish: messages.CallKey) -> messages.KeyGiven:
        key = await self._calls.key(SESSION, fresh=wish.fresh)
        return messages.KeyGiven(key.url, key.key, key.expires_at, key.dialect)

    async def run_tool(self, _: messages.ToolCall) -> messages.ToolOutput:
        return messages.ToolOutput("There are no tools here.")

    async def call_closed(self, _: messages.CallClosed) -> None:
        pass

    async def feed(self, inputs: messages.CallFeed) -> messages.FeedTaken:
        return messages.FeedTaken(inputs.first)  # never asked for: nobody listens


@dataclass(frozen=True, slots=True)
class Site:
    """One served page. The cookie is what its one-time token is exchanged for."""

    name: str
    address: str
    cookie: dict[str, str]

    async def admit(self, context: BrowserContext) -> None:
        """Let this browser in."""
        await context.add_cookies([{**self.cookie, "url": self.address}])  # type: ignore[typeddict-item]


@asynccontextmanager
async def served(pages: dict[str, Page], service: str) -> AsyncIterator[dict[str, Site]]:
    """Serve the pages, each on a port of its own, in front of the service at this address."""
    async with AsyncExitStack() as stack:
        target = Target(service, FixedCredentials(Credential.api_key(KEY)))
        calls = await stack.enter_async_context(Calls.at(target))
        sites: dict[str, Site] = {}
        for name, page in pages.items():
            desk = Desk(page.build, calls)

            async def serve(bridge: web.WebSocketResponse, desk: Desk = desk) -> None:
                await BridgeLink(SocketLine(bridge), desk).serve()

            server = await stack.enter_async_context(PageServer(page, listen(0), serve))
            server.door.spend(server.door.token)
            cookie = {"name": server.door.cookie_name, "value": server.door.cookie}
            sites[name] = Site(name, f"http://127.0.0.1:{server.port}/", cookie)
        yield sites


# ---- the pages


def ours() -> Page:
    """The call page as it is built and shipped."""
    return load_page(BUILT)


def twin() -> Page:
    """The same call in plain JavaScript, with our style sheet and our level meter."""
    module = Asset("/assets/twin.mjs", (HERE / "twin" / "twin.mjs").read_bytes())
    style = Asset("/assets/page.css", (WEBVIEW / "page.css").read_bytes())
    icon = Asset("/assets/icon.svg", (WEBVIEW / "icon.svg").read_bytes())
    meter = _meter()
    boot = _data({"build": BUILD, "worklets": {METER: meter.path}})
    document = (HERE / "twin" / "index.html").read_text("utf-8")
    document = document.replace("{twin.mjs}", module.integrity).replace("{boot}", boot)
    contents = Contents(
        modules=(module.integrity,),
        worklets=(meter.path,),
        styles=(style.path,),
        images=(icon.path,),
        endpoints=ENDPOINTS,
        sockets=SOCKETS,
    )
    return _page(document, contents, module, style, icon, meter)


def stock() -> Page:
    """The call page as `loadPyodide` starts it by default: everything as it comes, ours as source."""
    folder = "/assets/pyodide/"
    names = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
    runtime = {
        name: Asset(folder + name, (PYODIDE / name).read_bytes())
        for name in (*names, "pyodide-lock.json")
    }
    loader = Asset("/assets/loader.mjs", (HERE / "stock" / "loader.mjs").read_bytes())
    archive = Asset("/assets/voicepilot.zip", _sources())
    style = Asset("/assets/page.css", (WEBVIEW / "page.css").read_bytes())
    icon = Asset("/assets/icon.svg", (WEBVIEW / "icon.svg").read_bytes())
    worklets = {
        path.stem: Asset(f"/assets/{path.name}", path.read_bytes())
        for path in sorted((WEBVIEW / "worklets").glob("*.js"))
    }
    modules = (loader, runtime["pyodide.mjs"], runtime["pyodide.asm.mjs"])
    import_map = _data(
        {
            "imports": {"pyodide": runtime["pyodide.mjs"].path},
            "integrity": {module.path: module.integrity for module in modules},
        }
    )
    paths = {name: worklet.path for name, worklet in worklets.items()}
    boot = _data({"build": BUILD, "archive": archive.path, "worklets": paths})
    head = (
        f'<script type="importmap">{import_map}</script>\n'
        f'<script type="application/json" id="boot">{boot}</script>\n'
    )
    document = (WEBVIEW / "index.html").read_text("utf-8")
    for name, asset in (("page.css", style), ("icon.svg", icon), ("loader.mjs", loader)):
        document = document.replace(f'"{name}"', f'"{html.escape(asset.path)}"')
    document = re.sub(r"(?=<script\b)", lambda _: head, document, count=1)
    fetched = (runtime["pyodide.asm.wasm"], runtime["python_stdlib.zip"])
    contents = Contents(
        inline_scripts=(digest("sha256", import_map.encode()),),
        modules=tuple(module.integrity for module in modules),
        worklets=tuple(paths.values()),
        styles=(style.path,),
        images=(icon.path,),
        fetched=tuple(a.path for a in (*fetched, runtime["pyodide-lock.json"], archive)),
        endpoints=ENDPOINTS,
        sockets=SOCKETS,
    )
    return _page(
        document, contents, *runtime.values(), loader, archive, style, icon, *worklets.values()
    )


def heard(page: Page) -> Page:
    """The page with the tests' loudness meter in its one worklet; the policy allows no other."""
    extra = WITNESS_WORKLET.read_bytes()
    files = {
        path: replace(file, body=file.body + extra) if METER in path else file
        for path, file in page.files.items()
    }
    return replace(page, files=files)


def _page(document: str, contents: Contents, *assets: Asset) -> Page:
    files = {
        asset.path.removeprefix("/"): PageFile(asset.content, asset.media_type)
        for asset in (Asset("/index.html", document.encode()), *assets)
    }
    return Page(BUILD, policy(contents, OwnServer()).header, files)


def _meter() -> Asset:
    content = (WEBVIEW / "worklets" / f"{METER}.js").read_bytes()
    return Asset(f"/assets/{METER}.js", content)


def _sources() -> bytes:
    package = ROOT / "py" / "voicepilot"
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive:
        for module in application_files(package):
            archive.write(module, Path("voicepilot") / module.relative_to(package))
    return result.getvalue()


def _data(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
