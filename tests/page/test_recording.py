"""A call that was recorded in the browser is read by replay, and can be held again with the recording."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from tests.page.backends import KEY, Program, backend, running
from tests.page.call_page import SOON, Turn, Visit, open_page
from tests.page.test_inspector import replayed

pytestmark = pytest.mark.asyncio(loop_scope="session")


def ends_with_stop(file: Path) -> bool:
    """Whether the recording has come as far as the end of the call."""
    return '"stop"' in file.read_text("utf-8")


async def recorded_conversation(
    chromium: Browser, built_page: Path, project: Path, file: Path
) -> list[Turn]:
    """A short conversation with the demo, recorded; the turns that were on screen."""
    command = ("demo", "--no-browser", "--port", "0", "--page", str(built_page))
    program = await Program.start(*command, "--record", str(file), folder=project)
    try:
        url = await program.says(r"http://\S+")
        async with open_page(chromium, url, Visit()) as page:
            await page.ready()
            await page.talk()
            await page.write("What is ten plus ten?")
            await page.answered("20")
            await page.write("What is in notes.txt?")
            await page.answered("Tuesday")
            turns = await page.turns()
            await page.stop()
            async with asyncio.timeout(SOON / 1000):
                while not ends_with_stop(file):  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.05)
            return turns
    finally:
        await program.end()


async def test_a_recorded_call_is_read_and_played_again(
    chromium: Browser, built_page: Path, project: Path, tmp_path: Path
) -> None:
    file = tmp_path / "call.jsonl"
    turns = await recorded_conversation(chromium, built_page, project, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text("utf-8")
    assert '"api-key": null' in text
    assert "ek_" not in text
    assert "ice-pwd:…" in text
    directions = {json.loads(line).get("direction") for line in text.splitlines()}
    assert directions == {None, "request", "reply", "input", "received", "sent"}

    report = await replayed(file)
    assert [(turn["role"], turn["text"]) for turn in report["turns"]] == [
        (turn.role, turn.text) for turn in turns
    ]
    assert [call["name"] for call in report["tool_calls"]] == ["read_file"]
    assert {(made["path"], made["status"]) for made in report["requests"]} >= {
        ("/openai/v1/realtime/client_secrets", 200),
        ("/openai/v1/realtime/calls", 201),
    }

    command = ("emulator", "--port", "0", "--api-key", KEY, "--recording", str(file))
    async with running(*command, folder=project) as service:
        address = await service.says(r"http://\S+")
        async with (
            backend(built_page, address, project) as server,
            open_page(chromium, server.url, Visit()) as page,
        ):
            await page.ready()
            await page.talk()
            await page.write("What is ten plus ten?")
            await page.answered("20")
            await page.write("What is in notes.txt?")
            await expect(page.turn("assistant", "Tuesday")).to_be_visible(timeout=SOON)
            assistant = [turn.text for turn in turns if turn.role == "assistant"]
            shown = [turn.text for turn in await page.turns() if turn.role == "assistant"]
            assert shown[: len(assistant) - 1] == assistant[:-1]
            await page.stop()
