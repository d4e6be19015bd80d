"""A VS Code workbench as a person meets it: its server with an empty user folder, its window in Chromium.

Two origins for webviews. `Origin.SAME` is how code-server serves them, where a webview may use the
microphone. `Origin.OTHER` gives each webview an origin of its own, as VS Code on the desktop does, and
then it may not; for that, the workbench's document is changed on its way to the browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Frame,
    Locator,
    Page,
    Playwright,
    Route,
    expect,
)
from tests.vscode.install import node

SOON = 60_000
"""Milliseconds in which something must have happened on a busy machine; no measure of quality."""

_SETTINGS = {
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "security.workspace.trust.enabled": False,
    "window.menuBarVisibility": "compact",
}
_NO_GALLERY = json.dumps(dict.fromkeys(("serviceUrl", "itemUrl", "resourceUrlTemplate"), ""))
_SWITCHES = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)
_OTHER_ORIGIN_SWITCHES = (
    # A document that a test hands over counts as one from the internet.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
)
_WITNESS = (Path(__file__).parent / "witness.js").read_text("utf-8")


RESULTS = Path(__file__).parents[2] / "test-results" / "vscode"


class Origin(Enum):
    """From where webviews come."""

    SAME = "same"
    OTHER = "other"


@dataclass
class Server:
    """A running server with folders of its own."""

    entry: Path
    folder: Path
    port: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    path: str | None = None
    """Where it looks for programs, if not where the tests do."""

    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where its workbench is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workspace(self) -> Path:
        """The folder that its window opens."""
        return self.folder / "workspace"

    @property
    def storage(self) -> Path:
        """The extension's global storage."""
        return self.folder / "user" / "User" / "globalStorage" / "voicepilot.voicepilot"

    def prepare(self) -> None:
        """Make its folders and its settings."""
        self.workspace.mkdir(parents=True)
        (self.workspace / "notes.txt").write_text("The meeting is on Tuesday.\n")
        user = self.folder / "user" / "User"
        user.mkdir(parents=True)
        (user / "settings.json").write_text(json.dumps(_SETTINGS | self.settings))
        machine = self.folder / "user" / "Machine"
        machine.mkdir(parents=True)
        (machine / "settings.json").write_text(json.dumps(self.settings))

    async def install(self, vsix: Path) -> None:
        """Install the extension as a person would at a terminal."""
        process = await self._run("--install-extension", str(vsix))
        assert await process.wait() == 0

    async def start(self) -> None:
        """Start it and wait until it answers."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = await self._run(
            *("--auth", "none", "--bind-addr", f"127.0.0.1:{self.port}"),
            *("--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"),
            *("--disable-getting-started-override", str(self.workspace)),
        )
        async with asyncio.timeout(SOON / 1000):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.1)
                    continue
                writer.close()
                return

    def log(self) -> str:
        """What the extension has logged, in all windows."""
        files = (self.folder / "user" / "logs").rglob("voicepilot.voicepilot/VoicePilot.log")
        return "\n".join(file.read_text("utf-8") for file in sorted(files))

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it with all that it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        try:
            async with asyncio.timeout(20):
                await self.process.wait()
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()

    async def _run(self, *arguments: str) -> asyncio.subprocess.Process:
        home = self.folder
        log = (home / "server.log").open("ab")
        with log:
            return await asyncio.create_subprocess_exec(
                *(str(node()), str(self.entry), "--config", str(home / "config.yaml")),
                *("--user-data-dir", str(home / "user")),
                *("--extensions-dir", str(home / "extensions")),
                *arguments,
                env={
                    **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
                    **({"PATH": self.path} if self.path is not None else {}),
                    **_package_sources(),
                    "HOME": str(home),
                    "XDG_CONFIG_HOME": str(home / "config"),
                    "XDG_DATA_HOME": str(home / "data"),
                    "EXTENSIONS_GALLERY": _NO_GALLERY,
                    # It would ask the login shell for a path of its own.
                    "SHELL": "/bin/true",
                    # As on the desktop, the loopback of the browser is that of the extension.
                    "VSCODE_PROXY_URI": "",
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def _package_sources() -> dict[str, str]:
    """Where this machine gets Python packages from, if from elsewhere than everybody."""
    wanted = re.compile(r"(?i)^(pip|uv)_|_proxy$|^ssl_cert|_ca_bundle$")
    return {name: value for name, value in os.environ.items() if wanted.search(name)}


class Workbench:
    """One window."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.console.append(message.text)

    async def open(self, address: str, workspace: Path) -> None:
        """Open the window and wait until it can be used."""
        await self.page.goto(f"{address}/?folder={workspace}")
        await expect(self.page.locator(".monaco-workbench")).to_be_visible(timeout=SOON)
        await expect(self.page.locator("#status\\.host, .statusbar").first).to_be_visible(
            timeout=SOON
        )

    async def run(self, title: str) -> None:
        """Run a command by its title in the palette.

        The palette knows an extension's commands only once the window has them, and does not look
        again while it is open.
        """
        rows = self.page.locator(".quick-input-list .monaco-list-row")
        for _ in range(20):
            await self.page.keyboard.press("F1")
            box = self.page.locator(".quick-input-widget input[type=text]").first
            with contextlib.suppress(Exception):
                await box.fill(f">{title}", timeout=2000)
                row = rows.filter(has_text=title).first
                await expect(row).to_be_visible(timeout=1000)
                await row.click(timeout=2000)
                return
            await self.page.keyboard.press("Escape")
        raise AssertionError(f"the palette never had {title!r}")

    async def choose(self, label: str) -> None:
        """Choose a line of a list that the extension shows."""
        row = self.page.locator(".quick-input-list .monaco-list-row", has_text=label).first
        await row.click(timeout=SOON)

    async def press(self, name: str) -> None:
        """Press a button of a dialogue or a notification."""
        button = self.page.get_by_role("button", name=name, exact=True).first
        await button.click(timeout=SOON)

    @property
    def status(self) -> Locator:
        """The extension's item in the status bar."""
        return self.page.locator("#voicepilot\\.voicepilot\\.voicepilot\\.status")

    async def panel(self, limit: float = SOON) -> Frame:
        """The frame in which the call page lies, once it is there."""
        async with asyncio.timeout(limit / 1000):
            while True:
                for frame in self.page.frames:
                    with contextlib.suppress(Exception):
                        if await frame.locator("#call").count():
                            return frame
                await asyncio.sleep(0.2)


