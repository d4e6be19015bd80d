"""What the backend gives the debugging page: a document of its own, wheels, faults."""

import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from voicepilot.backend.azure.calls import Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.debug_desk import DebugDesk
from voicepilot.backend.failure import Failure
from voicepilot.backend.page_files import PageError, load_page
from voicepilot.backend.page_server import PageServer, listen
from voicepilot.backend.wheels import WheelFolder
from voicepilot.bridge import debug_messages as messages
from voicepilot.bridge.messages import MessageError
from voicepilot.bundle.assets import BundleError
from voicepilot.bundle.parts import with_parts

WHEEL = "tiny_tool-1.2-py3-none-any.whl"
FILES = {"/index.html": b"the call", "/debug.html": b"the debugging", "/a.css": b"style"}


# ---- the second document


def manifest(folder, **changes):
    built = {
        "build": "b1",
        "policy": "default-src 'none'",
        "documents": {"/debug": {"file": "/debug.html", "policy": "connect-src {origin}/wheels/"}},
        "files": {path: {"type": "text/html"} for path in FILES},
    }
    for path, body in FILES.items():
        (folder / path[1:]).write_bytes(body)
    (folder / "manifest.json").write_text(json.dumps(built | changes))
    return folder


async def serve_nothing(bridge):
    pass


@asynccontextmanager
async def serving(folder, wheels=None):
    async with (
        PageServer(load_page(folder), listen(0), serve_nothing, wheels) as server,
        aiohttp.ClientSession(
            f"http://127.0.0.1:{server.port}", cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as browser,
    ):
        yield server, browser


async def test_a_second_document_comes_with_its_own_policy_and_only_at_its_address(tmp_path):
    async with serving(manifest(tmp_path)) as (server, browser):
        async with browser.get("/debug") as response:
            assert await response.read() == FILES["/debug.html"]
            policy = response.headers["Content-Security-Policy"]
            assert policy == f"connect-src http://127.0.0.1:{server.port}/wheels/"
        for path in ("/debug.html", "/index.html", "/debug/"):
            async with browser.get(path) as response:
                assert response.status == 404
        async with browser.get("/") as response:
            assert response.headers["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ([], "no object"),
        ({"/debug": {"file": "/debug.html"}}, "no policy"),
        ({"/debug": {"file": "/../secret", "policy": "x"}}, "no file"),
        ({"/debug": "debug.html"}, "no policy"),
    ],
)
def test_a_damaged_document_is_named(tmp_path, documents, reason):
    with pytest.raises(PageError, match=reason):
        load_page(manifest(tmp_path, documents=documents))


# ---- wheels


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / WHEEL).write_bytes(b"a wheel")
    (folder / "notes.txt").write_text("no wheel")
    (folder / "inner-1-py3-none-any.whl").mkdir()
    (tmp_path / "outside-1-py3-none-any.whl").write_bytes(b"outside")
    (folder / "link-1-py3-none-any.whl").symlink_to("../outside-1-py3-none-any.whl")
    return WheelFolder(folder)


def test_only_wheels_that_lie_in_the_folder_are_there(wheels):
    assert wheels.names() == (WHEEL,)
    assert wheels.read(WHEEL) == b"a wheel"
    for name in ("notes.txt", "../outside-1-py3-none-any.whl", "link-1-py3-none-any.whl", ""):
        assert wheels.read(name) is None, name


def test_a_folder_that_is_not_there_has_none(tmp_path):
    assert WheelFolder(tmp_path / "nowhere").names() == ()


async def test_a_wheel_is_given_to_our_page_only(tmp_path, wheels):
    async with serving(manifest(tmp_path), wheels) as (server, browser):
        async with browser.get(f"/wheels/{WHEEL}") as response:
            assert response.status == 403
        await browser.post("/session", json={"token": server.door.token})
        async with browser.get(f"/wheels/{WHEEL}") as response:
            assert await response.read() == b"a wheel"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-store"
        for name in ("notes.txt", "..%2foutside-1-py3-none-any.whl", "link-1-py3-none-any.whl"):
            async with browser.get(f"/wheels/{name}") as response:
                assert response.status == 404, name
        elsewhere = {"Origin": "http://elsewhere.invalid"}
        async with browser.get(f"/wheels/{WHEEL}", headers=elsewhere) as response:
            assert response.status == 403


async def test_without_a_folder_there_are_no_wheels(tmp_path):
    desk = DebugDesk(lambda: None, None)
    assert await desk.wheels() == messages.Wheels("", ())


# ---- faults


@asynccontextmanager
async def control(answer):
    application = web.Application()
    application.router.add_route("*", "/_control/{rest:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()

    async def service():
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return Target(base, FixedCredentials(Credential.api_key("k")))

    try:
        yield DebugDesk(service, None)
    finally:
        await runner.cleanup()


async def test_a_switch_is_sent_with_the_key_and_answered_with_what_is_on():
    asked = []

    async def answer(request):
        asked.append((request.method, request.raw_path, request.headers["api-key"]))
        shown = {"name": "a", "usage": "a:SECONDS", "bites": "offer", "description": "It fails."}
        return web.json_response({"scenarios": [{**shown, "active": True, "argument": "3"}]})

    async with control(answer) as desk:
        found = await desk.set_scenario(messages.SetScenario("a:3/../b", True))
    assert found.scenarios == (messages.Scenario("a", "a:SECONDS", "offer", "It fails.", True),)
    assert asked == [
        ("PUT", "/_control/scenarios/a:3%2F..%2Fb", "k"),
        ("GET", "/_control/scenarios", "k"),
    ]


@pytest.mark.parametrize("body", ["no json", "[]", '{"scenarios": [{}]}', "{}"])
async def test_an_answer_that_is_none_is_a_failure(body):
    async def answer(_request):
        return web.Response(text=body)

    async with control(answer) as desk:
        with pytest.raises(Failure):
            await desk.scenarios()


# ---- messages and parts


@pytest.mark.parametrize(
    "message",
    [
        messages.Scenarios((messages.Scenario("a", "a:B", "offer", "It fails.", False),)),
        messages.SetScenario("a:1", True),
        messages.Wheels("", ()),
        messages.Wheels("/somewhere", (WHEEL,)),
    ],
)
def test_a_message_is_read_as_it_was_written_and_no_other(message):
    params = json.loads(json.dumps(message.to_params()))
    assert type(message).from_params(params) == message
    with pytest.raises(MessageError):
        type(message).from_params({**params, "more": 1})
    for name in params:
        with pytest.raises(MessageError):
            type(message).from_params({**params, name: 3})


def test_a_part_of_the_call_page_stands_where_its_mark_is():
    source = '<p><div class="a"><img><div>x</div></div><div class="b"></div>'
    assert with_parts("1<!-- part: a -->2", source) == '1<div class="a"><img><div>x</div></div>2'
    with pytest.raises(BundleError, match='class="c"'):
        with_parts("<!-- part: c -->", source)
