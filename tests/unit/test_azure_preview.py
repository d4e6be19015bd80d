"""Resources that know only the preview protocol: found out, remembered, reached in their region."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.embedded import EmbeddedService
from voicepilot.backend.failure import Failure
from voicepilot.session import Call
from voicepilot.session.commands import Send

from .internet import REGION, RESOURCE, internet
from .recorded_azure import (
    ANSWERED,
    MINT,
    NOT_FOUND,
    OFFER,
    PREVIEW_MINT,
    PREVIEW_OFFERS,
    SESSION,
    Azure,
    Said,
    azure,
    calls_at,
    key_credentials,
    minted_preview,
    refused,
)
from .test_azure_requests import SESSIONS

aiortc = pytest.importorskip("aiortc")

UNKNOWN_PARAMETER = refused(400, "unknown_parameter", "Unknown parameter: 'session.type'.")


def only_preview(service: Azure, ga: Said = NOT_FOUND) -> None:
    service.says(MINT, ga)
    service.says(PREVIEW_MINT, minted_preview())
    service.says(PREVIEW_OFFERS, ANSWERED)


async def failure(calls: Calls) -> Failure:
    with pytest.raises(Failure) as failed:
        await calls.open(SESSION, OFFER)
    return failed.value


@pytest.mark.parametrize("answer", [NOT_FOUND, UNKNOWN_PARAMETER])
async def test_auto_finds_out_once_and_says_so(answer, caplog) -> None:
    async with azure() as service, calls_at(service.target(dialect="auto")) as calls:
        only_preview(service, answer)
        target = await calls.target()
        assert calls.speaks(target) == "ga"
        assert (await calls.open(SESSION, OFFER)).dialect == "preview"
        assert service.paths == [MINT, PREVIEW_MINT, PREVIEW_OFFERS]
        assert f"{service.base} knows only the preview protocol" in caplog.text
        assert calls.speaks(target) == "preview"

        service.seen.clear()
        assert (await calls.key(SESSION)).dialect == "preview"
        assert service.paths == [PREVIEW_MINT]


async def test_what_one_host_knows_says_nothing_of_another() -> None:
    async with azure() as first, azure() as second:
        only_preview(first)
        targets = [first.target(dialect="auto"), second.target(dialect="auto")]

        async def now() -> Target:
            return targets[0]

        async with Calls(now) as calls:
            await calls.open(SESSION, OFFER)
            targets.pop(0)
            assert (await calls.open(SESSION, OFFER)).dialect == "ga"


async def test_where_neither_is_known_the_address_is_wrong() -> None:
    async with azure() as service, calls_at(service.target(dialect="auto")) as calls:
        service.says(MINT, NOT_FOUND)
        problem = (await failure(calls)).problem
        assert problem.code == "address-unknown"
        assert "https://NAME.openai.azure.com" in problem.next_step
        assert service.paths == [MINT, PREVIEW_MINT]
        assert calls.speaks(await calls.target()) == "ga"


async def test_a_resource_that_has_learnt_ga_is_found_out_too() -> None:
    async with azure() as service, calls_at(service.target(dialect="auto")) as calls:
        only_preview(service)
        await calls.open(SESSION, OFFER)
        service.says(PREVIEW_MINT, NOT_FOUND)
        service.says(MINT, Azure().answers[MINT][0])
        assert (await failure(calls)).problem.code == "address-unknown"
        assert (await calls.open(SESSION, OFFER)).dialect == "ga"


@pytest.mark.parametrize(
    ("dialect", "answer", "code"),
    [
        ("auto", refused(404, "DeploymentNotFound", "No."), "deployment-missing"),
        ("auto", refused(401, "401", "Access denied."), "key-refused"),
        ("ga", NOT_FOUND, "address-unknown"),
        ("ga", UNKNOWN_PARAMETER, "dialect-refused"),
    ],
)
async def test_nothing_else_leads_to_the_preview(dialect, answer, code) -> None:
    async with azure() as service, calls_at(service.target(dialect=dialect)) as calls:
        only_preview(service, answer)
        assert (await failure(calls)).problem.code == code
        assert service.paths == [MINT]


# ---- the region's host, under its real name


def at_azure(dialect: str = "auto", region: str = "eastus2") -> Target:
    return Target(f"https://{RESOURCE}", key_credentials(), dialect, region)


async def test_offers_go_to_the_region(monkeypatch, tmp_path) -> None:
    async with (
        azure() as service,
        internet(service, monkeypatch, tmp_path) as proxy,
        calls_at(at_azure()) as calls,
    ):
        only_preview(service)
        assert (await calls.open(SESSION, OFFER)).dialect == "preview"
        hosts = [each.headers["Host"] for each in service.posts]
        assert hosts == [RESOURCE, RESOURCE, REGION]
        assert proxy.asked == [f"{RESOURCE}:443", f"{REGION}:443"]
        assert (
            await calls.key(SESSION)
        ).url == f"https://{REGION}/v1/realtimertc?model=my-deployment"
        service.seen.clear()
        await calls.warm_up()
        assert {each.headers["Host"] for each in service.seen} == {RESOURCE, REGION}


async def test_without_a_region_it_is_asked_for(monkeypatch, tmp_path) -> None:
    async with (
        azure() as service,
        internet(service, monkeypatch, tmp_path),
        calls_at(at_azure(region="")) as calls,
    ):
        only_preview(service)
        problem = (await failure(calls)).problem
        assert problem.code == "region-missing"
        assert problem.next_step == (
            "Set preview_region to the resource's region, such as eastus2 or swedencentral."
        )


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_wrong_region_is_told(monkeypatch, tmp_path, status) -> None:
    async with (
        azure() as service,
        internet(service, monkeypatch, tmp_path),
        calls_at(at_azure("preview")) as calls,
    ):
        only_preview(service)
        service.says(PREVIEW_OFFERS, Said(status))
        problem = (await failure(calls)).problem
        assert problem.code == "region-refused"
        assert (
            f"The host of the region eastus2 did not take the call (status {status})"
            in problem.says
        )


# ---- the embedded service


async def test_a_whole_call_is_held_in_preview_and_the_core_speaks_it() -> None:
    embedded = EmbeddedService()
    await embedded.start()
    peer = aiortc.RTCPeerConnection()
    try:
        async with asyncio.timeout(60), Calls(embedded.ready) as calls:
            target = await calls.target()
            key = await target.credentials.credential()
            async with (
                aiohttp.ClientSession() as http,
                http.put(
                    f"{target.base}/_control/scenarios/preview-only",
                    headers={key.header: key.value},
                ) as switched,
            ):
                assert switched.status == 200
            peer.addTransceiver("audio", direction="sendrecv")
            channel = peer.createDataChannel("oai-events")
            events: asyncio.Queue[str] = asyncio.Queue()
            channel.on("message", events.put_nowait)
            await peer.setLocalDescription(await peer.createOffer())
            core = Call()
            core.talk(0)
            core.microphone_opened(1, 0)
            opened = await calls.open(SESSION, peer.localDescription.sdp)
            core.agreed(1, opened.dialect, 1)
            await peer.setRemoteDescription(aiortc.RTCSessionDescription(opened.sdp, "answer"))
            core.answered(1, opened.call_id, 1)
            core.channel_opened(1, 2)

            created = await events.get()
            assert json.loads(created)["session"]["modalities"] == ["audio", "text"]
            core.receive(1, created, 2)
            for command in core.say("What is two plus two?", 3):
                assert isinstance(command, Send)
                channel.send(command.text)
            seen = []
            while "response.done" not in seen:
                event = await events.get()
                seen.append(json.loads(event)["type"])
                for command in core.receive(1, event, 4):
                    if isinstance(command, Send):
                        channel.send(command.text)
            assert "response.audio_transcript.delta" in seen
            assert "error" not in seen
            question, reply = core.conversation.turns
            assert question.text == "What is two plus two?"
            assert "4" in str(reply.text)
            await peer.close()
    finally:
        await peer.close()
        await embedded.stop()


async def test_every_session_is_taken_in_both_dialects() -> None:
    """The embedded service refuses fields that the protocol does not have."""
    embedded = EmbeddedService()
    await embedded.start()
    try:
        async with asyncio.timeout(60):
            there = await embedded.ready()
            for dialect in ("ga", "preview"):
                async with Calls.at(Target(there.base, there.credentials, dialect)) as calls:
                    for session in SESSIONS.values():
                        key = await calls.key(session)
                        assert key.dialect == dialect
    finally:
        await embedded.stop()
