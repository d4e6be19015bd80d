"""The details drawer: every event can be found, held still, and taken along for `voicepilot replay`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.page.backends import ROOT
from tests.page.call_page import SOON, CallPage
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def conversation(page: CallPage) -> None:
    """A short conversation with the drawer open: an answer, and one that is interrupted."""
    await page.ready()
    await page.page.locator("#details > summary").click()
    await page.talk()
    await page.write("What is ten plus ten?")
    await page.answered("20")
    await page.write("Count to forty.")
    await page.state("assistant-speaking")
    await page.until("witness.events.filter((each) => each.event.delta).length > 8")
    await page.page.keyboard.press("Escape")
    await page.state("listening")


async def replayed(file: Path) -> dict:
    replay = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicepilot.cli", "replay", str(file), "--json"),
        env={"PYTHONPATH": str(ROOT / "py")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await replay.communicate()
    assert (replay.returncode, complaints) == (0, b"")
    return json.loads(output)


async def test_the_download_replays_to_the_turns_on_screen(
    open_call_page: Open, tmp_path: Path
) -> None:
    async with open_call_page() as page:
        await conversation(page)
        await page.until(
            "witness.events.some(({ event }) => event.type === 'output_audio_buffer.cleared')"
        )
        async with page.page.expect_download() as coming:
            await page.button("Download").click()
        file = tmp_path / (await coming.value).suggested_filename
        assert file.suffix == ".jsonl"
        await (await coming.value).save_as(file)

        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        recorded = await page.witness("events")
        assert [line["event"] for line in lines] == [entry["event"] for entry in recorded]
        assert [line["direction"] for line in lines] == [entry["way"] for entry in recorded]

        report = await replayed(file)
        shown = await page.turns()
        # Times are not replayed, so how much of an interrupted answer was heard is not known there.
        assert [(turn["role"], turn["status"]) for turn in report["turns"]] == [
            (turn.role, turn.status) for turn in shown
        ]
        for turn, on_screen in zip(report["turns"], shown, strict=True):
            assert turn["text"] == on_screen.text or turn["status"] == "interrupted"
        assert report["unknown"] == {}


async def test_events_are_filtered_held_still_and_opened(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await conversation(page)
        lines = page.page.locator("#events > details")
        kinds = "(lines) => lines.map((line) => line.dataset.type)"
        await page.page.get_by_label("Filter").fill("response.done")
        await expect(lines).to_have_count(2)
        assert set(await lines.evaluate_all(kinds)) == {"response.done"}
        await lines.first.locator("summary").click()
        await expect(lines.first.locator("pre")).to_contain_text('"type": "response.done"')

        await page.button("Pause").click()
        await page.write("What is ten plus ten?")
        await expect(page.turn("assistant", "20")).to_have_count(2, timeout=SOON)
        await page.state("listening")
        await expect(lines).to_have_count(2)
        await page.button("Resume").click()
        await expect(lines).to_have_count(3)

        await page.page.get_by_label("Filter").fill("")
        await expect(lines.filter(has_text="session.created")).to_have_count(1)
        sent = page.page.locator("#events > details[data-direction=sent]")
        assert "response.create" in await sent.evaluate_all(kinds)

        await page.button("Clear").click()
        await expect(lines).to_have_count(0)


async def test_the_connection_is_told_in_numbers(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.page.locator("#details > summary").click()
        await page.talk()
        await page.write("Count to ten.")
        await page.answered("10")

        rows = page.page.locator("#connection")
        for name, shape in {
            "Link": r"^connected$",
            "Round trip": r"^\d+ ms$",
            "Jitter buffer": r"^\d+ ms$",
            "Packets lost": r"^\d+\.\d %$",
            "Received": r"^\d+ kbit/s$",
            "Sent": r"^\d+ kbit/s$",
            "Transport": r"^(UDP|TCP)$",
        }.items():
            value = rows.locator(f"dt:text-is('{name}') + dd")
            await expect(value).to_have_text(re.compile(shape), timeout=SOON)
        total = page.page.locator("#usage dt:text-is('Total') + dd")
        await expect(total).to_have_text(re.compile(r"^[1-9][\d,]*$"))
