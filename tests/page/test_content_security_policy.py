"""The policy of the built page, enforced by a browser: nothing too little, nothing too much.

Only what the page does by itself counts: Playwright's ``evaluate`` runs with eval allowed, so the
page is left to start alone, and attempts are made from a timer of the page.
"""

import asyncio
import dataclasses
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from voicepilot.backend.page_files import load_page
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.bundle.policy import Policy

pytestmark = pytest.mark.asyncio(loop_scope="module")

BUILT = Path(__file__).parents[2] / "dist" / "page"
CHROMIUM = os.environ.get("VOICEPILOT_CHROMIUM", "/usr/bin/chromium")
UNTIL = 10_000
"""Milliseconds within which something must have happened on a busy machine."""

UNSTYLED_MARGIN = "8px"
"""What a browser gives a body that no style sheet reaches."""

TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  tellViolation(`${event.effectiveDirective} ${event.blockedURI}`));
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # As root, Chromium starts only without its sandbox.
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        await browser.close()


def built_policy() -> Policy:
    """The policy that the build wrote, as a value, with the place of the origin still open."""
    text = json.loads((BUILT / "manifest.json").read_text("utf-8"))["policy"]
    directives = (directive.split(" ") for directive in text.split("; "))
    return Policy({name: tuple(sources) for name, *sources in directives})


def source_of(directive: str, part: str) -> str:
    """The one source of ``directive`` that allows the file or path with ``part`` in its name."""
    found = [source for source in built_policy().directives[directive] if part in source]
    assert len(found) == 1, f"{directive} has {found} for {part}"
    return found[0]


def hash_of(part: str) -> str:
    """The source that allows the module with ``part`` in its name."""
    files = json.loads((BUILT / "manifest.json").read_text("utf-8"))["files"]
    found = [entry["sha384"] for path, entry in files.items() if part in path]
    assert len(found) == 1, f"{part} is {found}"
    return f"'{found[0]}'"


class Heard:
    """Texts that a page sends, which can be waited for."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._news = asyncio.Event()

    def take(self, text: str) -> None:
        self.texts.append(text)
        self._news.set()

    async def until(self, part: str) -> None:
        """Wait until a text with ``part`` in it has come."""
        try:
            async with asyncio.timeout(UNTIL / 1000):
                while not any(part in text for text in self.texts):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"nothing about {part} in {self.texts}")


@dataclasses.dataclass
class Visit:
    """A browser's visit to the page."""

    page: Page
    violations: Heard
    """``DIRECTIVE BLOCKED_URI`` of every violation."""

    complaints: list[str]
    """What the console and uncaught errors said about the policy."""

    connected: asyncio.Event
    """Set when the page's WebSocket has arrived."""

    async def attempt(self, script: str) -> str:
        """Run ``script`` from a timer of the page, without the eval that evaluate brings along."""
        return await self.page.evaluate(
            """() => new Promise((done) => setTimeout(async () => {
                 try { done(String(await (async () => { SCRIPT })())); }
                 catch (error) { done(error.name); }
               }))""".replace("SCRIPT", script)
        )

    async def ready(self) -> None:
        await expect(self.page.locator("#call[data-boot=ready]")).to_be_attached(timeout=UNTIL)


@asynccontextmanager
async def visit(browser: Browser, policy: Policy) -> AsyncIterator[Visit]:
    """Serve the built page under ``policy`` by its own server, and open it."""
    connected = asyncio.Event()

    async def serve_bridge(bridge: web.WebSocketResponse) -> None:
        connected.set()
        async for _ in bridge:
            pass

    built = dataclasses.replace(load_page(BUILT), policy=policy.header)
    async with PageServer(built, listen(0), serve_bridge) as server:
        context = await browser.new_context()
        page = await context.new_page()
        await page.clock.install()
        violations, complaints = Heard(), list[str]()
        await page.expose_function("tellViolation", violations.take)

        def heard(message: ConsoleMessage) -> None:
            if "Content Security Policy" in message.text or "Trusted" in message.text:
                complaints.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.add_init_script(TELL_VIOLATIONS)
        await page.goto(server.url)
        yield Visit(page, violations, complaints, connected)
        await context.close()


