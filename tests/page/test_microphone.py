"""The microphone sends when it may, is silent when muted, changes in a call, and is given back."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from tests.page.call_page import CallPage, words_of
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")

RELEASE_MS = 500
"""From the press of Stop to the microphone's release."""

A_WORD = 1e-4
"""Less energy than a single spoken word has; full scale for a second is 1."""


async def sent_level(page: CallPage) -> float:
    """The energy that the page has sent so far, as the browser counts it."""
    return await page.page.evaluate(
        """async () => [...(await witness.peer().getStats()).values()]
             .find(({ type, kind }) => type === "media-source" && kind === "audio").totalAudioEnergy"""
    )


async def live_microphones(page: CallPage) -> int:
    return sum(track["state"] == "live" for track in await page.witness("microphones()"))


# ---- mute


async def test_muted_words_are_neither_sent_nor_understood(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.button("Mute").click()
        await expect(page.button("Unmute")).to_be_visible()
        await expect(page.page.locator("#level-user")).to_contain_text("muted")
        before = await sent_level(page)
        await page.speak("This is a secret between the two of us.")
        # What was said carries far more energy than the hiss that went out until Mute took effect.
        assert await sent_level(page) - before < A_WORD / 1000
        assert await page.turns() == []
        assert await page.events("input_audio_buffer.speech_started") == []

        await page.button("Unmute").click()
        await expect(page.button("Mute")).to_be_visible()
        await page.speak("What is twelve times seven?")
        await page.answered("84")
        assert await sent_level(page) - before > A_WORD
        assert [words_of(turn.text) for turn in await page.turns() if turn.role == "user"] == [
            words_of("What is twelve times seven?")
        ]


async def test_who_mutes_before_the_call_is_live_stays_muted(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.page.evaluate(
            "() => { witness.gate = new Promise((open) => { witness.open = open; }); }"
        )
        await page.button("Talk").click()
        await page.state("connecting")
        await page.button("Mute").click()
        await page.witness("open()")
        await page.state("listening")
        (microphone,) = await page.witness("microphones()")
        assert microphone["enabled"] is False


# ---- the picker


async def test_another_microphone_is_taken_without_ending_the_call(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        await page.talk()
        picker = page.page.get_by_label("Microphone")
        await expect(picker.locator("option")).not_to_have_count(1)
        values = await picker.locator("option").evaluate_all(
            "(all) => all.map(({ value }) => value)"
        )
        labels = await picker.locator("option").all_inner_texts()
        await picker.select_option(value=values[-1])
        await page.until("witness.microphones().length === 2")
        await page.until("witness.microphones()[0].state === 'ended'")

        old, new = await page.witness("microphones()")
        assert new == {"label": labels[-1], "state": "live", "enabled": True}
        assert new["label"] != old["label"]
        sender = "witness.peer().getSenders()[0].track.label"
        await page.until(f"{sender} === {labels[-1]!r}")
        assert await page.witness("asked.at(-1).deviceId") == {"exact": values[-1]}
        assert await page.witness("made.peers") == 1
        assert await page.main.get_attribute("data-state") in ("listening", "user-speaking")
        await page.stop()
        assert await live_microphones(page) == 0


async def test_a_microphone_chosen_before_the_call_is_the_one_that_opens(
    open_call_page: Open,
) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        picker = page.page.get_by_label("Microphone")
        await expect(picker.locator("option")).not_to_have_count(1)
        label = await picker.locator("option").last.inner_text()
        await picker.select_option(label=label)
        await page.talk()
        (microphone,) = await page.witness("microphones()")
        assert microphone["label"] == label


async def test_a_microphone_that_cannot_be_taken_leaves_the_one_in_use(
    open_call_page: Open,
) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        await page.talk()
        picker = page.page.get_by_label("Microphone")
        await expect(picker.locator("option")).not_to_have_count(1)
        used = await picker.input_value()
        await page.page.evaluate("() => { witness.refusal = 'NotReadableError'; }")
        await picker.select_option(index=1)
        await page.alert("microphone-busy")
        await expect(picker).to_have_value(used)
        assert await live_microphones(page) == 1
        assert await page.main.get_attribute("data-state") in ("listening", "user-speaking")


# ---- giving it back


async def test_stop_gives_the_microphone_back_at_once(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        await page.talk()
        assert await live_microphones(page) == 1
        await page.stop()
        pressed = (await page.changes("click"))[-1]["at"]
        released = (await page.changes("stop"))[-1]["at"]
        print(f"\nmicrophone released {released - pressed:.0f} ms after Stop")
        assert 0 <= released - pressed <= RELEASE_MS
        assert await live_microphones(page) == 0
        assert await page.witness("livePeers()") == 0


async def test_stop_gives_it_back_in_the_middle_of_an_answer(open_call_page: Open) -> None:
    async with open_call_page() as page:
        await page.ready()
        await page.talk()
        await page.write("Count to forty.")
        await page.state("assistant-speaking")
        await page.stop()
        pressed = (await page.changes("click"))[-1]["at"]
        released = (await page.changes("stop"))[-1]["at"]
        assert 0 <= released - pressed <= RELEASE_MS
        assert (await page.turns())[-1].status == "interrupted"


async def test_a_microphone_granted_after_stop_is_given_back(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        await page.page.evaluate(
            "() => { witness.gate = new Promise((open) => { witness.open = open; }); }"
        )
        await page.button("Talk").click()
        await page.state("connecting")
        await page.stop()
        await page.witness("open()")
        await page.until("witness.microphones().some(({ state }) => state === 'ended')")
        assert await live_microphones(page) == 0
        assert await page.witness("made.peers") == 0
        await expect(page.main).to_have_attribute("data-state", "ended")
        await page.talk()


async def test_stop_while_the_call_is_being_opened_leaves_nothing(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        await page.button("Talk").click()
        await page.until("witness.made.peers === 1")
        await page.stop()
        await page.until("witness.microphones().every(({ state }) => state === 'ended')")
        await page.until("witness.livePeers() === 0")


async def test_a_double_press_of_talk_opens_one_call(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        # From a timer, so that both come in one task, faster than any hand.
        await page.page.evaluate(
            """() => setTimeout(() => {
                 const talk = document.getElementById("talk");
                 talk.click();
                 talk.click();
               })"""
        )
        await page.state("listening")
        assert await page.witness("made.peers") == 1
        assert len(await page.witness("asked")) == 1
        assert await live_microphones(page) == 1


async def test_a_page_that_is_closed_gives_everything_back(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        await page.talk()
        await page.page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide'))")
        await page.state("ended")
        assert await live_microphones(page) == 0
