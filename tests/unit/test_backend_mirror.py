"""A call page and the pages that mirror it, over real WebSockets with the backend between them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.call_pages import CallPages
from voicepilot.backend.feed import Feed
from voicepilot.backend.lines import SocketLine
from voicepilot.backend.page_server import listen
from voicepilot.bridge.jsonrpc import Endpoint, Notification, Refusal, Reply
from voicepilot.bridge.messages import CallFeed
from voicepilot.session import Phase
from voicepilot.session.feed import Entry, decode, encode
from voicepilot.session.mirror import CallMirror

WITHIN_S = 20
BRIEF_S = 0.05


class Desk:
    def __init__(self, feed):
        self._feed = feed

    async def feed(self, inputs):
        return self._feed.take(inputs)


class Page:
    """A page's end of the bridge."""

    def __init__(self, socket):
        self._socket = socket
        self._endpoint = Endpoint()
        self._notes = asyncio.Queue()
        self._answers = {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        async for frame in self._socket:
            match self._endpoint.receive(frame.data):
                case Notification() as note:
                    self._notes.put_nowait(note)
                case Reply(number) | Refusal(number) as answer:
                    self._answers.pop(number).set_result(answer)

    async def ask(self, method, params=None):
        number, text = self._endpoint.request(method, params or {})
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(text)
        return await asyncio.wait_for(self._answers[number], WITHIN_S)

    async def tell(self, method, params=None):
        await self._socket.send_str(self._endpoint.notify(method, params or {}))

    async def feed(self, name, first, *inputs):
        entries = tuple(encode(Entry(1.0, what, args)) for what, *args in inputs)
        answer = await self.ask("call.feed", CallFeed(name, first, entries).to_params())
        assert isinstance(answer, Reply)

    async def next_of(self, *methods):
        async with asyncio.timeout(WITHIN_S):
            while (note := await self._notes.get()).method not in methods:
                pass
        return note.params

    async def sees(self, mirror, condition):
        """Let `mirror` hear what comes until the condition holds."""
        while not condition(mirror):
            said = await self.next_of("mirror.feed")
            entries = [decode(each) for each in said["entries"]]
            list(mirror.take(said["page"], said["first"], entries))

    async def close(self):
        await self._socket.close()
        self._reading.cancel()


class Backend:
    def __init__(self, address, session):
        self._address = address
        self._session = session

    async def page(self, kind="call"):
        return Page(await self._session.ws_connect(f"{self._address}/{kind}"))

    async def mirror(self):
        page = await self.page("mirror")
        assert (await page.ask("mirror.open")).result == {}
        return page


@asynccontextmanager
async def backend(*, back_within=BRIEF_S):
    feed, tasks = Feed(), set()

    def run(work):
        task = asyncio.create_task(work)
        tasks.add(task)
        return task

    pages = CallPages(feed, run, back_within=back_within)

    async def serve(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        link = BridgeLink(SocketLine(socket), Desk(feed), company=pages)
        await pages.serve(link, talks=request.path == "/call")
        return socket

    application = web.Application()
    application.add_routes([web.get("/call", serve), web.get("/mirror", serve)])
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with aiohttp.ClientSession() as session:
            yield Backend(address, session)
    finally:
        await runner.cleanup()
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [each for each in done if isinstance(each, Exception)]


def under_way(mirror):
    return mirror.call.under_way


async def test_a_mirror_hears_everything_so_far_and_everything_that_comes():
    async with backend() as there:
        page = await there.page()
        await page.feed("a", 1, ("talk",), ("microphone_opened", 1))
        panel, seen = await there.mirror(), CallMirror()
        await panel.sees(seen, under_way)
        await page.feed("a", 3, ("mute", True))
        await panel.sees(seen, lambda mirror: mirror.call.muted)
        assert seen.call.phase is Phase.CONNECTING

        reloaded, again = await there.mirror(), CallMirror()
        await reloaded.sees(again, lambda mirror: mirror.last("a") == 3)
        assert again.call.muted and again.call.phase is seen.call.phase


async def test_a_long_history_comes_in_frames_that_fit():
    async with backend() as there:
        page = await there.page()
        for number in range(4):
            told = [("receive", 1, "x" * 30_000)] * 2
            await page.feed("a", 1 + 2 * number, *told)
        panel, seen = await there.mirror(), CallMirror()
        await panel.sees(seen, lambda mirror: mirror.last("a") == 8)
        assert seen.complete


async def test_what_is_wanted_at_a_mirror_comes_to_the_call_page():
    async with backend() as there:
        panel = await there.mirror()
        refused = await panel.ask("call.control", {"action": "mute", "value": ""})
        assert refused.data["code"] == "no-call-page"

        page = await there.page()
        for wish in (("mute", ""), ("hold", ""), ("say", "Hello."), ("microphone", "m1")):
            params = dict(zip(("action", "value"), wish, strict=True))
            assert (await panel.ask("call.control", params)).result == {}
            assert await page.next_of("call.control") == params
        session = {"session": {"speed": 1.5}}
        assert (await panel.ask("call.configure", session)).result == {}
        assert await page.next_of("call.configure") == session
        refused = await panel.ask("call.control", {"action": "sing", "value": ""})
        assert isinstance(refused, Refusal)


async def test_levels_and_scene_are_asked_for_only_while_somebody_mirrors():
    async with backend() as there:
        page = await there.page()
        assert await page.next_of("call.place") == {"elsewhere": False, "watched": False}
        panel = await there.mirror()
        assert await page.next_of("call.place") == {"elsewhere": False, "watched": True}
        await page.tell("call.levels", {"user": 0.5, "reply": 0})
        assert await panel.next_of("call.levels") == {"user": 0.5, "reply": 0.0}
        scene = {
            "microphones": [{"id": "", "label": "System default"}],
            "microphone": "",
            "problems": [],
            "link": "connected",
            "statistics": {"round_trip": 12.5, "loss": None},
        }
        await page.tell("call.scene", scene)
        assert await panel.next_of("call.scene") == scene
        await panel.close()
        assert await page.next_of("call.place") == {"elsewhere": False, "watched": False}


async def test_a_second_call_page_is_told_and_may_take_the_call():
    async with backend() as there:
        first = await there.page()
        assert (await first.next_of("call.place"))["elsewhere"] is False
        second = await there.page()
        assert (await second.next_of("call.place"))["elsewhere"] is True
        await second.tell("call.take")
        assert (await first.next_of("call.control"))["action"] == "stop"
        assert (await first.next_of("call.place"))["elsewhere"] is True
        assert (await second.next_of("call.place"))["elsewhere"] is False

        panel = await there.mirror()
        await panel.ask("call.control", {"action": "mute", "value": ""})
        assert (await second.next_of("call.control"))["action"] == "mute"

        await second.close()
        while (await first.next_of("call.place"))["elsewhere"]:
            pass


@pytest.mark.parametrize("says_so", [True, False])
async def test_the_call_of_a_page_that_is_closed_has_ended_for_whoever_looks(says_so):
    async with backend(back_within=3600 if says_so else BRIEF_S) as there:
        page = await there.page()
        panel, seen = await there.mirror(), CallMirror()
        await page.feed("a", 1, ("talk",), ("microphone_opened", 1))
        await panel.sees(seen, under_way)
        if says_so:
            await page.tell("call.leave")
        await page.close()
        await panel.sees(seen, lambda mirror: not under_way(mirror))
        assert seen.call.phase is Phase.ENDED
        assert seen.call.notice.code == "call-page-closed"
        await panel.next_of("mirror.alone")

        later, again = await there.mirror(), CallMirror()
        await later.sees(again, lambda mirror: mirror.last("a") == 4)
        assert again.call.phase is Phase.ENDED
        await later.next_of("mirror.alone")

        # Somebody else's page takes its place; the one that was closed cannot be followed any more.
        await (await there.page()).feed("b", 1, ("talk",))
        await panel.sees(seen, under_way)
        assert seen.shown == "b"
        await (await there.page()).feed("a", 3, ("talk",))
        await panel.sees(seen, lambda mirror: mirror.shown == "a")
        assert not seen.complete


async def test_a_page_that_comes_back_has_its_call_still():
    async with backend(back_within=1.0) as there:
        page = await there.page()
        await page.feed("a", 1, ("talk",))
        await page.close()
        page = await there.page()
        await page.feed("a", 2, ("microphone_opened", 1))
        await asyncio.sleep(1.2)  # the time in which it must be back
        panel, seen = await there.mirror(), CallMirror()
        await panel.sees(seen, lambda mirror: mirror.last("a") == 2)
        assert under_way(seen)