async def not_started(visit: Visit) -> None:
    """Python does not start, and the page says so once its time limit is over."""
    await visit.page.clock.fast_forward(21_000)
    notice = visit.page.locator("#boot-failed, #boot-slow").filter(visible=True)
    await expect(notice.first).to_be_visible(timeout=UNTIL)
    await expect(visit.page.locator("#call")).not_to_have_attribute("data-boot", "ready")


async def loader_did_not_run(visit: Visit) -> None:
    """The loader would have answered the press of Talk at once."""
    await visit.page.get_by_role("button", name="Talk").click()
    assert await visit.page.locator("#call").get_attribute("data-wanted") is None


async def not_connected(visit: Visit) -> None:
    await visit.ready()
    assert not visit.connected.is_set()


async def started_slowly(visit: Visit) -> None:
    """Python starts all the same, by importing everything."""
    await visit.ready()
    await visit.page.locator("#details > summary").click()
    await expect(visit.page.locator("#connection")).to_contain_text("without its memory")


async def only_as_built(visit: Visit) -> None:
    """Python starts from memory, and could import nothing beside it."""
    await visit.ready()
    await visit.page.locator("#details > summary").click()
    await expect(visit.page.locator("#connection")).to_contain_text("from memory")


async def without_style(visit: Visit) -> None:
    assert await body_margin(visit) == UNSTYLED_MARGIN


async def body_margin(visit: Visit) -> str:
    return await visit.page.evaluate("getComputedStyle(document.body).margin")


async def without_icon(visit: Visit) -> None:
    assert await visit.page.evaluate("document.images[0].naturalWidth") == 0


async def test_the_page_starts_and_connects_without_a_violation(browser: Browser) -> None:
    async with visit(browser, built_policy()) as page:
        await page.ready()
        await asyncio.wait_for(page.connected.wait(), UNTIL / 1000)
        assert [await add_worklet(page, each) for each in WORKLETS] == ["added", "added"]
        assert await body_margin(page) != UNSTYLED_MARGIN
        assert await page.page.evaluate("document.images[0].naturalWidth") > 0
        assert (page.violations.texts, page.complaints) == ([], [])


async def add_worklet(page: Visit, name: str) -> str:
    return await page.attempt(
        f"""const boot = JSON.parse(document.getElementById("boot").textContent);
           await new OfflineAudioContext(1, 1, 48000)
             .audioWorklet.addModule(boot.worklets["{name}"]);
           return "added";"""
    )


WORKLETS = ("level-meter", "pcm")
CALL = "/call"

ALLOWED: dict[str, tuple[str, Callable[[], str], Callable]] = {
    "the import map": ("script-src", lambda: source_of("script-src", "'sha256-"), not_started),
    "the loader": ("script-src", lambda: hash_of("/loader."), loader_did_not_run),
    "Pyodide's starter": ("script-src", lambda: hash_of("/interpreter."), not_started),
    "Pyodide": ("script-src", lambda: hash_of("/pyodide.mjs"), not_started),
    "Pyodide's glue": ("script-src", lambda: hash_of("/pyodide.asm.mjs"), not_started),
    "WebAssembly": ("script-src", lambda: "'wasm-unsafe-eval'", not_started),
    "the style sheet": ("style-src", lambda: source_of("style-src", "/page."), without_style),
    "the icon": ("img-src", lambda: source_of("img-src", "/icon."), without_icon),
    "the interpreter": ("connect-src", lambda: source_of("connect-src", ".wasm"), not_started),
    "the memory": ("connect-src", lambda: source_of("connect-src", "/memory."), started_slowly),
    "the archive": ("connect-src", lambda: source_of("connect-src", "/python."), only_as_built),
    "the session": ("connect-src", lambda: source_of("connect-src", "/session"), not_connected),
    "the bridge": ("connect-src", lambda: source_of("connect-src", "/bridge"), not_connected),
}


@pytest.mark.parametrize("part", ALLOWED)
async def test_what_a_source_allows_breaks_without_it(browser: Browser, part: str) -> None:
    directive, source, broken = ALLOWED[part]
    async with visit(browser, built_policy().without(directive, source())) as page:
        await page.violations.until(directive)
        await broken(page)


