"""The debugging page in a real browser: what it shows of a call, and what a developer can try on it."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, StorageState, expect
from tests.page.backends import BUILT, Program
from tests.page.call_page import SOON, CallPage, Visit, open_page
from tests.page.test_accessibility import violations

pytestmark = pytest.mark.asyncio(loop_scope="session")

Open = Callable[..., AbstractAsyncContextManager[CallPage]]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder given with --wheels."""
    return tmp_path_factory.mktemp("wheels")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(built_page: Path, project: Path, wheels: Path) -> AsyncIterator[str]:
    """The demo, started for debugging: its address, good for one browser."""
    places = ("--page", str(built_page), "--wheels", str(wheels))
    program = await Program.start("demo", "--no-browser", "--port", "0", *places, folder=project)
    try:
        yield await program.says(r"http://\S+")
    finally:
        await program.end()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admitted(chromium: Browser, address: str) -> StorageState:
    """The cookie, got through the debugging page's own address."""
    async with open_page(chromium, address.replace("/#", "/debug#"), Visit()) as page:
        await page.ready()
        await page.until("document.getElementById('service').textContent !== ''")
        return await page.page.context.storage_state()


@pytest.fixture
def open_debug_page(chromium: Browser, address: str, admitted: StorageState) -> Open:
    """Opens the debugging page: ``async with open_debug_page() as page``."""
    url = address.partition("#")[0] + "debug"

    def open_it(**how: object) -> AbstractAsyncContextManager[CallPage]:
        how.setdefault("context", {"viewport": {"width": 1400, "height": 900}})
        return open_page(chromium, url, Visit(**how), admitted)

    return open_it


class Console:
    """The page's Python console."""

    def __init__(self, page: CallPage) -> None:
        self.input = page.page.get_by_role("textbox", name="Python")
        self.output = page.page.get_by_role("log", name="Console output")

    async def run(self, source: str) -> None:
        """Type a source and press Enter."""
        await self.input.fill(source)
        await self.input.press("Enter")

    def said(self, kind: str, text: str | re.Pattern[str]) -> Locator:
        """The newest thing of this kind, with ``text`` in it."""
        return self.output.locator(f"pre.{kind}").last.filter(has_text=text)

    async def answers(self, source: str, text: str | re.Pattern[str], kind: str = "result") -> None:
        """Run ``source`` and wait for this answer."""
        await self.run(source)
        await expect(self.said(kind, text)).to_be_visible(timeout=SOON)


def panel(page: CallPage, name: str) -> Locator:
    """The heading that opens a panel."""
    return page.page.locator("summary", has_text=name)


# ---- starting


async def test_pyscript_starts_the_page_without_a_violation(open_debug_page: Open) -> None:
    async with open_debug_page() as page:  # which checks violations and the console at its end
        await page.ready()
        await expect(page.page.locator("#connection")).to_contain_text("from memory")
        console = Console(page)
        await console.answers("import pyscript; pyscript.document.title", "VoicePilot: debugging")


async def test_its_policy_is_as_strict_as_the_call_pages() -> None:
    manifest = json.loads((BUILT / "manifest.json").read_text("utf-8"))

    def directives(text: str) -> dict[str, set[str]]:
        return {name: set(rest) for name, *rest in (each.split() for each in text.split("; "))}

    ours = directives(manifest["documents"]["/debug"]["policy"])
    call_page = directives(manifest["policy"])
    assert ours.keys() == call_page.keys()
    for name, sources in ours.items():
        kinds = (r"'sha(256|384)-[\w+/=]+'", r"\{origin\}/assets/debug\.[0-9a-f]+\.(css|zip)")
        for source in sources - call_page[name]:
            assert any(re.fullmatch(kind, source) for kind in kinds) or (name, source) == (
                "connect-src",
                "{origin}/wheels/",
            )
    assert "unsafe" not in re.sub("'wasm-unsafe-eval'", "", str(ours))
    assert ours["require-trusted-types-for"] == {"'script'"}
    assert ours["trusted-types"] == {"'none'"}


async def test_the_call_page_pays_nothing_for_it(
    chromium: Browser, address: str, admitted: StorageState
) -> None:
    context = await chromium.new_context(storage_state=admitted)
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(address.partition("#")[0])
    await expect(page.locator("#call[data-boot=ready]")).to_be_attached(timeout=SOON)
    await expect(page.locator("#service")).not_to_be_empty(timeout=SOON)
    assert len(asked) > 5
    assert [url for url in asked if re.search("debug|pyscript|micropip|wheel", url)] == []
    document = (BUILT / "index.html").read_text("utf-8")
    assert re.search("debug|pyscript", document) is None
    await context.close()


async def test_its_python_is_not_in_the_call_pages_archive() -> None:
    (archive,) = (BUILT / "assets").glob("python.*.zip")
    with zipfile.ZipFile(archive) as members:
        names = members.namelist()
    assert not [name for name in names if name.startswith(("voicepilot/debug/", "micropip/"))]


# ---- the console


