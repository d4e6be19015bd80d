"""`voicepilot serve` in front of a resource: the embedded service, which knows one key and two names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser
from tests.page.backends import Program, running
from tests.page.call_page import AUDIBLE, CallPage, Visit, open_page, words_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "key-of-the-resource"
RESOURCE = ("--api-key", KEY, "--deployment", "voice", "--transcription-deployment", "scribe")


@asynccontextmanager
async def served(page: Path, folder: Path, *options: str) -> AsyncIterator[tuple[Program, str]]:
    """A resource with `voicepilot serve` in front of it; gives the program and the page's address."""
    settings = folder / "settings.toml"
    settings.write_text(
        'deployment = "voice"\ntranscription_deployment = "scribe"\nlanguage = "en"\n'
        'instructions_file = "voice.md"\n'
    )
    (folder / "voice.md").write_text("Speak English.\n")
    variables = {
        "AZURE_OPENAI_API_KEY": KEY,
        "VOICEPILOT_SETTINGS": str(settings),
        "XDG_DATA_HOME": str(folder / "data"),
    }
    async with AsyncExitStack() as programs:
        resource = await programs.enter_async_context(
            running("emulator", "--port", "0", *RESOURCE, folder=folder)
        )
        endpoint = await resource.says(r"http://127\.0\.0\.1:\d+")
        # As it may be copied from a portal; only scheme and host of it count.
        pasted = f"{endpoint}/openai/realtime?api-version=2025-04-01-preview"
        command = ("serve", "--no-browser", "--port", "0", "--page", str(page))
        serve = await programs.enter_async_context(
            running(*command, "--endpoint", pasted, *options, folder=folder, variables=variables)
        )
        yield serve, await serve.says(r"http://\S+#token=\S+")


async def seconds_of_sound(page: CallPage) -> float:
    return sum(rms > AUDIBLE for _, rms in await page.loudness()) * 0.005


async def test_a_spoken_question_is_answered_by_the_resource(
    chromium: Browser, built_page: Path, tmp_path: Path
) -> None:
    async with served(built_page, tmp_path) as (serve, url):
        async with open_page(chromium, url, Visit()) as page:
            await page.ready()
            await page.until(
                "document.getElementById('service').textContent.startsWith('voice at 127.0.0.1')"
            )
            await page.talk()
            await page.speak("What is twelve times seven?")
            await page.answered("84")
            asked, answered = await page.turns()
            assert words_of(asked.text) == words_of("What is twelve times seven?")
            assert answered.status == "completed"
            assert await seconds_of_sound(page) > 0.5
        await serve.end()
        await serve.says("VoicePilot has ended")


async def test_a_wrong_deployment_is_told_as_what_it_is(
    chromium: Browser, built_page: Path, tmp_path: Path
) -> None:
    async with (
        served(built_page, tmp_path, "--deployment", "gpt-realtime") as (_, url),
        open_page(chromium, url, Visit()) as page,
    ):
        await page.ready()
        await page.button("Talk").click()
        assert "no deployment of this name" in await page.alert("deployment-missing")
