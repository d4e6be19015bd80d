"""The backend as VS Code's extension host starts it: a process with messages on its standard streams."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
from tests.unit.host_process import WITHIN_S, greeted, page, started

from voicepilot.backend.host_link import HostError, HostLink
from voicepilot.bridge.jsonrpc import Endpoint, Notification, Refusal
from voicepilot.session.feed import Entry, encode

__all__ = ["page"]  # a fixture


def children_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return children.read_text().split() if children.exists() else []


def runs(pid):
    return Path(f"/proc/{pid}/exe").exists()


COOKIE = "c" * 43


async def serve_demo(host, page, python=""):
    return await host.ask(
        *("host.start",),
        page=str(page),
        folders=[],
        cookie=COOKIE,
        service="demo",
        settings={},
        python=python,
        key="",
    )


async def test_a_page_in_a_webview_is_answered_through_the_host_and_its_call_is_reported(page):
    async with started() as host:
        answer = await serve_demo(host, page)
        assert answer.result["service"] == "demo" and answer.result["build"] == "b1"
        assert (await host.ask("call.control", action="talk")).result == {"taken": False}

        host.tell("page.opened", page="p1", talks=True)
        endpoint = Endpoint()
        welcome = await greeted(host, "p1", endpoint)
        assert welcome["feed"] is True

        assert (await host.ask("call.control", action="talk")).result == {"taken": True}
        told = endpoint.receive((await host.next_of("page.message"))["text"])
        assert told == Notification("call.control", {"action": "talk", "value": ""})

        said = {"page": "a", "first": 1, "entries": [encode(Entry(1.0, "talk", ()))]}
        host.tell("page.message", page="p1", text=endpoint.request("call.feed", said)[1])
        status = await host.next_of("status")
        assert status == {"state": "connecting", "muted": False, "problem": ""}

        host.tell("page.closed", page="p1")
        assert (await host.next_of("status"))["state"] == "ended"


async def test_pages_connect_anew_when_another_service_is_used(page):
    async with started() as host:
        await serve_demo(host, page)
        host.tell("page.opened", page="p1", talks=True)
        await greeted(host, "p1", Endpoint())
        await host.ask("service.use", service="demo", settings={}, python="", key="")
        assert await host.next_of("page.closed") == {"page": "p1"}
        host.tell("page.opened", page="p1", talks=True)
        await greeted(host, "p1", Endpoint())


async def test_each_address_of_the_call_page_opens_it_once(page):
    async with started() as host:
        port = (await serve_demo(host, page)).result["port"]
        tokens = []
        for _ in range(2):
            url = (await host.ask("page.address")).result["url"]
            assert url.startswith(f"http://127.0.0.1:{port}/#token=")
            tokens.append(url.partition("=")[2])
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as browser:
            for token, status in ((tokens[1], 204), (tokens[1], 403), (tokens[0], 204), ("x", 403)):
                async with browser.post("/session", json={"token": token}) as response:
                    assert response.status == status


async def test_a_browser_that_was_let_in_before_finds_the_next_backend(page):
    async with started() as host:
        port = (await serve_demo(host, page)).result["port"]
        cookies = {f"voicepilot-{port}": COOKIE}
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookies=cookies) as browser,
            browser.get("/session") as response,
        ):
            assert response.status == 204


async def test_what_cannot_be_had_is_said_in_a_sentence(page, tmp_path):
    async with started() as host:
        refused = await serve_demo(host, tmp_path / "nowhere")
        assert isinstance(refused, Refusal) and "not built" in refused.message
        refused = await host.ask("page.address")
        assert refused.message == "VoicePilot's backend has not been started yet."
        refused = await serve_demo(host, page, python=str(tmp_path / "python"))
        assert refused.message.startswith("The offline demo could not be started")
        assert (await host.ask("call.control", action="sing")).code == -32602
        assert (await host.ask("sing")).code == -32601


async def test_it_ends_with_whoever_started_it_and_so_does_its_service(page):
    async with started() as host:
        await serve_demo(host, page)
        service = children_of(host.process.pid)
        host.process.stdin.close()
        assert await host.ended() == 0
        assert not any(map(runs, service))


async def test_what_is_printed_does_not_get_between_the_messages(page):
    async with started() as host:
        host.process.stdin.write(b"Content-Length: 8\r\n\r\nnot JSON")
        refused = await host.next_of("log")
        assert refused == {"level": "warning", "text": refused["text"]}
        assert "something else" in refused["text"]
        assert (await serve_demo(host, page)).result["build"] == "b1"


class Streams:
    """The host's end in this process."""

    def __init__(self):
        self.come = asyncio.Queue()
        self.sent = asyncio.Queue()

    async def receive(self):
        return await self.come.get()

    def send(self, text):
        self.sent.put_nowait(json.loads(text))


async def test_the_host_answers_what_it_is_asked():
    streams = Streams()
    link = HostLink(streams)
    serving = asyncio.create_task(link.serve(desk=None))
    for answer, check in (
        ({"result": {"token": "t"}}, lambda done: done.result() == {"token": "t"}),
        ({"error": {"code": 1, "message": "Nobody signed in."}}, lambda done: done.exception()),
    ):
        asking = asyncio.create_task(link.ask("token.get", {}))
        asked = await asyncio.wait_for(streams.sent.get(), WITHIN_S)
        assert asked["method"] == "token.get"
        streams.come.put_nowait(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}))
        await asyncio.wait([asking], timeout=WITHIN_S)
        assert check(asking)
    assert isinstance(asking.exception(), HostError)
    streams.come.put_nowait(None)
    await asyncio.wait_for(serving, WITHIN_S)
