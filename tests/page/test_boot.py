"""How the page starts: from memory, without one that cannot be had, and from packed files."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, expect
from tests.page.backends import BUILT, ROOT
from tests.page.call_page import CallPage, Visit, open_page
from tests.page.conftest import Open

from voicepilot.backend.page_files import Page, PageFile, load_page
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.bundle.__main__ import write
from voicepilot.bundle.assets import Asset
from voicepilot.bundle.interpreter import serve
from voicepilot.bundle.memory import MAGIC
from voicepilot.bundle.page import build_page
from voicepilot.bundle.runtime import read_runtime

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEBVIEW = ROOT / "webview"


@asynccontextmanager
async def started(chromium: Browser, built: Page, visit: Visit) -> AsyncIterator[CallPage]:
    """The page as its own server serves it, ready."""

    async def serve_bridge(bridge: web.WebSocketResponse) -> None:
        async for _ in bridge:
            pass

    async with (
        PageServer(built, listen(0), serve_bridge) as server,
        open_page(chromium, server.url, visit) as page,
    ):
        await page.ready()
        yield page


async def says_how_it_started(page: CallPage, how: str) -> None:
    """The details say how the page started, and how long it took."""
    await page.page.locator("#details > summary").click()
    start = page.page.locator("#connection dt", has_text=re.compile("^Start$")).locator("+ dd")
    await expect(start).to_have_text(re.compile(rf"^[\d.]+ m?s, {re.escape(how)}$"))


def part(files: Mapping[str, PageFile], stem: str) -> str:
    """The path of the one file of the build whose name begins with ``stem``."""
    (path,) = (path for path in files if path.startswith(f"assets/{stem}."))
    return path


async def test_the_page_starts_from_memory(chromium: Browser) -> None:
    async with started(chromium, load_page(BUILT), Visit()) as page:
        await says_how_it_started(page, "from memory")


# ---- a memory that cannot be used


def damaged(memory: bytes) -> bytes:
    """One bit in the middle is another."""
    middle = len(memory) // 2
    return memory[:middle] + bytes((memory[middle] ^ 1,)) + memory[middle + 1 :]


def of_another_build(memory: bytes) -> bytes:
    """A whole memory that bears another key."""
    start = len(MAGIC) + 4
    (length,) = struct.unpack_from("<I", memory, len(MAGIC))
    header = json.loads(memory[start : start + length])
    text = json.dumps({**header, "key": "0" * 16}).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + memory[start + length :]


UNFIT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "truncated": (lambda memory: memory[:-4096], "is cut short"),
    "truncated in its header": (lambda memory: memory[:100], "is damaged"),
    "empty": (lambda _: b"", "is damaged"),
    "another file": (lambda _: b"<!doctype html><title>Sign in</title>", "is damaged"),
    "damaged": (damaged, "is damaged"),
    "of another build": (of_another_build, "belongs to another build"),
}


@pytest.mark.parametrize("case", UNFIT)
async def test_a_memory_that_does_not_fit_is_not_used_and_the_page_starts(
    chromium: Browser, case: str
) -> None:
    spoil, reason = UNFIT[case]
    built = load_page(BUILT)
    path = part(built.files, "memory")
    spoiled = replace(built.files[path], body=spoil(built.files[path].body))
    built = replace(built, files={**built.files, path: spoiled})
    async with started(chromium, built, Visit()) as page:
        await says_how_it_started(page, f"without its memory, which {reason}")


async def test_without_the_file_of_the_memory_the_page_starts(chromium: Browser) -> None:
    built = load_page(BUILT)
    path = part(built.files, "memory")
    built = replace(built, files={name: built.files[name] for name in built.files if name != path})
    async with started(chromium, built, Visit(expected_errors=("404",))) as page:
        await says_how_it_started(page, "without its memory, which could not be fetched")


async def test_a_memory_that_does_not_come_is_not_waited_for_long(chromium: Browser) -> None:
    async with started(chromium, load_page(BUILT), Visit(hold="**/memory.*")) as page:
        await says_how_it_started(page, "without its memory, which did not arrive within 5 s")
        page.release()


async def test_a_page_that_was_built_without_a_memory_starts(
    chromium: Browser, tmp_path: Path
) -> None:
    async with started(chromium, rebuilt(tmp_path, memory=False), Visit()) as page:
        await says_how_it_started(page, "without its memory, which was not built")


# ---- packed


def rebuilt(folder: Path, *, memory: bool = True, packed: bool = False) -> Page:
    """The built page in another form, of the same parts."""
    files = load_page(BUILT).files
    archive, remembered = (
        Asset(f"/{path}", files[path].body)
        for path in (
            next(path for path in files if re.match(r"assets/python\..*\.zip", path)),
            part(files, "memory"),
        )
    )
    runtime = read_runtime(WEBVIEW / "node_modules" / "pyodide")
    interpreter = serve(runtime, archive, remembered if memory else None, packed=packed)
    write(build_page(WEBVIEW, interpreter), folder / "page")
    return load_page(folder / "page")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page whose files the page itself inflates."""
    return rebuilt(tmp_path_factory.mktemp("packed"), packed=True)


