"""VS Code's backend keeps what is said with the person's own resource, unless they do not want it."""

from __future__ import annotations

import asyncio
import sys

import pytest
from tests.unit.host_process import WITHIN_S, asked, greeted, page, started
from tests.unit.recorded_azure import azure
from tests.unit.service_story import SESSION, event
from tests.unit.test_host_azure import ALONE, KEY, settings, use

from voicepilot.backend.transcripts import kept
from voicepilot.bridge.jsonrpc import Endpoint
from voicepilot.session.feed import Entry, encode

__all__ = ["page"]  # a fixture

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="names the data folder as Linux does"
)

CALL = (
    ("talk",),
    ("microphone_opened", 1),
    ("answered", 1, "rtc_1"),
    ("channel_opened", 1),
    ("receive", 1, event("session.created", session=SESSION)),
    ("say", "What is open?"),
)


def inputs(first, told):
    entries = [encode(Entry(at, name, args)) for at, (name, *args) in enumerate(told, first)]
    return {"page": "a", "first": first, "entries": entries}


@pytest.mark.parametrize(("wanted", "titles"), [(True, ["What is open?"]), (False, [])])
async def test_what_is_said_is_kept_if_it_is_wanted(page, tmp_path, wanted, titles):
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}
    folder = tmp_path / "data" / "voicepilot" / "transcripts"
    async with azure() as service, started(**ALONE, **data) as host:
        said = {"voicepilot.transcripts": wanted}
        await use(host, page, settings(service, **said), KEY)
        host.tell("page.opened", page="p1", talks=True)
        endpoint = Endpoint()
        await greeted(host, "p1", endpoint)
        taken = await asked(host, "p1", endpoint, "call.feed", **inputs(1, CALL))
        assert taken.result == {"last": len(CALL)}
        async with asyncio.timeout(WITHIN_S):
            while [each.transcript.title for each in kept(folder)] != titles:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        host.process.stdin.close()  # the window is closed: what was begun is written first
        await host.ended()
        assert [each.transcript.title for each in kept(folder)] == titles


async def test_the_demo_keeps_nothing(page, tmp_path):
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}
    async with started(**ALONE, **data) as host:
        await host.ask(
            *("host.start",),
            page=str(page),
            folders=[],
            cookie="",
            service="demo",
            settings={},
            python="",
            key="",
        )
        host.tell("page.opened", page="p1", talks=True)
        endpoint = Endpoint()
        await greeted(host, "p1", endpoint)
        await asked(host, "p1", endpoint, "call.feed", **inputs(1, CALL))
        host.process.stdin.close()
        await host.ended()
    assert not (tmp_path / "data").exists()
