"""The call page in a real Chromium, driven as a person would, watched from the inside.

Playwright's ``evaluate`` runs with eval allowed, so nothing of the page is started from it: the page
starts by itself, and buttons are pressed by the mouse or the keyboard.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, Route, StorageState, expect
from tests.voices import OUTPUT_RATE, sentence, up_to_last_sound

WITNESS = (Path(__file__).parent / "witness.js").read_text("utf-8")

SOON = 20_000
"""Milliseconds in which something must have happened on a busy machine; no measure of quality."""

AUDIBLE = 0.01
"""Root mean square of a 5 ms block in which somebody speaks; full scale is 1."""


A_SENTENCE = re.compile(r"^\s*[A-Z][^\n]+\.\s*$")


@dataclass(frozen=True)
class Turn:
    """One row of the transcript."""

    role: str
    text: str
    status: str
    remark: str


@dataclass(frozen=True, kw_only=True)
class Visit:
    """How the page is visited."""

    on_cue: bool = True
    """The microphone says what the test says; else it is the browser's fake one."""

    silent: bool = False
    """The microphone on cue has not even a hiss."""

    refusal: str | None = None
    """The name of the exception with which getUserMedia refuses."""

    allowed: bool = True
    """The person has allowed the microphone."""

    listen: bool = True
    """The reply's loudness is recorded."""

    hold: str | None = None
    """Requests whose addresses match this wait until the test lets them go."""

    clock: bool = False
    """The test moves the page's clock."""

    expected_errors: tuple[str, ...] = ()
    """Parts of messages on the console that belong to the test."""

    context: dict[str, Any] = field(default_factory=dict)
    """Options of the browser context."""


@functools.cache
def _spoken(words: str) -> str:
    return base64.b64encode(up_to_last_sound(sentence(words)).tobytes()).decode()


def words_of(text: str) -> list[str]:
    """The words of a text, compared as spoken: without case, punctuation and the spelling of 12 and 7."""
    spelled = {"twelve": "12", "seven": "7", "ten": "10", "twenty": "20", "forty": "40"}
    return [spelled.get(word, word) for word in re.findall(r"[a-z0-9]+", text.lower())]


