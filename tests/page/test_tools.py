"""The demo's tools: asked for in words, called over the bridge, told aloud, and kept to one folder."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import expect
from tests.page.call_page import CallPage
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def tool_call(page: CallPage, name: str) -> tuple[dict[str, str], str]:
    """Arguments and result of the newest call of the tool ``name``, as the transcript shows them."""
    row = page.log.locator(f".tool[data-tool={name}]").last
    await expect(row.locator("summary")).to_have_text(f"Tool {name}: done", timeout=20_000)
    await row.locator("summary").click()
    arguments, result = await row.locator("pre").all_inner_texts()
    return json.loads(arguments), result


async def test_a_spoken_request_lists_the_files(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.speak("List the files.")
        await page.answered("notes")
        arguments, result = await tool_call(page, "list_files")
        assert arguments == {}
        assert "notes.txt" in result
        assert "budget.csv" in result
        assert [turn.role for turn in await page.turns()] == ["user", "assistant"]
        # The order on the page is that of the conversation: request, call, answer.
        kinds = await page.log.locator("> :visible").evaluate_all(
            "(rows) => rows.map((row) => row.dataset.role ?? 'tool')"
        )
        assert kinds == ["user", "tool", "assistant"]


async def test_a_file_of_the_folder_is_read_out(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.write("Read the file notes.txt")
        await page.answered("meeting is on Tuesday")
        arguments, result = await tool_call(page, "read_file")
        assert arguments == {"path": "notes.txt"}
        assert "The meeting is on Tuesday." in result


async def test_a_file_outside_the_folder_is_not_read(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.write("Read the file shortcut.txt")
        arguments, result = await tool_call(page, "read_file")
        assert arguments == {"path": "shortcut.txt"}
        await page.answered(result.split(".")[0])
        assert "Nobody may hear this" not in await page.log.inner_text()
        assert "outside" in result
