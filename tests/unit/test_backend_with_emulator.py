"""The whole way of a call without a browser: the bridge's end, relay signalling, the real service."""

from __future__ import annotations

import asyncio
import json

import pytest

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.demo import demo_configuration
from voicepilot.backend.desk import Desk
from voicepilot.backend.embedded import EmbeddedService
from voicepilot.backend.failure import Failure
from voicepilot.backend.tools import SPECS, Toolbox
from voicepilot.bridge.messages import CallClosed, OpenCall
from voicepilot.protocol.session_config import SessionConfig

aiortc = pytest.importorskip("aiortc")


@pytest.fixture
async def embedded():
    service = EmbeddedService()
    await service.start()
    yield service
    await service.stop()
    assert service._process.returncode == 0
    assert not service.log.exists()


async def test_an_offer_becomes_a_live_session_with_our_configuration(embedded, tmp_path):
    peer = aiortc.RTCPeerConnection()
    try:
        peer.addTransceiver("audio", direction="sendrecv")
        channel = peer.createDataChannel("oai-events")
        events = asyncio.Queue()
        channel.on("message", lambda text: events.put_nowait(json.loads(text)))
        await peer.setLocalDescription(await peer.createOffer())
        async with Calls(embedded.ready) as calls, asyncio.timeout(30):
            desk = Desk("b1", calls, demo_configuration(), Toolbox(tmp_path))
            opened = await desk.open_call(OpenCall(1, peer.localDescription.sdp))
            assert opened.call_id.startswith("rtc_")
            assert opened.dialect == "ga"
            await peer.setRemoteDescription(aiortc.RTCSessionDescription(opened.sdp, "answer"))
            created = await events.get()
        assert created["type"] == "session.created"
        assert [tool["name"] for tool in created["session"]["tools"]] == [t.name for t in SPECS]
        assert created["session"]["audio"]["input"]["transcription"] is not None
    finally:
        await peer.close()


async def test_a_call_that_is_hung_up_is_over_at_the_service(embedded, tmp_path):
    peer = aiortc.RTCPeerConnection()
    try:
        channel = peer.createDataChannel("oai-events")
        peer.addTransceiver("audio", direction="sendrecv")
        closed = asyncio.Event()
        channel.on("close", closed.set)
        opened_channel = asyncio.Event()
        channel.on("open", opened_channel.set)
        await peer.setLocalDescription(await peer.createOffer())
        async with Calls(embedded.ready) as calls, asyncio.timeout(30):
            desk = Desk("b1", calls, demo_configuration(), Toolbox(tmp_path))
            opened = await desk.open_call(OpenCall(1, peer.localDescription.sdp))
            await peer.setRemoteDescription(aiortc.RTCSessionDescription(opened.sdp, "answer"))
            await opened_channel.wait()
            await desk.call_closed(CallClosed(opened.call_id))
            await closed.wait()
    finally:
        await peer.close()


async def test_the_services_refusals_are_sorted(embedded):
    session = SessionConfig(model="m")
    async with Calls(embedded.ready) as calls, asyncio.timeout(30):
        with pytest.raises(Failure) as failed:
            await calls.open(session, "v=0\r\nno session at all")
        assert failed.value.problem.code == "offer-refused"
        base = (await calls.target()).base
    stranger = Target(base, FixedCredentials(Credential.api_key("wrong")))
    async with Calls.at(stranger) as calls, asyncio.timeout(30):
        with pytest.raises(Failure) as failed:
            await calls.open(session, "v=0\r\n")
        assert "does not accept the key (status 401" in failed.value.problem.says