class CallPage:
    """One open call page."""

    def __init__(self, page: Page, visit: Visit) -> None:
        self.page = page
        self.visit = visit
        self.errors: list[str] = []
        self._let_go = asyncio.Event()
        self.main = page.locator("#call")
        self.log = page.get_by_role("log", name="Transcript")
        self.alerts = page.locator("[role=alert]:visible")
        self.message = page.get_by_role("textbox", name="Message")
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    async def hold(self, route: Route) -> None:
        """Let a request wait until `release`."""
        await self._let_go.wait()
        await route.continue_()

    def release(self) -> None:
        """Let the requests that wait go on."""
        self._let_go.set()

    def check(self) -> None:
        """Fail if the page complained about anything that the test does not expect."""
        expected = self.visit.expected_errors
        unexpected = [each for each in self.errors if not any(part in each for part in expected)]
        assert not unexpected, unexpected

    # ---- what a person does

    def button(self, name: str) -> Locator:
        """The button with exactly this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def ready(self) -> None:
        """Wait until Python runs and the backend is there."""
        await expect(self.page.locator("#call[data-boot=ready]")).to_be_attached(timeout=SOON)

    async def talk(self) -> None:
        """Press Talk and wait until the call is live."""
        await self.button("Talk").click()
        await self.state("listening")

    async def stop(self) -> None:
        """Press Stop."""
        await self.button("Stop").click()
        await self.state("ended")

    async def speak(self, words: str) -> float:
        """Say ``words`` into the microphone; returns when the last was spoken, in epoch ms."""
        spoken: float = await self.page.evaluate(
            "([samples, rate]) => witness.speak(samples, rate)", [_spoken(words), OUTPUT_RATE]
        )
        return spoken

    async def write(self, words: str) -> None:
        """Send a typed message."""
        await self.message.fill(words)
        await self.message.press("Enter")

    # ---- what a person sees

    async def state(self, *states: str) -> None:
        """Wait for one of these values of `<main data-state>`."""
        pattern = re.compile("^(" + "|".join(states) + ")$")
        await expect(self.main).to_have_attribute("data-state", pattern, timeout=SOON)

    async def turns(self) -> list[Turn]:
        """The transcript's turns, oldest first."""
        rows = await self.log.locator(".turn").evaluate_all(
            """(rows) => rows.map((row) => ({
                 role: row.dataset.role,
                 status: row.dataset.status,
                 text: row.querySelector(".words").textContent,
                 remark: row.querySelector(".remark").textContent,
               }))"""
        )
        return [Turn(**row) for row in rows]

    def turn(self, role: str, text: str | re.Pattern[str]) -> Locator:
        """The turns of ``role`` whose words contain ``text``."""
        words = self.page.locator(".words", has_text=text)
        return self.log.locator(f".turn[data-role={role}]", has=words)

    async def answered(self, text: str | re.Pattern[str], role: str = "assistant") -> None:
        """Wait for a whole answer with ``text`` in it, heard to its end."""
        await expect(self.turn(role, text).last).to_have_attribute(
            "data-status", "completed", timeout=SOON
        )
        await self.state("listening")

    async def alert(self, code: str) -> str:
        """Wait for the problem ``code``; returns its sentence and next step."""
        notice = self.page.locator(f"[role=alert][data-code={code}]")
        await expect(notice).to_be_visible(timeout=SOON)
        for part in (".says", ".next"):
            await expect(notice.locator(part)).to_have_text(A_SENTENCE)
        return await notice.inner_text()

    # ---- what the witness recorded

    async def witness(self, expression: str) -> Any:
        """The value of ``witness.EXPRESSION`` in the page."""
        return await self.page.evaluate(f"() => witness.{expression}")

    async def until(self, condition: str) -> None:
        """Wait until this JavaScript condition holds."""
        # Playwright's wait_for_function makes a function of it in a timer, which the policy forbids.
        holds: bool = await self.page.evaluate(
            f"""() => new Promise((done) => {{
                  const end = Date.now() + {SOON};
                  const look = () => {{
                    const holds = Boolean({condition});
                    if (holds || Date.now() > end) done(holds);
                    else setTimeout(look, 20);
                  }};
                  look();
                }})"""
        )
        assert holds, f"never in {SOON} ms: {condition}"

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of this type so far, each with ``at`` in epoch ms."""
        found: list[dict[str, Any]] = await self.page.evaluate(
            "(kind) => witness.events.filter(({ event }) => event?.type === kind)", kind
        )
        return [{**entry["event"], "at": entry["at"]} for entry in found]

    async def loudness(self) -> list[tuple[float, float]]:
        """(epoch ms, root mean square) of the reply as it sounded, every 5 ms."""
        return [(at, rms) for at, rms in await self.witness("loudness")]

    async def changes(self, what: str) -> list[dict[str, Any]]:
        """What was switched, stopped or pressed: each with ``at`` and ``value``."""
        return [entry for entry in await self.witness("changes") if entry["what"] == what]


@asynccontextmanager
async def open_page(
    browser: Browser, url: str, visit: Visit, storage: StorageState | None = None
) -> AsyncIterator[CallPage]:
    """Open ``url`` in a browser context of its own; afterwards the page must have nothing to complain of."""
    context = await browser.new_context(
        storage_state=storage,
        permissions=["microphone"] if visit.allowed else [],
        **{"viewport": {"width": 1100, "height": 800}, **visit.context},
    )
    settings = {
        "onCue": visit.on_cue,
        "silent": visit.silent,
        "refusal": visit.refusal,
        "listen": visit.listen,
    }
    await context.add_init_script(f"({WITNESS})({json.dumps(settings)})")
    page = CallPage(await context.new_page(), visit)
    if visit.hold:
        await context.route(visit.hold, page.hold)
    if visit.clock:
        await page.page.clock.install()
    try:
        # Scripts that wait hold up the page's load event, but not the document.
        await page.page.goto(url, wait_until="commit" if visit.hold else "load")
        yield page
        assert await page.witness("violations") == []
        page.check()
    finally:
        await context.close()
