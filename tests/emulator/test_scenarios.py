"""The service breaks as it is told, and only as long."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from tests.emulator.client import Bench, Client
from tests.emulator.test_ice_tcp import tcp_only
from tests.voices import sentence

from voicepilot.cli import main
from voicepilot.emulator.garbage import GARBAGE, Garbler
from voicepilot.emulator.scenarios import (
    LATE_TRANSCRIPT_S,
    RETRY_AFTER_S,
    SCENARIOS,
    SLOW_ANSWER_S,
    Faults,
    UnknownScenarioError,
)
from voicepilot.emulator.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiortc import RTCPeerConnection

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORDS = "response.output_audio_transcript"
TRANSCRIPTION = "conversation.item.input_audio_transcription"


async def control(bench: Bench, method: str, name: str = "", key: str | None = None) -> Any:
    """(status, body) of the control endpoint's answer."""
    path = f"{bench.base}/_control/scenarios{'/' if name else ''}{name}"
    headers = {"api-key": bench.api_key if key is None else key}
    async with bench.http.request(method, path, headers=headers) as reply:
        return reply.status, await reply.json()


@asynccontextmanager
async def broken(bench: Bench, *names: str) -> AsyncIterator[None]:
    """The service with these scenarios on."""
    for name in names:
        status, shown = await control(bench, "PUT", name)
        assert status == 200, shown
        assert [each["active"] for each in shown["scenarios"]] == [True]
    try:
        yield
    finally:
        status, shown = await control(bench, "DELETE")
        assert not any(each["active"] for each in shown["scenarios"])


async def post(bench: Bench, path: str, **how: Any) -> tuple[int, Any, dict[str, Any]]:
    async with bench.http.post(f"{bench.base}/openai/v1/realtime/{path}", **how) as reply:
        return reply.status, reply.headers, json.loads(await reply.text())


def ask(client: Client, words: str = "What is two plus two?") -> int:
    """Ask in writing; returns how many events came before."""
    mark = len(client.events)
    content = [{"type": "input_text", "text": words}]
    item = {"type": "message", "role": "user", "content": content}
    client.send("conversation.item.create", item=item)
    client.send("response.create")
    return mark


async def answered(client: Client) -> None:
    mark = ask(client)
    done = await client.wait("response.done", after=mark)
    assert done["response"]["status"] == "completed"
    await client.wait("output_audio_buffer.stopped", after=mark)


# ---- the switches


async def test_every_scenario_is_listed_with_what_it_is(bench: Bench) -> None:
    status, shown = await control(bench, "GET")
    assert status == 200
    assert [each["name"] for each in shown["scenarios"]] == list(SCENARIOS)
    for each in shown["scenarios"]:
        assert re.fullmatch(r"[A-Z`a-z].+\.", each["description"])
        assert not each["active"]
    async with broken(bench, "session-expires:1800", "silent-model"):
        _, shown = await control(bench, "GET")
        active = {each["name"]: each["argument"] for each in shown["scenarios"] if each["active"]}
        assert active == {"session-expires": 1800, "silent-model": None}
        _, shown = await control(bench, "DELETE", "silent-model")
        assert shown["scenarios"][0]["active"] is False


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_the_switches_want_the_standing_key(bench: Bench, method: str) -> None:
    minted = await bench.mint()
    for key in ("", "wrong", minted["value"]):
        status, body = await control(bench, method, "" if method == "GET" else "mint-401", key)
        assert (status, body["error"]["code"]) == (401, "401")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing", "There is no scenario 'nothing'. There are: preview-only, mint-401, "),
        ("mint-401:x", "takes no argument."),
        ("session-expires", "needs a whole number from 1 to 3600: session-expires:SECONDS."),
        ("session-expires:0", "needs a whole number"),
        ("session-expires:soon", "needs a whole number"),
        ("response-failed:", "needs a code like rate_limit_exceeded: response-failed:CODE."),
        ("response-failed:No", "needs a code"),
    ],
)
async def test_what_is_not_to_be_had_is_said(bench: Bench, name: str, says: str) -> None:
    status, body = await control(bench, "PUT", name)
    assert status == 400
    assert says in body["error"]["message"]
    with pytest.raises(UnknownScenarioError, match=re.escape(says)):
        Faults([name])
    _, shown = await control(bench, "GET")
    assert not any(each["active"] for each in shown["scenarios"])


async def test_a_service_may_be_broken_from_the_start() -> None:
    service = Service(faults=Faults(["mint-503", "mint-401"]))
    async with TestServer(service.application()) as server, aiohttp.ClientSession() as http:
        bench = Bench(str(server.make_url("")).rstrip("/"), http)
        headers = {"api-key": "any"}
        assert (await post(bench, "client_secrets", headers=headers))[0] == 401  # the table's first
        await control(bench, "DELETE", "mint-401")
        assert (await post(bench, "client_secrets", headers=headers))[0] == 503