class CallFrame:
    """The call page, wherever it lies: in a webview or in a tab."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.main = frame.locator("#call")
        self.transcript = frame.get_by_role("log", name="Transcript")

    async def ready(self) -> None:
        """Wait until its Python runs and the backend has greeted it."""
        await expect(self.frame.locator("#call[data-boot=ready]")).to_be_attached(timeout=SOON)
        await expect(self.frame.locator("#service")).not_to_be_empty(timeout=SOON)

    async def state(self, *states: str) -> None:
        """Wait for one of these states."""
        pattern = re.compile("^(" + "|".join(states) + ")$")
        await expect(self.main).to_have_attribute("data-state", pattern, timeout=SOON)

    async def heard(self, role: str, words: str | re.Pattern[str]) -> None:
        """Wait for a turn of ``role`` with these words that has come to its end."""
        turn = self.transcript.locator(f".turn[data-role={role}][data-status=completed]")
        await expect(turn.filter(has_text=words).first).to_be_visible(timeout=SOON)

    async def audible(self) -> None:
        """Wait until sound has come from the service and is played."""
        assert await self.frame.evaluate("(limit) => vscodeWitness.soon(limit)", SOON)

    async def violations(self) -> list[str]:
        """What the content security policy refused."""
        found: list[str] = await self.frame.evaluate("() => vscodeWitness.violations")
        return found


@asynccontextmanager
async def chromium(
    playwright: Playwright, origin: Origin, *switches: str
) -> AsyncIterator[Browser]:
    """A browser with a fake microphone; as root it starts only without its sandbox."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    other = _OTHER_ORIGIN_SWITCHES if origin is Origin.OTHER else ()
    path = os.environ.get("VOICEPILOT_CHROMIUM", "/usr/bin/chromium")
    browser = await playwright.chromium.launch(
        executable_path=path, args=[*_SWITCHES, *root, *other, *switches]
    )
    try:
        yield browser
    finally:
        await browser.close()


@asynccontextmanager
async def window(
    browser: Browser, server: Server, origin: Origin = Origin.SAME
) -> AsyncIterator[Workbench]:
    """A window of ``server``, in a browser context of its own."""
    context = await browser.new_context(viewport={"width": 1400, "height": 900})
    await context.add_init_script(_WITNESS)
    if origin is Origin.OTHER:
        await _give_webviews_another_origin(context, server)
    workbench = Workbench(await context.new_page())
    try:
        await workbench.open(server.address, server.workspace)
        yield workbench
    except BaseException:
        await keep_picture(workbench, server.folder.parent.name)
        raise
    finally:
        await context.close()


async def keep_picture(workbench: Workbench, name: str) -> None:
    """Keep what the window shows, for whoever looks into a failure."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(Exception):
        await workbench.page.screenshot(path=RESULTS / f"{name}.png")
    (RESULTS / f"{name}.txt").write_text("\n".join(workbench.console))


async def _give_webviews_another_origin(context: BrowserContext, server: Server) -> None:
    async def change(route: Route) -> None:
        response = await route.fetch()
        text = await response.text()
        endpoint = f"http://{{{{uuid}}}}.localhost:{server.port}"
        named = r"webviewEndpoint&quot;:&quot;"
        text, changed = re.subn(named, lambda found: f"{found[0]}{endpoint}/", text)
        assert changed == 1, "the workbench names no webview endpoint"
        headers = dict(response.headers)
        policy = headers["content-security-policy"]
        headers["content-security-policy"] = re.sub(
            r"frame-src ", f"frame-src http://*.localhost:{server.port} ", policy
        )
        await route.fulfill(response=response, body=text, headers=headers)

    await context.route(re.compile(rf"^{re.escape(server.address)}/\?"), change)
