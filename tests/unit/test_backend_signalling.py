"""Relay signalling against a real HTTP server that answers in the shapes recorded from Azure."""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from voicepilot.backend.azure.credential import Credential
from voicepilot.backend.failure import Failure
from voicepilot.backend.page_server import listen
from voicepilot.backend.signalling import Relay, Service, call_name
from voicepilot.backend.tools import SPECS
from voicepilot.bridge.messages import CallOpened
from voicepilot.protocol.session_config import SessionConfig

OFFER = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
ANSWER = "v=0\r\no=- 1784852237 2 IN IP4 0.0.0.0\r\n"
CALL_ID = "rtc_0123456789abcdef0123456789abcdef"
KEY = "standing-key"
SESSION = SessionConfig(model="my-deployment", instructions="Be brief.", tools=SPECS)


class Azure:
    """The two endpoints; `mint` and `calls` are (status, body, headers) to answer instead."""

    def __init__(self):
        self.seen = []
        self.mint = (
            200,
            json.dumps({"value": "ek_1", "expires_at": 1784859437, "session": {"id": "sess_1"}}),
            {"Content-Type": "application/json"},
        )
        self.calls = (
            201,
            ANSWER,
            {
                "Content-Type": "text/plain; charset=utf-8",
                "Location": f"/v1/realtime/calls/{CALL_ID}",
            },
        )

    async def take(self, request):
        self.seen.append((request.method, request.path_qs, request.headers, await request.text()))
        status, body, headers = self.mint if request.path.endswith("secrets") else self.calls
        return web.Response(status=status, text=body, headers=headers)


@asynccontextmanager
async def azure():
    service = Azure()
    application = web.Application()
    application.add_routes([web.route("*", "/{path:.*}", service.take)])
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield service, base
    finally:
        await runner.cleanup()


async def open_call(base, credential=None):
    async with Relay() as relay:
        return await relay.open(
            Service(base, credential or Credential.api_key(KEY)), SESSION, OFFER
        )


async def test_a_call_is_minted_with_the_whole_session_and_opened_with_the_raw_offer():
    async with azure() as (service, base):
        assert await open_call(base) == CallOpened(ANSWER, CALL_ID, 1784859437, "ga")
        (verb, mint, headers, body), (verb2, calls, headers2, body2) = service.seen
        assert (verb, mint) == ("POST", "/openai/v1/realtime/client_secrets")
        assert headers["api-key"] == KEY
        assert json.loads(body) == {"session": SESSION.to_json()}
        assert (verb2, calls) == ("POST", "/openai/v1/realtime/calls")
        assert headers2["Authorization"] == "Bearer ek_1"
        assert headers2["Content-Type"] == "application/sdp"
        assert "api-key" not in headers2
        assert body2 == OFFER


async def test_an_entra_token_goes_as_bearer():
    async with azure() as (service, base):
        await open_call(base + "/", Credential.bearer("token"))
        assert service.seen[0][1] == "/openai/v1/realtime/client_secrets"
        assert service.seen[0][2]["Authorization"] == "Bearer token"
        assert "api-key" not in service.seen[0][2]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (f"/v1/realtime/calls/{CALL_ID}", CALL_ID),
        (f"https://host/openai/v1/realtime/calls/{CALL_ID}/", CALL_ID),
        (f"/v1/realtime?call_id={CALL_ID}", CALL_ID),
        (CALL_ID, CALL_ID),
        ("", ""),
    ],
)
def test_the_call_is_named_by_the_location(location, expected):
    assert call_name(location) == expected


UNAUTHORIZED = '{"error":{"code":"401","message":"Access denied due to invalid subscription key."}}'
NO_DEPLOYMENT = '{"error":{"code":"DeploymentNotFound","message":"The deployment does not exist."}}'


NO_ROLE = '{"error":{"code":"PermissionDenied","message":"No role."}}'


