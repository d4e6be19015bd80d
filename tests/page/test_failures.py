"""Whatever goes wrong, the page says what, and what to do next; and Talk works again where it can."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
from aiohttp import web
from playwright.async_api import Browser, Route, expect
from tests.page.backends import KEY, Program, backend, running, service_that
from tests.page.call_page import CallPage, Visit, open_page
from tests.page.conftest import Open

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def failed(page: CallPage, code: str, *words: str) -> None:
    """The call failed with this problem, told with these words; nothing stayed open."""
    told = await page.alert(code)
    for part in words:
        assert part in told
    await page.state("failed")
    await expect(page.page.get_by_role("status")).to_contain_text("Call failed")
    assert all(track["state"] == "ended" for track in await page.witness("microphones()"))
    assert await page.witness("livePeers()") == 0
    await expect(page.button("Talk")).to_be_enabled()


async def talks_again(page: CallPage) -> None:
    """Talk works again, and the problem is told no more."""
    await page.talk()
    await expect(page.alerts).to_have_count(0)


# ---- the microphone


async def test_permission_refused(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False, allowed=False) as page:
        await page.ready()
        await page.button("Talk").click()
        await failed(page, "microphone-permission", "not allowed to use the microphone", "Allow")
        await page.page.context.grant_permissions(["microphone"])
        await talks_again(page)


async def test_the_document_may_not_use_a_microphone(open_call_page: Open) -> None:
    async def without_microphone(route: Route) -> None:
        response = await route.fetch()
        headers = {**response.headers, "permissions-policy": "microphone=()"}
        await route.fulfill(response=response, headers=headers)

    # A document that the test has touched is no local one for Chromium; it keeps it from the bridge.
    expected = ("LOCAL_NETWORK_ACCESS",)
    async with open_call_page(on_cue=False, expected_errors=expected) as page:
        address = page.page.url
        await page.page.route(address, without_microphone)
        await page.page.goto(address)
        await page.ready()
        await page.button("Talk").click()
        await failed(page, "microphone-policy", "may not use a microphone", "in your browser")
        assert await page.witness("asked") == []


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("NotFoundError", "microphone-missing", "No microphone was found."),
        ("NotReadableError", "microphone-busy", "another program may be using it"),
    ],
)
async def test_no_microphone_to_open(open_call_page: Open, name: str, code: str, says: str) -> None:
    async with open_call_page(refusal=name) as page:
        await page.ready()
        await page.button("Talk").click()
        await failed(page, code, says, "press Talk again")
        await page.page.evaluate("() => { witness.refusal = undefined; }")
        await talks_again(page)


async def test_a_microphone_without_any_sound(open_call_page: Open) -> None:
    async with open_call_page(silent=True) as page:
        await page.ready()
        await page.talk()
        told = await page.alert("microphone-silent")
        assert "complete silence" in told
        assert "mute switch" in told
        await expect(page.main).to_have_attribute("data-state", "listening")
        # Who mutes wants silence; and with the first sound the notice goes.
        await page.button("Mute").click()
        await expect(page.alerts).to_have_count(0)
        await page.button("Unmute").click()
        await page.alert("microphone-silent")
        await page.speak("What is ten plus ten?")
        await expect(page.alerts).to_have_count(0)


async def test_the_microphone_is_unplugged(open_call_page: Open) -> None:
    async with open_call_page(on_cue=False) as page:
        await page.ready()
        await page.talk()
        await page.witness("unplug()")
        told = await page.alert("microphone-lost")
        assert "disconnected" in told
        assert "choose another one" in told
        assert await page.main.get_attribute("data-state") in ("listening", "user-speaking")
        await page.page.get_by_label("Microphone").select_option(index=1)
        await expect(page.alerts).to_have_count(0)
        await page.until("witness.peer().getSenders()[0].track.readyState === 'live'")


# ---- sound


async def test_the_browser_holds_the_sound_back(open_call_page: Open) -> None:
    async with open_call_page() as page:
        # Chromium lets pages that record play sound too; others don't, and refuse by this name.
        await page.ready()
        await page.page.evaluate(
            """() => {
                 const play = HTMLMediaElement.prototype.play;
                 HTMLMediaElement.prototype.play = function () {
                   HTMLMediaElement.prototype.play = play;
                   return Promise.reject(new DOMException("touch me", "NotAllowedError"));
                 };
               }"""
        )
        await page.talk()
        told = await page.alert("sound-blocked")
        assert "holds back the sound" in told
        await page.button("Enable sound").click()
        await expect(page.alerts).to_have_count(0)
        assert await page.page.evaluate("() => document.querySelector('audio').paused") is False


# ---- the service


@asynccontextmanager
async def page_before(
    chromium: Browser, built_page: Path, project: Path, service: str, **how: object
) -> AsyncIterator[CallPage]:
    """The page, with the backend in front of the service at this address."""
    async with (
        backend(built_page, service, project) as server,
        open_page(chromium, server.url, Visit(**how)) as page,
    ):
        await page.ready()
        yield page


def answers(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html")


async def test_the_service_is_down(chromium: Browser, built_page: Path, project: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return answers(200, "")

    async with service_that(answer) as address:
        pass  # and now nobody listens there
    async with page_before(chromium, built_page, project, address) as page:
        await page.button("Talk").click()
        await failed(page, "service-unreachable", "could not be reached", "Check the network")
        await page.button("Talk").click()
        await page.state("connecting", "failed")
        await failed(page, "service-unreachable")


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (200, "<html>Sign in</html>", "bad-answer", "not a call description"),
        (401, "", "key-refused", "does not accept the key (status 401"),
        (404, "", "address-unknown", "nothing at this address"),
        (429, "", "service-busy", "no capacity"),
        (500, "", "service-failed", "status 500"),
    ],
)
async def test_the_service_answers_something_else(
    chromium: Browser, built_page: Path, project: Path, status: int, body: str, code: str, says: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return answers(status, body)

    async with (
        service_that(answer) as address,
        page_before(chromium, built_page, project, address) as page,
    ):
        await page.button("Talk").click()
        await failed(page, code, says)


async def test_an_answer_that_only_looks_like_a_call_description(
    chromium: Browser, built_page: Path, project: Path
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("/client_secrets"):
            return web.json_response({"value": "ek_1", "expires_at": 1})
        return web.Response(status=201, text="v=0\r\nand nothing that follows\r\n")

    async with (
        service_that(answer) as address,
        page_before(chromium, built_page, project, address) as page,
    ):
        await page.button("Talk").click()
        await failed(page, "bad-answer", "not a call description", "address of the service")


@asynccontextmanager
async def own_service(project: Path) -> AsyncIterator[tuple[Program, str]]:
    """An embedded service that a test may harm, and its address."""
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=project) as service:
        yield service, await service.says(r"http://\S+")


async def test_a_connection_that_falters_comes_back_and_one_that_is_lost_is_told(
    chromium: Browser, built_page: Path, project: Path
) -> None:
    async with (
        own_service(project) as (service, address),
        page_before(chromium, built_page, project, address) as page,
    ):
        await page.talk()
        await page.write("What is ten plus ten?")
        await page.answered("20")

        service.signal(SIGSTOP)
        await page.state("reconnecting")
        await expect(page.page.get_by_role("status")).to_contain_text("Reconnecting")
        service.signal(SIGCONT)
        await page.state("listening")
        await page.write("What is twelve times seven?")
        await page.answered("84")

        await service.end(SIGKILL)
        await page.state("reconnecting")
        await failed(page, "connection-lost", "was lost", "Press Talk to call again")
        assert len(await page.turns()) == 4  # what was said stays


# ---- VoicePilot itself


async def test_the_backend_ends(chromium: Browser, built_page: Path, project: Path) -> None:
    refused = ("ERR_CONNECTION_REFUSED", "WebSocket connection")
    async with backend(built_page, "http://127.0.0.1:9", project) as server:
        visit = Visit(expected_errors=refused)
        async with open_page(chromium, server.url, visit) as page:
            await page.ready()
            await expect(page.page.locator("#service")).to_have_text("Offline demo")
            await expect(page.alerts).to_have_count(0)
            await server.__aexit__()
            told = await page.alert("backend-unreachable")
            assert "lost its connection to VoicePilot" in told
            assert "terminal" in told
            await page.button("Talk").click()
            await failed(page, "backend-unreachable")


async def test_without_the_key_the_page_says_which_address_to_open(
    chromium: Browser, running_demo_address: str
) -> None:
    for fragment in ("", "#token=wrong"):
        visit = Visit(expected_errors=("403",))
        async with open_page(chromium, running_demo_address + fragment, visit) as page:
            await page.ready()
            told = await page.alert("page-not-allowed")
            assert "without its key" in told
            assert "printed in the terminal" in told
            assert "token" not in page.page.url


@pytest.mark.parametrize(("status", "body"), [(404, "gone"), (200, "no archive at all")])
async def test_python_cannot_start(open_call_page: Open, status: int, body: str) -> None:
    # Python's last words are on the console, whatever they are.
    async with open_call_page(expected_errors=("",)) as page:

        async def spoil(route: Route) -> None:
            await route.fulfill(status=status, body=body)

        spoiled = re.compile(r"/assets/(python|memory)\.[^/]*$")
        await page.page.route(spoiled, spoil)
        await page.page.reload(wait_until="commit")
        told = await page.alert("python-failed")
        assert "could not start" in told
        assert "Reload the page" in told
        await expect(page.main).to_have_attribute("data-state", "failed")
        await expect(page.button("Talk")).to_be_disabled()
        await page.page.unroute(spoiled)
        await page.page.reload()
        await page.ready()
        await talks_again(page)


async def test_python_does_not_start_in_twenty_seconds_and_then_does(open_call_page: Open) -> None:
    async with open_call_page(hold="**/*.wasm", clock=True) as page:
        await expect(page.main).to_have_attribute("data-boot", "starting")
        await page.page.clock.run_for(19_000)
        await expect(page.alerts).to_have_count(0)
        await page.page.clock.run_for(2_000)
        told = await page.alert("python-slow")
        assert "within 20 seconds" in told
        assert "Reload the page" in told
        await expect(page.main).to_have_attribute("data-state", "failed")
        # Late is better than never.
        page.release()
        await page.ready()
        await expect(page.main).to_have_attribute("data-state", "idle")
        await expect(page.alerts).to_have_count(0)
