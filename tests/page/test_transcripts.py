"""What was said in a call is there afterwards, also when the backend was killed in the middle of it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from signal import SIGKILL

import pytest
from playwright.async_api import Browser, expect
from tests.page.backends import ROOT
from tests.page.call_page import SOON, Visit, open_page, words_of
from tests.page.test_own_resource import served

pytestmark = pytest.mark.asyncio(loop_scope="session")


def is_written(data: Path, words: str) -> bool:
    """Whether a transcript has come as far as these words."""
    return any(words in file.read_text("utf-8") for file in data.rglob("*.jsonl"))


async def transcripts(data: Path, *arguments: str) -> list[str]:
    """The lines that `voicepilot transcripts` prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "voicepilot.cli", "transcripts", *arguments),
        env={**os.environ, "PYTHONPATH": str(ROOT / "py"), "XDG_DATA_HOME": str(data)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode().splitlines()


async def test_a_killed_backend_has_kept_all_but_the_unfinished_turn(
    chromium: Browser, built_page: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("The meeting is on Tuesday.\n")
    data = tmp_path / "data"
    # The page tries to reach its backend again, and the browser complains of that.
    visit = Visit(expected_errors=("WebSocket connection", "ERR_CONNECTION_REFUSED"))
    async with (
        served(built_page, tmp_path) as (serve, url),
        open_page(chromium, url, visit) as page,
    ):
        await page.ready()
        await page.talk()
        await page.speak("What is twelve times seven?")
        await page.answered("84")
        await page.write("What is in notes.txt?")
        await page.answered("Tuesday")
        whole = await page.turns()
        await page.write("Count to forty.")
        await expect(page.turn("assistant", "1, 2, 3")).to_be_visible(timeout=SOON)
        async with asyncio.timeout(SOON / 1000):
            while not is_written(data, "Count to forty"):  # noqa: ASYNC110 - another process writes
                await asyncio.sleep(0.05)
        await serve.end(SIGKILL)

        (listed,) = await transcripts(data, "list")
        name = listed.split()[0]
        shown = await transcripts(data, "show", name)
        said = [line.partition(": ") for line in shown if line.startswith(("You: ", "Assistant: "))]
        assert [("You", "Assistant")[turn.role == "assistant"] for turn in whole] == [
            speaker for speaker, _, _ in said[: len(whole)]
        ]
        assert [words_of(turn.text) for turn in whole] == [
            words_of(text) for _, _, text in said[: len(whole)]
        ]
        assert said[len(whole)] == ("You", ": ", "Count to forty.")
        assert len(said) <= len(whole) + 2
        assert any(line.startswith("  [read_file ") and "Tuesday" in line for line in shown)
        assert words_of("What is twelve times seven?") == words_of(listed)[-5:]

        # The call itself goes on: it needs no backend.
        await page.state("assistant-speaking", "listening")
        await page.stop()