@pytest.mark.parametrize("step", ["mint", "calls"])
@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (400, '{"code":"OperationNotSupported","message":"No."}', "deployment-unfit", "OperationN"),
        (401, NO_ROLE, "role-missing", "realtime service (status 401: PermissionDenied, No role)."),
        (403, NO_ROLE, "role-missing", "has no role"),
        (403, '{"error":{"code":"AuthenticationTypeDisabled"}}', "access-refused", "TypeDisabled"),
        (403, "", "access-refused", "does not allow access (status 403)."),
        (404, NO_DEPLOYMENT, "deployment-missing", "DeploymentNotFound, The deployment"),
        (404, "<html>not here</html>", "service-refused", "no such deployment (status 404)."),
        (422, "", "service-refused", "does not take this request (status 422)."),
        (429, '{"error":{"code":"429"}}', "service-busy", "no capacity"),
        (500, "", "service-failed", "status 500"),
        (503, "v=0 is no answer with this status", "service-failed", "status 503"),
        (307, "", "service-refused", "leads elsewhere"),
    ],
)
async def test_refusals_are_sorted_into_problems(step, status, body, code, says):
    async with azure() as (service, base):
        headers = {"Location": "/elsewhere"} if status == 307 else {}
        setattr(service, step, (status, body, headers))
        with pytest.raises(Failure) as failed:
            await open_call(base)
        assert failed.value.problem.code == code
        assert says in failed.value.problem.says
        assert len(service.seen) == (1 if step == "mint" else 2)  # nobody followed or repeated


@pytest.mark.parametrize(
    ("step", "status", "body", "code", "says"),
    [
        ("mint", 401, UNAUTHORIZED, "key-refused", "accept the key (status 401: Access denied"),
        ("mint", 401, f'{{"message":"wrong key {KEY}"}}', "key-refused", "wrong key …"),
        ("calls", 401, UNAUTHORIZED, "call-key-refused", "short-lived key that it gave"),
        ("mint", 400, "", "service-refused", "does not take this request (status 400)."),
        ("calls", 400, '{"message":"No."}', "offer-refused", "of the call (status 400: No)."),
    ],
)
async def test_the_same_status_means_another_thing_at_each_step(step, status, body, code, says):
    async with azure() as (service, base):
        setattr(service, step, (status, body, {}))
        with pytest.raises(Failure) as failed:
            await open_call(base)
        assert failed.value.problem.code == code
        assert says in failed.value.problem.says


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "20"}, "Wait 20 seconds,"),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "Wait 2 seconds,"),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "Wait a moment,"),
        ({"retry-after": "-1"}, "Wait a moment,"),
    ],
)
async def test_a_used_up_quota_says_how_long_to_wait(headers, wait):
    async with azure() as (service, base):
        service.mint = (429, "", headers)
        with pytest.raises(Failure) as failed:
            await open_call(base)
        assert failed.value.problem.next_step.startswith(wait)


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("calls", '{"sdp": "v=0"}'),
        ("calls", ""),
        ("calls", "v=0\r\n" + "a" * 1_000_000),
        ("mint", "no JSON"),
        ("mint", "[]"),
        ("mint", '{"value": 1}'),
        ("mint", '{"value": ""}'),
        ("mint", '{"value": "two\\r\\nlines: header"}'),
    ],
)
async def test_an_answer_of_another_kind_is_a_bad_answer(step, body):
    async with azure() as (service, base):
        status, _, headers = getattr(service, step)
        setattr(service, step, (status, body, headers))
        with pytest.raises(Failure) as failed:
            await open_call(base)
        assert failed.value.problem.code == "bad-answer"


async def test_a_service_that_is_not_there_is_unreachable():
    with listen(0) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Failure) as failed:
        await open_call(f"http://127.0.0.1:{port}")
    assert failed.value.problem.code == "service-unreachable"


async def test_no_secret_shows(caplog):
    caplog.set_level(logging.DEBUG)
    async with azure() as (service, base):
        await open_call(base)
        service.calls = (401, UNAUTHORIZED, {})
        with pytest.raises(Failure):
            await open_call(base)
        service.mint = (500, KEY, {})
        with pytest.raises(Failure):
            await open_call(base)
    for secret in (KEY, "ek_1"):
        assert secret not in caplog.text
    assert KEY not in repr(Service(base, Credential.api_key(KEY)))
    assert "status 401" in caplog.text