async def test_the_console_runs_python_beside_the_call(open_debug_page: Open) -> None:
    # An event loop tells of a SystemExit as well as the console, and goes on.
    async with open_debug_page(expected_errors=("SystemExit: 3",)) as page:
        await page.ready()
        console = Console(page)
        await console.answers("1+1", re.compile("^2$"))
        await console.answers("_ * 21", re.compile("^42$"))
        await console.answers("call.phase", "Phase.IDLE")
        await console.answers("await __import__('asyncio').sleep(0, 'waited')", "'waited'")
        await console.answers("print('said', 7)", "said 7", "output")
        await console.answers("1/0", "ZeroDivisionError", "error")
        await console.answers("1 +* 2", "SyntaxError", "error")
        await console.answers("raise SystemExit(3)", "SystemExit", "error")
        await console.answers("len(page.timeline.turns), record.responses", "(0, 0)")


async def test_blocks_history_and_completion(open_debug_page: Open) -> None:
    async with open_debug_page() as page:
        await page.ready()
        console = Console(page)
        await console.input.press_sequentially("def twice(n):")
        await console.input.press("Enter")
        await console.input.press_sequentially("    return 2 * n")
        await console.input.press("Enter")
        await console.input.press("Enter")
        await expect(console.input).to_have_value("")
        await console.answers("twice(21)", re.compile("^42$"))
        await console.input.press("ArrowUp")
        await expect(console.input).to_have_value("twice(21)")
        await console.input.press("ArrowDown")
        await expect(console.input).to_have_value("")
        await console.input.press_sequentially("call.conversa")
        await console.input.press("Tab")
        await expect(console.input).to_have_value("call.conversation")
        await console.input.press("Escape")
        await console.input.press("Tab")
        await expect(console.input).not_to_be_focused()


# ---- a call


async def test_a_typed_turn_appears_in_transcript_lanes_and_console(open_debug_page: Open) -> None:
    async with open_debug_page() as page:
        await page.ready()
        await page.talk()
        await page.write("What is ten plus ten?")
        await page.answered("20")
        await expect(page.page.locator("#turn-name")).to_have_text("Turn 1, typed")
        for lane in ("Response", "Transcript", "Audio"):
            bars = page.page.locator(f".lane[data-lane={lane}] .bar")
            await expect(bars.first).to_be_visible()
        moments = page.page.locator("#moments")
        await expect(moments).to_contain_text("typed 0 ms")
        await expect(moments).to_contain_text(re.compile(r"audio \d+ to \d+ ms"))
        await expect(moments).to_contain_text(re.compile(r"heard \d+ ms"))
        await expect(page.page.locator("#chart-round-trip polyline")).to_be_attached(timeout=SOON)
        await expect(page.page.locator("#chart-levels .second polyline")).to_be_attached()
        await expect(page.page.locator("#events details").first).to_be_visible()
        console = Console(page)
        await console.answers("[turn.role for turn in record.conversation.turns]", "assistant")
        await console.answers("driver.say('Say hello to Ada')", "True")
        await page.answered("Ada")
        await page.stop()


async def test_a_spoken_turn_has_all_five_lanes(open_debug_page: Open) -> None:
    async with open_debug_page() as page:
        await page.ready()
        await page.talk()
        await page.speak("What is twelve times seven?")
        await page.answered("84")
        for lane in ("Microphone", "VAD", "Transcript", "Response", "Audio"):
            bars = page.page.locator(f".lane[data-lane={lane}] .bar")
            await expect(bars.first).to_be_attached(timeout=SOON)
        await expect(page.page.locator("#moments")).to_contain_text(
            re.compile(r"speech 0 to \d+ ms.*your words \d+ to \d+ ms"), timeout=SOON
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(open_debug_page: Open, scheme: str) -> None:
    context = {"viewport": {"width": 1400, "height": 900}, "color_scheme": scheme}
    async with open_debug_page(context={**context, "reduced_motion": "reduce"}) as page:
        await page.ready()
        await page.talk()
        await page.write("What is ten plus ten?")
        await page.answered("20")
        await Console(page).answers("1/0", "ZeroDivisionError", "error")
        for name in ("Replay", "Faults", "Wheels"):
            opened = panel(page, name)
            if not await opened.evaluate("(summary) => summary.parentElement.open"):
                await opened.click()
            assert await violations(page) == []


# ---- replay


ANSWER = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0}
RECORDED: list[tuple[float, str, dict[str, object]]] = [
    (0.0, "received", {"type": "session.created", "session": {"id": "sess_1"}}),
    (0.2, "received", {"type": "input_audio_buffer.speech_started", "item_id": "u1"}),
    (1.2, "received", {"type": "input_audio_buffer.speech_stopped", "item_id": "u1"}),
    (1.2, "received", {"type": "input_audio_buffer.committed", "item_id": "u1"}),
    (1.3, "received", {"type": "response.created", "response": {"id": "r1"}}),
    (
        1.4,
        "received",
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "u1",
            "content_index": 0,
            "transcript": "Who was here?",
        },
    ),
    (
        1.5,
        "received",
        {"type": "response.output_audio_transcript.done", "transcript": "Nobody was.", **ANSWER},
    ),
    (1.5, "received", {"type": "output_audio_buffer.started", "response_id": "r1"}),
    (
        1.6,
        "received",
        {"type": "response.done", "response": {"id": "r1", "status": "completed"}},
    ),
    (2.5, "received", {"type": "output_audio_buffer.stopped", "response_id": "r1"}),
]