async def test_the_command_refuses_a_scenario_that_there_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["emulator", "--port", "0", "--scenario", "mint-503", "--scenario", "nothing"])
    assert ended.value.code == 2
    assert "There is no scenario 'nothing'. There are: preview-only" in capsys.readouterr().err


async def test_only_what_there_is_can_be_switched_off(bench: Bench) -> None:
    status, body = await control(bench, "DELETE", "nothing")
    assert (status, body["error"]["code"]) == (400, "invalid_scenario")


async def test_the_documentation_has_every_scenario_in_the_words_of_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
    table = text.partition("## What there is")[2]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == [each.usage for each in SCENARIOS.values()]
    for row, scenario in zip(rows, SCENARIOS.values(), strict=True):
        assert row[1] == scenario.bites.value
        assert row[2] == scenario.description
        assert len(row[3]) > 20  # and what the page shows


# ---- new calls


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("mint-401", 401, "401"),
        ("mint-403-role", 403, "PermissionDenied"),
        ("mint-404-deployment", 404, "DeploymentNotFound"),
        ("mint-429", 429, "429"),
        ("mint-503", 503, "ServiceUnavailable"),
    ],
)
async def test_minting_is_refused_as_azure_refuses(
    bench: Bench, name: str, status: int, code: str
) -> None:
    async with broken(bench, name):
        headers = {"api-key": bench.api_key}
        got, sent, body = await post(bench, "client_secrets", headers=headers, json={})
        assert (got, body["error"]["code"]) == (status, code)
        assert body["error"]["message"]
        assert sent.get("retry-after") == (str(RETRY_AFTER_S) if status == 429 else None)
    assert (await bench.mint())["value"].startswith("ek_")


async def test_a_resource_may_know_only_the_preview(bench: Bench) -> None:
    async with broken(bench, "preview-only"):
        headers = {"api-key": bench.api_key}
        got, _, body = await post(bench, "client_secrets", headers=headers, json={})
        assert (got, body["error"]["message"]) == (404, "Resource not found")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("key-expired", 401, "Unauthorized"), ("sdp-400", 400, "invalid_offer")],
)
async def test_an_offer_is_refused(bench: Bench, name: str, status: int, code: str) -> None:
    async with broken(bench, name):
        key = (await bench.mint())["value"]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
        got, _, body = await post(bench, "calls", headers=headers, data="v=0")
        assert (got, body["error"]["code"]) == (status, code)


async def test_an_answer_takes_its_time(bench: Bench) -> None:
    async with broken(bench, "slow-sdp"):
        begin = time.perf_counter()
        client = await bench.call()
        assert time.perf_counter() - begin > SLOW_ANSWER_S
    await client.close()


async def never_connects(bench: Bench) -> None:
    peers: list[RTCPeerConnection] = []

    async def note(pc: RTCPeerConnection) -> None:
        peers.append(pc)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await bench.call(before_connecting=note)
    assert peers[0].iceConnectionState == "checking"
    await peers[0].close()


async def test_no_packet_gets_through(bench: Bench) -> None:
    running = await bench.call()
    async with broken(bench, "no-media"):
        await never_connects(bench)
        await answered(running)  # only new calls are concerned
    await running.close()


async def test_udp_is_blocked_and_tcp_is_not(bench: Bench) -> None:
    async with broken(bench, "udp-blocked"):
        await never_connects(bench)
        client, _, reading = await tcp_only(bench)
        await answered(client)
        assert client.loud_at
    await client.close()
    await asyncio.wait_for(reading, 5)


# ---- calls


async def test_a_cut_link_lets_nothing_through_until_it_is_mended(bench: Bench) -> None:
    client = await bench.call()
    ask(client, "Count to forty.")
    await client.heard(300)
    async with broken(bench, "cut-link"):
        await asyncio.sleep(0.3)  # what is on its way or in the jitter buffer
        loud, events = len(client.loud_at), len(client.events)
        client.send("input_audio_buffer.clear")
        await asyncio.sleep(1.0)  # nothing is to happen
        assert (len(client.loud_at), len(client.events)) == (loud, events)
    await client.wait("input_audio_buffer.cleared", after=events)
    await client.heard(len(client.loud_at) * 20 + 200)
    await client.close()


@pytest.mark.parametrize("when", ["running", "new"])
async def test_the_channel_is_closed(bench: Bench, when: str) -> None:
    client = await bench.call() if when == "running" else None
    async with broken(bench, "close-channel"):
        client = client or await bench.call()
        async with asyncio.timeout(5):
            while client.channel.readyState != "closed":  # noqa: ASYNC110 -- aiortc's state
                await asyncio.sleep(0.02)
    assert client.types()[0] == "session.created"
    await client.close()


async def test_a_session_expires_early(bench: Bench) -> None:
    async with broken(bench, "session-expires:1"):
        client = await bench.call()
        session = client.events[0]["session"]
        assert session["expires_at"] - time.time() < 2
        told = await client.wait("error", within=4)
        assert told["error"]["code"] == "session_expired"
    await client.close()


