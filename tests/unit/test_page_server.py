"""The page server over real loopback connections: what it serves, and whom it turns away."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSServerHandshakeError

from voicepilot.backend.door import MOST_UNSPENT, Door
from voicepilot.backend.page_files import PageError, load_page
from voicepilot.backend.page_server import PageServer, listen

FILES = {
    "/index.html": ("text/html; charset=utf-8", b"<!doctype html><title>VoicePilot</title>"),
    "/assets/boot.1a.mjs": ("text/javascript; charset=utf-8", b"export {}"),
    "/assets/meter.2b.js": ("text/javascript; charset=utf-8", b"registerProcessor"),
    "/assets/python.3c.wasm": ("application/wasm", b"\0asm" + bytes(3_000_000)),
    "/assets/app.4d.zip": ("application/zip", b"PK\3\4"),
    "/assets/page.5e.css": ("text/css; charset=utf-8", b"main{}"),
}


@pytest.fixture
def folder(tmp_path):
    page = tmp_path / "page"
    for path, (_, body) in FILES.items():
        place = page / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
    write_manifest(page)
    (page / "csp.txt").write_text("beside the page, not part of it")
    (tmp_path / "secret.txt").write_text("secret")
    return page


def write_manifest(page, **changes):
    manifest = {
        "build": "b1",
        "policy": "default-src 'none'; connect-src {origin}/session ws{origin}/bridge",
        "files": {path: {"sha384": "sha384-x", "type": kind} for path, (kind, _) in FILES.items()},
    }
    (page / "manifest.json").write_text(json.dumps(manifest | changes))


async def echo(bridge):
    async for frame in bridge:
        await bridge.send_str(frame.data)


@asynccontextmanager
async def serving(folder, serve_bridge=echo):
    async with (
        PageServer(load_page(folder), listen(0), serve_bridge) as server,
        aiohttp.ClientSession(
            f"http://127.0.0.1:{server.port}", cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as browser,
    ):
        yield server, browser


def origin(server):
    return {"Origin": f"http://127.0.0.1:{server.port}"}


async def enter(server, browser):
    async with browser.post("/session", json={"token": server.door.token}) as response:
        assert response.status == 204
        return response


@pytest.mark.parametrize("path", [path for path in FILES if path != "/index.html"])
async def test_a_file_comes_whole_with_its_type_and_is_kept_for_ever(folder, path):
    kind, body = FILES[path]
    async with serving(folder) as (_, browser), browser.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == kind
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert await response.read() == body


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_the_page_comes_with_the_policy_for_the_name_it_was_asked_by(folder, name):
    async with serving(folder) as (server, browser):
        host = f"{name}:{server.port}"
        async with browser.get("/", headers={"Host": host}) as response:
            assert response.status == 200
            assert response.headers["Content-Security-Policy"] == (
                f"default-src 'none'; connect-src http://{host}/session ws://{host}/bridge"
            )
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "microphone=(self)" in response.headers["Permissions-Policy"]
            assert await response.read() == FILES["/index.html"][1]


async def test_with_direct_signalling_the_policy_names_the_service_and_no_more(folder):
    services = ("https://my.openai.azure.com", "http://127.0.0.1:9")
    async with (
        PageServer(load_page(folder), listen(0), echo, services=services) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as browser,
        browser.get("/") as response,
    ):
        host = f"127.0.0.1:{server.port}"
        assert response.headers["Content-Security-Policy"] == (
            f"default-src 'none'; connect-src http://{host}/session ws://{host}/bridge "
            "https://my.openai.azure.com http://127.0.0.1:9"
        )


@pytest.mark.parametrize("service", ["https://a.b/c", "https://a; script-src *", "*", "a.b"])
def test_only_an_origin_gets_into_the_policy(folder, service):
    document = load_page(folder).documents["/"]
    with pytest.raises(ValueError, match="no origin"):
        document.policy_for("http://127.0.0.1:1", [service])


async def raw(port, target, host=None):
    """One request exactly as written, since clients tidy paths up; (status line, whole answer)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    host = f"127.0.0.1:{port}" if host is None else host
    named = f"Host: {host}\r\n" if host else ""
    writer.write(f"GET {target} HTTP/1.1\r\n{named}Connection: close\r\n\r\n".encode())
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/%00",
        "/assets",
        "/assets/",
        "/csp.txt",
        "/manifest.json",
        "/index.html",
        "/assets/boot.1a.mjs/",
    ],
)
async def test_what_the_manifest_does_not_list_does_not_exist(folder, target):
    async with serving(folder) as (server, _):
        status, answer = await raw(server.port, target)
        assert status in (400, 404)
        assert b"secret" not in answer.split(b"\r\n\r\n", 1)[1]
        assert b"part of it" not in answer


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil:80"])
async def test_a_foreign_host_is_misdirected(folder, host):
    async with serving(folder) as (server, _):
        status, answer = await raw(server.port, "/", host)
        assert status == 421
        assert b"doctype" not in answer