async def test_the_packed_page_starts_from_memory(chromium: Browser, packed: Page) -> None:
    sizes = [len(file.body) for file in packed.files.values()]
    assert sum(sizes) < 16e6
    async with started(chromium, packed, Visit()) as page:
        await says_how_it_started(page, "from memory")


async def test_the_packed_page_starts_without_its_memory(chromium: Browser, packed: Page) -> None:
    path = part(packed.files, "memory")
    spoiled = replace(packed.files[path], body=packed.files[path].body[:-4096])
    built = replace(packed, files={**packed.files, path: spoiled})
    async with started(chromium, built, Visit()) as page:
        await says_how_it_started(page, "without its memory, which could not be fetched")


# ---- what a memory must not bring along, and what must be there in spite of it


ASK = """async (question) => {
  const { startPython } = await import("python");
  const boot = JSON.parse(document.getElementById("boot").textContent);
  const { python, complete, without } = await startPython(boot);
  if (without) throw new Error(without);
  if (question.complete) await complete();
  return python.runPythonAsync(question.program);
}"""


async def ask(page: CallPage, program: str, *, complete: bool = False) -> str:
    """What ``program`` gives in an interpreter of its own, started from memory in this page."""
    answer: str = await page.page.evaluate(ASK, {"program": program, "complete": complete})
    return answer


async def test_a_call_needs_nothing_beside_what_is_remembered(open_call_page: Open) -> None:
    """The rest of the standard library comes later, and on a busy machine much later."""
    async with open_call_page(expected_errors=("Failed to",)) as page:
        await page.page.route("**/assets/python.*", lambda route: route.abort())
        await page.page.reload()
        await page.ready()
        await page.talk()
        await page.write("What is two plus two?")
        await page.answered("4")
        await page.stop()


async def test_chance_is_another_at_every_start(chromium: Browser) -> None:
    program = (
        "import os, random; repr((random.random(), random.Random().random(), os.urandom(8).hex()))"
    )
    async with started(chromium, load_page(BUILT), Visit()) as page:
        first, second = [await ask(page, program) for _ in range(2)]
    pairs = zip(first.split(), second.split(), strict=True)
    assert all(one != other for one, other in pairs)


async def test_the_clock_goes_on_and_python_can_wait_for_promises(chromium: Browser) -> None:
    program = """
import asyncio, time
from datetime import datetime
from pyodide.ffi import run_sync
before = time.monotonic()
run_sync(asyncio.sleep(0.02))
f"{time.monotonic() - before >= 0.02} {abs(datetime.now().timestamp() - time.time()) < 5} {time.time()}"
"""
    async with started(chromium, load_page(BUILT), Visit()) as page:
        *held, now = (await ask(page, program, complete=True)).split()
        browsers = await page.page.evaluate("Date.now() / 1000")
    assert held == ["True", "True"]
    assert abs(float(now) - browsers) < 5


async def test_what_was_not_imported_at_build_time_can_be_imported_afterwards(
    chromium: Browser,
) -> None:
    program = """
import sys
assert "calendar" not in sys.modules and "sqlite3" not in sys.modules
try:
    import calendar, sqlite3
    found = calendar.month_name[1]
except (ImportError, EOFError):
    found = "not yet"
found
"""
    async with started(chromium, load_page(BUILT), Visit()) as page:
        assert await ask(page, program) == "not yet"
        assert await ask(page, program, complete=True) == "January"