async def test_a_running_session_expires_when_it_is_told_to(bench: Bench) -> None:
    client = await bench.call()
    assert client.events[0]["session"]["expires_at"] - time.time() > 3000
    async with broken(bench, "session-expires:1"):
        told = await client.wait("error", within=4)
        assert told["error"]["code"] == "session_expired"
    await client.close()


@pytest.mark.parametrize(
    ("code", "status", "details"),
    [
        ("rate_limit_exceeded", "failed", {"type": "tokens"}),
        ("server_error", "failed", {"type": "server_error"}),
        ("of_my_own", "failed", {"type": "server_error"}),
        ("content_filter", "incomplete", None),
    ],
)
async def test_a_response_fails(
    bench: Bench, one_call: Client, code: str, status: str, details: dict[str, str] | None
) -> None:
    async with broken(bench, f"response-failed:{code}"):
        mark = ask(one_call)
        done = (await one_call.wait("response.done", after=mark))["response"]
        assert (done["status"], done["output"]) == (status, [])
        if details is None:
            assert done["status_details"] == {"type": "incomplete", "reason": code}
        else:
            assert done["status_details"]["error"].items() >= {"code": code, **details}.items()
        assert "error" not in one_call.types(mark)
    await answered(one_call)


async def spoken(client: Client, words: str = "What is two plus two?") -> int:
    mark = len(client.events)
    client.microphone.say(sentence(words))
    await client.wait("input_audio_buffer.speech_stopped", after=mark)
    return mark


async def test_what_is_said_is_not_written_down_and_answered_all_the_same(bench: Bench) -> None:
    client = await bench.call({"audio": {"input": {"transcription": {"model": "whisper-1"}}}})
    async with broken(bench, "transcription-failed"):
        mark = await spoken(client)
        failed = await client.wait(f"{TRANSCRIPTION}.failed", after=mark)
        assert failed["error"]["code"] == "DeploymentNotFound"
        done = await client.wait("response.done", after=mark)
        assert done["response"]["status"] == "completed"
        assert "4" in done["response"]["output"][0]["content"][0]["transcript"]
    await client.close()


async def test_a_transcript_comes_late(bench: Bench) -> None:
    client = await bench.call({"audio": {"input": {"transcription": {"model": "whisper-1"}}}})
    async with broken(bench, "transcript-late"):
        mark = await spoken(client)
        stopped = time.perf_counter()
        await client.wait(f"{TRANSCRIPTION}.completed", after=mark)
        assert time.perf_counter() - stopped >= LATE_TRANSCRIPT_S - 0.1
        types = client.types(mark)
        assert types.index("response.done") < types.index(f"{TRANSCRIPTION}.completed")
    await client.close()


async def test_a_session_update_is_ignored(bench: Bench, one_call: Client) -> None:
    async with broken(bench, "ignore-session-update"):
        mark = len(one_call.events)
        one_call.send("session.update", session={"type": "realtime", "instructions": "Sing."})
        one_call.send("input_audio_buffer.clear")
        await one_call.wait("input_audio_buffer.cleared", after=mark)
        assert one_call.types(mark) == ["input_audio_buffer.cleared"]
    one_call.send("session.update", session={"type": "realtime"})
    updated = await one_call.wait("session.updated", after=mark)
    assert updated["session"]["instructions"] != "Sing."


async def test_garbage_lets_events_pass_each_other_but_never_ends_before_begins() -> None:
    sent: list[str] = []
    garbler = Garbler(sent.append)
    kinds = [f"{WORDS}.delta"] * 9 + ["response.done"]
    events = [json.dumps({"type": kind, "number": n}) for n, kind in enumerate(kinds)]
    for event in events:
        garbler.send(event)
    first = [text for text in dict.fromkeys(sent) if text in events]
    assert first != events
    assert sorted(first) == sorted(events)
    assert first[-1] == events[-1]
    garbler.close()


async def test_garbage_comes_between_the_events(bench: Bench) -> None:
    async with broken(bench, "garbage-events"):
        client = await bench.call()
        texts: list[str] = []

        def take(text: str) -> None:
            texts.append(text)
            if text not in GARBAGE:
                client.take(text)

        client.channel.remove_all_listeners("message")
        client.channel.on("message", take)
        for _ in range(4):
            await answered(client)
        assert len(set(texts) & set(GARBAGE)) > 6
        known = [text for text in texts if text not in GARBAGE]
        assert len(set(known)) < len(known), "nothing came twice"
    await client.close()


@pytest.mark.parametrize("way", ["spoken", "asked"])
async def test_a_silent_model(bench: Bench, way: str) -> None:
    client = await bench.call()
    async with broken(bench, "silent-model"):
        mark = await spoken(client) if way == "spoken" else ask(client)
        client.send("input_audio_buffer.clear")
        await client.wait("input_audio_buffer.cleared", after=mark)
        await asyncio.sleep(0.5)  # nothing is to happen
        assert not [kind for kind in client.types(mark) if kind.startswith("response.")]
    await answered(client)
    await client.close()