async def test_a_request_without_host_is_turned_away(folder):
    async with serving(folder) as (server, _):
        status, answer = await raw(server.port, "/", "")
        assert status in (400, 421)
        assert b"doctype" not in answer


@pytest.mark.parametrize("foreign", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_origin_is_refused_everywhere(folder, foreign):
    async with serving(folder) as (server, browser):
        headers = {"Origin": foreign}
        async with browser.get("/", headers=headers) as response:
            assert response.status == 403
        async with browser.post(
            "/session", json={"token": server.door.token}, headers=headers
        ) as response:
            assert response.status == 403
        await enter(server, browser)  # the refused attempt did not spend the token
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect("/bridge", headers=headers)
        assert refused.value.status == 403


async def test_localhost_and_127_0_0_1_are_two_origins(folder):
    async with serving(folder) as (server, browser):
        headers = {"Origin": f"http://localhost:{server.port}"}
        async with browser.get("/", headers=headers) as response:
            assert response.status == 403


async def test_the_token_opens_once_and_the_cookie_again_and_again(folder):
    async with serving(folder) as (server, browser):
        async with browser.get("/session") as response:
            assert response.status == 403
            assert (await response.json())["code"] == "page-not-allowed"
        response = await enter(server, browser)
        cookie = response.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Path=/" in cookie
        assert server.door.token not in cookie
        for _ in range(2):  # as after a reload
            async with browser.get("/session") as response:
                assert response.status == 204
        async with browser.post("/session", json={"token": server.door.token}) as response:
            assert response.status == 403


@pytest.mark.parametrize(
    "body",
    [
        b'{"token": "wrong"}',
        b'{"token": "\\ud800"}',
        b'{"token": null}',
        b"[]",
        b"",
        b"\xff",
        b"[" * 4000,
        b"x" * 100_000,
    ],
)
async def test_a_wrong_token_is_refused_and_spends_nothing(folder, body):
    async with serving(folder) as (server, browser):
        async with browser.post("/session", data=body) as response:
            assert response.status in (403, 413)
            assert "Set-Cookie" not in response.headers
        await enter(server, browser)


async def test_the_bridge_needs_the_cookie_and_the_origin(folder):
    async with serving(folder) as (server, browser):
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect("/bridge", headers=origin(server))
        assert refused.value.status == 403
        await enter(server, browser)
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect("/bridge")
        assert refused.value.status == 403
        async with browser.ws_connect("/bridge", headers=origin(server)) as bridge:
            await bridge.send_str("hello")
            assert await bridge.receive_str(timeout=5) == "hello"


async def test_another_servers_cookie_is_no_use(folder):
    async with serving(folder) as (one, browser), serving(folder) as (other, _):
        await enter(one, browser)
        async with browser.get(f"http://127.0.0.1:{other.port}/session") as response:
            assert response.status == 403


@asynccontextmanager
async def serving_calls(folder):
    async def serve_call(call, tried_webrtc):
        await call.send_str(f"tried: {tried_webrtc}")

    async with (
        PageServer(load_page(folder), listen(0), echo, serve_call=serve_call) as server,
        aiohttp.ClientSession(
            f"http://127.0.0.1:{server.port}", cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as browser,
    ):
        yield server, browser


async def test_a_call_over_websocket_passes_the_same_door_as_the_bridge(folder):
    async with serving_calls(folder) as (server, browser):
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect("/call", headers=origin(server))
        assert refused.value.status == 403
        await enter(server, browser)
        for foreign in ({}, {"Origin": "http://evil.example"}):
            with pytest.raises(WSServerHandshakeError) as refused:
                await browser.ws_connect("/call", headers=foreign)
            assert refused.value.status == 403
        for path, tried in (("/call", False), ("/call?tried-webrtc=1", True)):
            async with browser.ws_connect(path, headers=origin(server)) as call:
                assert await call.receive_str(timeout=5) == f"tried: {tried}"


async def test_where_nobody_serves_calls_there_is_no_such_address(folder):
    async with serving(folder) as (server, browser):
        await enter(server, browser)
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect("/call", headers=origin(server))
        assert refused.value.status == 404


async def test_leaving_the_server_closes_its_bridges_and_its_port(folder):
    served = asyncio.Event()

    async def until_closed(bridge):
        async for _ in bridge:
            pass
        served.set()

    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with PageServer(load_page(folder), listen(0), until_closed) as server:
            base = f"http://127.0.0.1:{server.port}"
            async with browser.post(f"{base}/session", json={"token": server.door.token}):
                pass
            bridge = await browser.ws_connect(f"{base}/bridge", headers=origin(server))
            closed = asyncio.create_task(bridge.receive())
        async with asyncio.timeout(5):
            assert (await closed).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            await served.wait()
        listen(server.port).close()  # free again


async def test_only_loopback_is_listened_on():
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_cookie_is_no_key_before_the_token_is_spent():
    door = Door(1)
    assert not door.admits(door.cookie)
    assert not door.spend(door.token + "x")
    assert door.spend(door.token)
    assert door.admits(door.cookie)
    assert not door.admits(None)


def test_each_browser_has_a_token_of_its_own_and_few_are_good_at_once():
    door = Door(1)
    tokens = [door.token, *(door.new_token() for _ in range(MOST_UNSPENT))]
    assert door.token == tokens[-1]
    assert [door.spend(token) for token in tokens] == [False] + [True] * MOST_UNSPENT
    assert not any(map(door.spend, tokens))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda page: (page / "manifest.json").unlink(), "not built"),
        (lambda page: (page / "manifest.json").write_text("{"), "not JSON"),
        (lambda page: (page / "manifest.json").write_text("[]"), "not an object"),
        (lambda page: (page / "assets/app.4d.zip").unlink(), "app.4d.zip cannot be read"),
        (lambda page: write_manifest(page, build=""), "names no build"),
        (lambda page: write_manifest(page, policy=None), "no policy"),
        (lambda page: write_manifest(page, files=[]), "lists no files"),
        (lambda page: write_manifest(page, files={}), "index.html is not listed"),
        (lambda page: write_manifest(page, files={"/a": 1}), "a has no type"),
        (
            lambda page: write_manifest(page, files={"../secret.txt": {"type": "text/plain"}}),
            "no path inside",
        ),
        (
            lambda page: (
                (page / "link").symlink_to(page.parent / "secret.txt"),
                write_manifest(page, files={"/link": {"type": "text/plain"}}),
            ),
            "leads outside",
        ),
    ],
)
def test_a_damaged_page_is_told_in_a_sentence(folder, damage, says):
    damage(folder)
    with pytest.raises(PageError, match=says) as error:
        load_page(folder)
    assert "python3 build.py build" in str(error.value)