@pytest.mark.parametrize("worklet", WORKLETS)
async def test_a_worklet_breaks_without_its_path(browser: Browser, worklet: str) -> None:
    source = source_of("script-src", f"/{worklet}.")
    async with visit(browser, built_policy().without("script-src", source)) as page:
        await page.ready()
        assert await add_worklet(page, worklet) == "AbortError"


async def test_a_call_over_websocket_breaks_without_its_address(browser: Browser) -> None:
    source = source_of("connect-src", CALL)
    async with visit(browser, built_policy().without("connect-src", source)) as page:
        await page.ready()
        await page.attempt("new WebSocket(`ws://${location.host}/call`); return 'begun';")
        await page.violations.until("connect-src")


async def test_every_source_is_covered_by_a_test_that_leaves_it_out() -> None:
    left_out = {(directive, source()) for directive, source, _ in ALLOWED.values()}
    left_out |= {("script-src", source_of("script-src", f"/{each}.")) for each in WORKLETS}
    left_out.add(("connect-src", source_of("connect-src", CALL)))
    allowed = {
        (directive, source)
        for directive, sources in built_policy().directives.items()
        if not directive.startswith(("require-", "trusted-"))
        for source in sources
        if source != "'none'"
    }
    assert left_out == allowed


FORBIDDEN = {
    "eval": ("require-trusted-types-for", "return eval('\"done\"');", "EvalError"),
    "a module that is not in the build": (
        "script-src-elem",
        "await import('data:text/javascript,export default 1'); return 'done';",
        "TypeError",
    ),
    "a script within the page": (
        "require-trusted-types-for",
        """const script = document.createElement("script");
           script.append("globalThis.ran = true");
           document.head.append(script);
           return globalThis.ran;""",
        "undefined",
    ),
    "HTML from a string": (
        "require-trusted-types-for",
        "document.body.innerHTML = '<p>'; return 'done';",
        "TypeError",
    ),
    "a policy for trusted types": (
        "trusted-types",
        "trustedTypes.createPolicy('mine', {}); return 'done';",
        "TypeError",
    ),
    "a request elsewhere on this server": (
        "connect-src",
        "await fetch('/manifest.json'); return 'done';",
        "TypeError",
    ),
    "a request elsewhere": (
        "connect-src",
        "await fetch('https://voicepilot.invalid/'); return 'done';",
        "TypeError",
    ),
    "a style attribute": (
        "style-src-attr",
        """document.body.setAttribute("style", "color: rgb(1, 2, 3)");
           return getComputedStyle(document.body).color === "rgb(1, 2, 3)";""",
        "false",
    ),
    "another base for addresses": (
        "base-uri",
        """const base = document.createElement("base");
           base.href = "https://voicepilot.invalid/";
           document.head.append(base);
           return document.baseURI.includes("invalid");""",
        "false",
    ),
    "a frame": (
        "frame-src",
        """const frame = document.createElement("iframe");
           frame.src = "https://voicepilot.invalid/";
           document.body.append(frame);
           return "appended";""",
        "appended",
    ),
    "a form": (
        "form-action",
        """const form = document.createElement("form");
           form.action = "https://voicepilot.invalid/";
           document.body.append(form);
           form.submit();
           return "submitted";""",
        "submitted",
    ),
}


async def test_what_the_page_does_not_need_is_refused(browser: Browser) -> None:
    async with visit(browser, built_policy()) as page:
        await page.ready()
        for attempt, (directive, script, outcome) in FORBIDDEN.items():
            page.violations.texts.clear()
            assert await page.attempt(script) == outcome, attempt
            await page.violations.until(f"{directive} ")


async def test_another_page_cannot_frame_ours(browser: Browser) -> None:
    async with visit(browser, built_policy()) as page:
        address = page.page.url.split("#")[0]
        other = await page.page.context.new_page()
        console = Heard()
        other.on("console", lambda message: console.take(message.text))
        await other.set_content(f'<iframe src="{address}"></iframe>')
        await console.until("frame-ancestors")