async def test_a_recorded_call_runs_again_through_the_same_views(
    open_debug_page: Open, tmp_path: Path
) -> None:
    log = tmp_path / "call.jsonl"
    lines = [json.dumps({"direction": d, "at": at, "event": event}) for at, d, event in RECORDED]
    log.write_text("\n".join([*lines, "no json", ""]))
    async with open_debug_page() as page:
        await page.ready()
        await page.page.set_input_files("#replay-file", log)
        said = page.page.locator("#replay-said")
        await expect(said).to_contain_text(
            "10 events over 2.5 s. 1 lines could not be read; line 11:"
        )
        await page.button("Play").click()
        await page.state("user-speaking")
        await expect(said).to_contain_text("in the place of the live call")
        await page.button("Hold").click()
        assert await page.turns() == [] or (await page.turns())[0].role == "user"
        await page.page.get_by_label("Speed").select_option("5 times")
        await page.button("Play").click()
        await page.state("ended")
        assert [(turn.role, turn.text) for turn in await page.turns()] == [
            ("user", "Who was here?"),
            ("assistant", "Nobody was."),
        ]
        await expect(page.page.locator("#moments")).to_contain_text("speech 0 to 1000 ms")
        await expect(page.page.locator("#events-count")).to_have_text("10 kept of 10")
        assert await page.witness("asked") == [], "a replay needs no microphone"
        await page.page.locator("#replay-leave").click()
        await page.state("idle")
        assert await page.turns() == []


# ---- faults


async def test_a_fault_at_a_click_is_one_of_the_service(open_debug_page: Open) -> None:
    async with open_debug_page() as page:
        await page.ready()
        await panel(page, "Faults").click()
        switch = page.page.get_by_role("checkbox", name="mint-429", exact=True)
        await switch.check()
        await expect(page.page.locator("#scenarios-said")).to_have_text("On: mint-429.")
        await page.button("Talk").click()
        await expect(page.alerts).to_contain_text("quota", timeout=SOON)
        await switch.uncheck()
        await expect(page.page.locator("#scenarios-said")).to_have_text("None is on.")
        await page.talk()
        await page.stop()


async def test_a_fault_with_an_argument(open_debug_page: Open) -> None:
    async with open_debug_page() as page:
        await page.ready()
        await panel(page, "Faults").click()
        await page.page.get_by_label("response-failed: code").fill("server_error")
        switch = page.page.get_by_role("checkbox", name="response-failed", exact=True)
        await switch.check()
        await expect(page.page.locator("#scenarios-said")).to_have_text("On: response-failed.")
        await page.talk()
        await page.write("What is ten plus ten?")
        await page.alert("response-failed")
        await switch.uncheck()
        await expect(page.page.locator("#scenarios-said")).to_have_text("None is on.")


# ---- wheels


def tiny_wheel(folder: Path, requires: str = "") -> Path:
    """A wheel with one module, made by hand."""
    info = "tiny_tool-1.2.dist-info"
    metadata = "Metadata-Version: 2.1\nName: tiny-tool\nVersion: 1.2\n"
    files = {
        "tiny_tool.py": "def answer():\n    return 'from a wheel'\n",
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    wheel = folder / "tiny_tool-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, content)
    return wheel


async def test_a_wheel_dropped_into_the_folder_can_be_tried(
    open_debug_page: Open, wheels: Path
) -> None:
    (wheels / "secret.txt").write_text("no wheel")
    async with open_debug_page() as page:
        await page.ready()
        await panel(page, "Wheels").click()
        said = page.page.locator("#wheels-said")
        await expect(said).to_have_text(f"There is no wheel in {wheels} yet.")
        tiny_wheel(wheels)
        await page.button("Look again").click()
        await expect(page.page.locator("#wheels li")).to_have_count(1)
        await page.button("Install tiny_tool-1.2-py3-none-any.whl").click()
        await expect(page.page.locator("#wheels")).to_contain_text("import tiny_tool", timeout=SOON)
        console = Console(page)
        await console.answers("import tiny_tool; tiny_tool.answer()", "'from a wheel'")


async def test_a_wheel_that_needs_what_is_not_there_is_refused_with_a_reason(
    open_debug_page: Open, wheels: Path
) -> None:
    tiny_wheel(wheels, requires="nothing-of-this-name>=1")
    # micropip asks PyPI for it; the policy lets nothing out of this machine.
    async with open_debug_page(expected_errors=("Content Security Policy", "pypi")) as page:
        await page.ready()
        await panel(page, "Wheels").click()
        await page.button("Install tiny_tool-1.2-py3-none-any.whl").click()
        await expect(page.page.locator("#wheels")).to_contain_text(
            "It was not installed:", timeout=SOON
        )
        violations = await page.witness("violations.splice(0)")
        assert all("pypi.org" in each for each in violations)
