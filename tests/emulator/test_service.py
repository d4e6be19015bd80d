"""Keys and calls over HTTP: what is answered, what is refused, and how."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from openai import AsyncOpenAI, AuthenticationError, BadRequestError
from openai.types.realtime import RealtimeSessionCreateResponse

from voicepilot.emulator.service import Service, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.emulator.client import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRETS = "/openai/v1/realtime/client_secrets"
CALLS = "/openai/v1/realtime/calls"


async def _post(bench: Bench, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    async with bench.http.post(f"{bench.base}{path}", **options) as reply:
        return reply.status, await reply.json()


async def test_a_minted_key_shows_its_expiry_and_the_whole_session(bench: Bench) -> None:
    before = int(time.time())
    minted = await bench.mint({"instructions": "Be brief."}, expires_after={"seconds": 60})

    assert minted["value"].startswith("ek_")
    assert before + 60 <= minted["expires_at"] <= time.time() + 60
    session = minted["session"]
    assert session["expires_at"] == 0
    assert session["model"] == "my-deployment"
    assert session["instructions"] == "Be brief."
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }


async def test_the_openai_package_mints_unmodified(bench: Bench) -> None:
    async with AsyncOpenAI(base_url=f"{bench.base}/openai/v1", api_key="standing") as client:
        minted = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={"type": "realtime", "model": "my-deployment", "instructions": "Be brief."},
        )
        assert minted.value.startswith("ek_")
        assert isinstance(minted.session, RealtimeSessionCreateResponse)
        assert minted.session.instructions == "Be brief."
        with pytest.raises(AuthenticationError):
            await client.with_options(api_key="wrong").realtime.client_secrets.create()
        with pytest.raises(BadRequestError) as caught:
            await client.realtime.client_secrets.create(
                session={"type": "realtime", "max_output_tokens": 0}
            )
        assert caught.value.code == "invalid_value"
        assert caught.value.param == "session.max_output_tokens"


async def test_a_key_lives_two_hours_unless_told_otherwise(bench: Bench) -> None:
    minted = await bench.mint()
    assert 7195 <= minted["expires_at"] - time.time() <= 7200


@pytest.mark.parametrize(
    "headers", [{}, {"api-key": "wrong"}, {"Authorization": "Bearer wrong"}, {"api-key": "ek_x"}]
)
async def test_no_key_without_the_standing_one(bench: Bench, headers: dict[str, str]) -> None:
    status, body = await _post(bench, SECRETS, headers=headers, json={})
    assert (status, body["error"]["code"]) == (401, "401")


async def test_the_standing_key_may_come_as_bearer_and_to_the_openai_path(bench: Bench) -> None:
    headers = {"Authorization": "Bearer standing"}
    status, body = await _post(bench, "/v1/realtime/client_secrets", headers=headers, json={})
    assert status == 200
    assert body["value"].startswith("ek_")


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (
            '{"session": {"type": "realtime", "voice": "alloy"}}',
            "unknown_parameter",
            "session.voice",
        ),
        ('{"session": {}}', "missing_required_parameter", "session.type"),
        ('{"expires_after": {"seconds": 9}}', "invalid_value", "expires_after.seconds"),
        ("{", "invalid_json", None),
    ],
)
async def test_what_a_session_cannot_be_is_refused_by_name(
    bench: Bench, body: str, code: str, param: str | None
) -> None:
    status, answer = await _post(bench, SECRETS, headers={"api-key": "standing"}, data=body)
    assert (status, answer["error"]["code"], answer["error"].get("param")) == (400, code, param)


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        ("Bearer standing", "requires ephemeral authentication"),
        ("Bearer ek_unknown", "invalid or has expired"),
        ("", "requires ephemeral authentication"),
    ],
)
async def test_calls_take_ephemeral_keys_only(bench: Bench, credential: str, words: str) -> None:
    headers = {"Authorization": credential, "api-key": "standing"}
    status, body = await _post(
        bench, CALLS, headers={**headers, "Content-Type": "application/sdp"}, data="v=0"
    )
    assert (status, body["error"]["code"]) == (401, "Unauthorized")
    assert words in body["error"]["message"]


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        ("not an offer", "no audio"),
        ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", "no audio"),
        ("v=0\r\nm=audio nonsense\r\n", "cannot be used"),
        ("", "cannot be used"),
    ],
)
async def test_a_bad_offer_is_refused_in_words(bench: Bench, offer: str, why: str) -> None:
    key = (await bench.mint())["value"]
    status, body = await _post(
        bench,
        CALLS,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"},
        data=offer,
    )
    assert (status, body["error"]["code"]) == (400, "invalid_offer")
    assert why in body["error"]["message"]


async def test_an_offer_must_come_as_sdp(bench: Bench) -> None:
    key = (await bench.mint())["value"]
    status, _ = await _post(
        bench, CALLS, headers={"Authorization": f"Bearer {key}"}, json={"sdp": "v=0"}
    )
    assert status == 415


@pytest.mark.parametrize(("with_key", "status"), [("standing", 401), ("ephemeral", 415)])
async def test_an_offer_in_a_form_is_refused(bench: Bench, with_key: str, status: int) -> None:
    key = (await bench.mint())["value"] if with_key == "ephemeral" else "standing"
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("sdp", "v=0", content_type="application/sdp")
    form.add_field("session", '{"type": "realtime"}', content_type="application/json")
    refused, _ = await _post(bench, CALLS, headers={"Authorization": f"Bearer {key}"}, data=form)
    assert refused == status


async def test_pages_of_any_origin_may_call_with_any_header(bench: Bench) -> None:
    asked = "authorization,content-type,x-openai-agents-sdk"
    async with bench.http.options(
        f"{bench.base}{CALLS}",
        headers={
            "Origin": "https://example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": asked,
        },
    ) as reply:
        assert reply.status == 200
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.headers["Access-Control-Allow-Headers"] == asked
    async with bench.http.post(f"{bench.base}{CALLS}") as reply:
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.headers["Access-Control-Expose-Headers"] == "Location,X-Request-Id"
        assert reply.headers["X-Request-Id"]


async def test_pages_cannot_mint(bench: Bench) -> None:
    preflight = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "api-key",
    }
    async with bench.http.options(f"{bench.base}{SECRETS}", headers=preflight) as reply:
        assert reply.status == 405
        assert "Access-Control-Allow-Origin" not in reply.headers


async def test_another_host_name_is_refused(bench: Bench) -> None:
    status, _ = await _post(bench, SECRETS, headers={"Host": "evil.example", "api-key": "standing"})
    assert status == 403


async def test_unknown_paths_have_a_body_too(bench: Bench) -> None:
    status, body = await _post(bench, "/openai/realtimeapi/sessions")
    assert (status, body["error"]["message"]) == (404, "Resource not found")


async def test_the_answer_looks_like_the_real_ones(bench: Bench) -> None:
    answers: list[str] = []

    def keep(answer: str) -> str:
        answers.append(answer)
        return answer

    client = await bench.call(edit_answer=keep)
    await client.close()

    answer = answers[0]
    assert client.location.startswith("/v1/realtime/calls/rtc_")
    assert len(client.location.rsplit("_", 1)[1]) == 32
    assert "UDP/TLS/RTP/SAVPF 96\r\n" in answer
    assert "a=fmtp:96 minptime=10;useinbandfec=1\r\n" in answer
    assert "a=setup:active\r\n" in answer
    assert " udp " in answer
    assert " 127.0.0.1 " in answer
    assert "typ host tcptype passive\r\n" in answer
    assert "a=end-of-candidates\r\n" in answer
    assert "a=sctp-port:5000\r\n" in answer


async def test_hanging_up_ends_the_call_and_then_there_is_none(bench: Bench) -> None:
    client = await bench.call()
    path = client.location.replace("/v1/", "/openai/v1/")
    closed = asyncio.Event()
    client.channel.on("close", closed.set)

    async with bench.http.post(
        f"{bench.base}{path}/hangup", headers={"api-key": "standing"}
    ) as reply:
        assert reply.status == 200
    async with asyncio.timeout(5):
        await closed.wait()
    status, body = await _post(bench, f"{path}/hangup", headers={"api-key": "standing"})
    assert (status, body["error"]["code"]) == (404, "call_id_not_found")
    await client.close()


async def test_a_taken_port_is_an_os_error(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await run(taken.getsockname()[1], None, announce=pytest.fail)


class _Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clocked() -> AsyncIterator[tuple[TestClient[Any, Any], _Clock]]:
    """A second service without a standing key, whose time stands still."""
    clock = _Clock()
    async with TestClient(TestServer(Service(None, clock).application())) as client:
        yield client, clock


async def test_keys_expire_when_they_say(clocked: tuple[TestClient[Any, Any], _Clock]) -> None:
    client, clock = clocked
    body = {"expires_after": {"anchor": "created_at", "seconds": 10}}
    minted = await (await client.post(SECRETS, json=body, headers={"api-key": "anything"})).json()
    assert minted["expires_at"] == clock.now + 10
    headers = {"Authorization": f"Bearer {minted['value']}", "Content-Type": "application/sdp"}

    clock.now += 9.9
    assert (await client.post(CALLS, headers=headers, data="v=0")).status == 400
    clock.now += 0.1
    reply = await client.post(CALLS, headers=headers, data="v=0")
    assert reply.status == 401
    assert "expired" in (await reply.json())["error"]["message"]


async def test_without_a_standing_key_an_empty_one_is_still_none(
    clocked: tuple[TestClient[Any, Any], _Clock],
) -> None:
    client, _ = clocked
    assert (await client.post(SECRETS, json={})).status == 401
