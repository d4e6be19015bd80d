"""Pictures of every state in every surrounding, for people to look at: `test-results/page/`.

What can be said without looking is asserted: nothing is wider than the page, and the surroundings
really differ.
"""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from tests.page.backends import ROOT
from tests.page.call_page import CallPage
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")

RESULTS = ROOT / "test-results" / "page"
WIDTHS = (1100, 360)
HEIGHT = 800

HIGH_CONTRAST = {
    "--vscode-editor-background": "#000000",
    "--vscode-foreground": "#ffffff",
    "--vscode-contrastBorder": "#6fc3df",
    "--vscode-focusBorder": "#f38518",
    "--vscode-button-background": "#000000",
    "--vscode-button-foreground": "#ffffff",
    "--vscode-input-background": "#000000",
    "--vscode-input-foreground": "#ffffff",
    "--vscode-descriptionForeground": "#ffffff",
    "--vscode-errorForeground": "#f48771",
}
"""As VS Code's Dark High Contrast theme gives them to a webview."""

SURROUNDINGS = ("light", "dark", "forced", "vscode-high-contrast")


async def surround(page: CallPage, surrounding: str) -> None:
    """Put the page into a surrounding, as the browser or VS Code would."""
    high_contrast = surrounding == "vscode-high-contrast"
    await page.page.emulate_media(
        color_scheme="light" if surrounding == "light" else "dark",
        forced_colors="active" if surrounding == "forced" else "none",
        reduced_motion="reduce",
    )
    await page.page.evaluate(
        """([variables, on]) => {
             document.body.classList.toggle("vscode-high-contrast", on);
             for (const [name, value] of Object.entries(variables)) {
               if (on) document.documentElement.style.setProperty(name, value);
               else document.documentElement.style.removeProperty(name);
             }
           }""",
        [HIGH_CONTRAST, high_contrast],
    )


async def photograph(page: CallPage, state: str) -> None:
    """Take the page in this state in every surrounding and width."""
    for width in WIDTHS:
        await page.page.set_viewport_size({"width": width, "height": HEIGHT})
        overflow = "() => document.documentElement.scrollWidth - innerWidth"
        assert await page.page.evaluate(overflow) <= 0, f"{state} is wider than {width} pixels"
        pictures = set()
        for surrounding in SURROUNDINGS:
            await surround(page, surrounding)
            pictures.add(
                await page.page.screenshot(
                    path=RESULTS / f"{state}-{surrounding}-{width}.png", full_page=width < HEIGHT
                )
            )
        assert len(pictures) == len(SURROUNDINGS)
    await surround(page, "light")
    await page.page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})


async def test_pictures_of_all_states(open_call_page: Open) -> None:
    async with open_call_page(hold="**/*.wasm") as page:
        await expect(page.page.locator("#state-hint")).not_to_be_empty()
        await photograph(page, "1-starting")
        page.release()
        await page.ready()
        await expect(page.page.locator("#service")).not_to_be_empty()
        await photograph(page, "2-idle")
        await page.talk()
        await photograph(page, "3-listening")
        await page.speak("What is twelve times seven?")
        await page.answered("84")
        await page.write("List the files.")
        await page.answered("notes")
        await page.write("Count to forty.")
        await page.state("assistant-speaking")
        await page.until(
            "witness.events.findLast(({ event }) => event.type === 'output_audio_buffer.started').at"
            " < Date.now() - 2500"
        )
        await page.page.keyboard.press("Escape")
        await page.state("listening")
        await page.log.locator(".tool summary").click()
        await page.write("Count to one hundred.")
        await page.state("assistant-speaking")
        await photograph(page, "4-assistant-speaking")
        await page.page.locator("#details > summary").click()
        await photograph(page, "5-details")
        await page.page.locator("#details > summary").click()
        await page.stop()
        await photograph(page, "6-ended")
        await page.page.evaluate("() => { witness.refusal = 'NotAllowedError'; }")
        await page.button("Talk").click()
        await page.alert("microphone-permission")
        await photograph(page, "7-failed")
