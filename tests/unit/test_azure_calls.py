"""Opening and ending calls, against a real HTTP server that answers in the shapes recorded from Azure."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.backend.azure.calls import Calls, DirectKey, Target
from voicepilot.backend.azure.credential import Credential
from voicepilot.backend.azure.http import Answer, Http
from voicepilot.backend.azure.refusals import (
    Asked,
    Step,
    is_exhausted,
    is_nowhere,
    refusal,
    speaks_another_dialect,
)
from voicepilot.backend.azure.retries import Retries
from voicepilot.backend.failure import Failure
from voicepilot.backend.page_server import listen
from voicepilot.bridge.messages import CallOpened
from voicepilot.protocol.call_names import call_name

from .recorded_azure import (
    ANSWER,
    ANSWERED,
    CALL_ID,
    HANGUP,
    KEY,
    MINT,
    NOT_FOUND,
    OFFER,
    OFFERS,
    SESSION,
    TOKEN,
    Pauses,
    Said,
    azure,
    calls_at,
    key_credentials,
    minted,
    refused,
    token_credentials,
)

UNAUTHORIZED = refused(401, "401", "Access denied due to invalid subscription key.")
NO_ROLE = '{"error":{"code":"PermissionDenied","message":"No role."}}'


async def open_call(target: Target, pauses: Pauses | None = None) -> CallOpened:
    async with calls_at(target, pauses) as calls:
        return await calls.open(SESSION, OFFER)


async def failure(target: Target, pauses: Pauses | None = None) -> Failure:
    with pytest.raises(Failure) as failed:
        await open_call(target, pauses)
    return failed.value


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what the code does inside sets no event
            await asyncio.sleep(0.005)


# ---- the two requests


async def test_a_call_is_two_requests_over_one_connection() -> None:
    async with azure() as service:
        opened = await open_call(service.target())
        assert opened == CallOpened(ANSWER, CALL_ID, 1784859437, "ga")
        assert service.paths == [MINT, OFFERS, HANGUP]  # the last when the program ended
        assert len({each.connection for each in service.seen}) == 1


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
def test_the_call_is_named_by_the_location(location, expected) -> None:
    assert call_name(location) == expected


@pytest.mark.parametrize("step", [MINT, OFFERS])
@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (400, '{"code":"OperationNotSupported","message":"No."}', "deployment-unfit", "OperationN"),
        (401, NO_ROLE, "role-missing", "realtime service (status 401: PermissionDenied, No role)."),
        (403, NO_ROLE, "role-missing", "has no role"),
        (403, "", "access-refused", "does not allow access (status 403)."),
        (404, "<html>not here</html>", "address-unknown", "(status 404; asked at 127.0.0.1)."),
        (422, "", "service-refused", "does not take this request (status 422)."),
        (307, "", "service-refused", "leads elsewhere (status 307)."),
        (501, "", "service-failed", "status 501"),
    ],
)
async def test_refusals_are_sorted_and_final_at_once(step, status, body, code, says) -> None:
    async with azure() as service:
        headers = {"Location": "/elsewhere"} if status == 307 else {}
        service.says(step, Said(status, body, headers))
        pauses = Pauses()
        problem = (await failure(service.target(), pauses)).problem
        assert (problem.code, pauses.made) == (code, [])
        assert says in problem.says
        again = step == OFFERS and status == 401  # once more, with another key
        assert service.paths.count(step) == (2 if again else 1)


@pytest.mark.parametrize(
    ("step", "body"),
    [
        (OFFERS, '{"sdp": "v=0"}'),
        (OFFERS, ""),
        (OFFERS, "v=0\r\n" + "a" * 1_000_000),
        (MINT, "no JSON"),
        (MINT, "[]"),
        (MINT, '{"value": 1}'),
        (MINT, '{"value": ""}'),
        (MINT, '{"value": "two\\r\\nlines: header"}'),
    ],
)
async def test_an_answer_of_another_kind_is_a_bad_answer(step, body) -> None:
    async with azure() as service:
        service.says(step, Said(200, body))
        assert (await failure(service.target())).problem.code == "bad-answer"


# ---- keys and credentials


async def test_a_key_that_the_offer_is_refused_with_is_replaced_once() -> None:
    async with azure() as service:
        service.says(MINT, minted("ek_1"), minted("ek_2"), minted("ek_3"))
        service.says(OFFERS, UNAUTHORIZED, ANSWERED)
        assert (await open_call(service.target())).sdp == ANSWER
        shown = [each.headers["Authorization"] for each in service.posts if each.path == OFFERS]
        assert shown == ["Bearer ek_1", "Bearer ek_2"]

        service.seen.clear()
        service.says(OFFERS, UNAUTHORIZED)
        assert (await failure(service.target())).problem.code == "call-key-refused"
        assert service.paths == [MINT, OFFERS, MINT, OFFERS]


class Scopes:
    """A source with a token for each of two scopes, which knows whose they are."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = [Credential.bearer(token) for token in tokens]

    async def credential(self, refused: Credential | None = None) -> Credential:
        if refused is not None:
            assert refused == self.tokens.pop(0)
            if not self.tokens:
                raise Failure("token-refused", detail="(status 401, ada@contoso.com)")
        return self.tokens[0]


async def test_a_refused_token_is_replaced_by_one_of_the_other_scope_once() -> None:
    async with azure() as service:
        service.says(MINT, UNAUTHORIZED, minted())
        await open_call(service.target(Scopes("first", "second")))
        shown = [each.headers["Authorization"] for each in service.posts if each.path == MINT]
        assert shown == ["Bearer first", "Bearer second"]

        service.says(MINT, UNAUTHORIZED)
        for tokens in (("first", "second"), ("first", "second", "third")):
            service.seen.clear()
            problem = (await failure(service.target(Scopes(*tokens)))).problem
            assert problem.code == "token-refused"
            assert ("ada@contoso.com" in problem.says) is (len(tokens) == 2)
            assert service.paths == [MINT, MINT]


async def test_without_another_credential_the_services_words_are_told() -> None:
    async with azure() as service:
        service.says(MINT, UNAUTHORIZED)
        problem = (await failure(service.target())).problem
        assert problem.code == "key-refused"
        assert "(status 401: Access denied due to invalid subscription key)" in problem.says
        assert service.paths == [MINT]


class SignIn:
    """A person who signs in when they get to it."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.fails = False

    async def credential(self, refused: Credential | None = None) -> Credential:
        await self.done.wait()
        if self.fails:
            raise Failure("sign-in-pending", deed="Sign in.")
        return Credential.bearer(TOKEN)


async def test_a_page_that_signals_itself_gets_key_and_address() -> None:
    async with azure() as service, calls_at(service.target()) as calls:
        key = await calls.key(SESSION)
        assert key == DirectKey(*(service.base + OFFERS, "ek_1", 1784859437, "ga", SESSION.model))
        assert "ek_1" not in repr(key)
        assert service.paths == [MINT]


async def test_an_offer_goes_with_a_key_that_was_given_and_is_told_like_a_calls() -> None:
    async with azure() as service, calls_at(service.target()) as calls:
        key = await calls.key(SESSION)
        assert await calls.offer(key, OFFER) == CallOpened(ANSWER, CALL_ID, 1784859437, "ga")
        assert service.paths == [MINT, OFFERS]
        service.says(OFFERS, UNAUTHORIZED)
        with pytest.raises(Failure) as failed:
            await calls.offer(key, OFFER)
        assert failed.value.problem.code == "call-key-refused"
        key = DirectKey(key.url, key.key, None, "preview", SESSION.model, "mars")
        with pytest.raises(Failure) as failed:
            await calls.offer(key, OFFER)
        assert failed.value.problem.code == "region-refused"


@pytest.mark.parametrize(
    ("options", "origins"),
    [
        ({}, ("https://r.openai.azure.com",)),
        ({"region": "eastus2"}, ("https://r.openai.azure.com",)),
        (
            {"dialect": "preview", "region": "eastus2"},
            ("https://eastus2.realtimeapi-preview.ai.azure.com",),
        ),
        ({"dialect": "preview"}, ()),
        ({"dialect": "auto"}, ("https://r.openai.azure.com",)),
        (
            {"dialect": "auto", "region": "eastus2"},
            ("https://r.openai.azure.com", "https://eastus2.realtimeapi-preview.ai.azure.com"),
        ),
    ],
)
def test_a_page_may_reach_exactly_where_offers_go(options, origins) -> None:
    target = Target("https://r.openai.azure.com/", key_credentials(), **options)
    assert target.offer_origins == origins


# ---- trying again


@pytest.mark.parametrize("step", [MINT, OFFERS])
async def test_what_passes_is_tried_again(step) -> None:
    async with azure() as service:
        good = service.answers[step][0]
        service.says(step, Said(503), Said(429, "", {"retry-after-ms": "1500"}), Said(500), good)
        pauses = Pauses()
        await open_call(service.target(), pauses)
        assert pauses.made == [0.4, 1.5, 1.6]
        assert service.paths.count(step) == 4


async def test_a_wait_that_is_too_long_is_told_and_not_waited_for() -> None:
    async with azure() as service:
        service.says(MINT, Said(429, "", {"retry-after": "20"}))
        pauses = Pauses()
        problem = (await failure(service.target(), pauses)).problem
        assert problem.next_step.startswith("Wait 20 seconds,")
        assert (service.paths, pauses.made) == ([MINT], [])


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after-ms": "30500", "retry-after": "9"}, "Wait 31 seconds,"),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "Wait a moment,"),
        ({"retry-after": "-1"}, "Wait a moment,"),
    ],
)
async def test_a_used_up_quota_says_how_long_to_wait(headers, wait) -> None:
    async with azure() as service:
        service.says(MINT, Said(429, "", headers))
        assert (await failure(service.target())).problem.next_step.startswith(wait)


async def test_a_service_that_is_not_there_is_tried_again_and_unreachable() -> None:
    with listen(0) as listener:
        port = listener.getsockname()[1]
    pauses = Pauses()
    target = Target(f"http://127.0.0.1:{port}", key_credentials())
    assert (await failure(target, pauses)).problem.code == "service-unreachable"
    assert pauses.made == [0.4, 0.8, 1.6]


async def test_an_offer_that_may_have_arrived_is_not_sent_twice() -> None:
    """A service that hangs up on each request once it has read it."""
    read: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.partition(b"\r\n")[0]
        read.append(line.split()[1])
        if line.endswith(b"client_secrets HTTP/1.1") and len(read) > 1:
            body = minted().body.encode()
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % len(body) + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        target = Target(f"http://127.0.0.1:{port}", key_credentials())
        assert (await failure(target)).problem.code == "service-unreachable"
    assert read == [MINT.encode(), MINT.encode(), OFFERS.encode()]


class Sleeper:
    """A server that answers, until it sleeps: then its open connections are silent, and new ones work."""

    def __init__(self) -> None:
        self.asleep = asyncio.Event()
        self.lines: list[tuple[int, str]] = []
        self._connections = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number, old = self._connections, not self.asleep.is_set()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                method, path = head.split()[:2]
                self.lines.append((number, f"{method} {path}"))
                if old and self.asleep.is_set():
                    continue
                said = ANSWERED if path == OFFERS else minted()
                status = "201 Created" if path == OFFERS else "200 OK"
                writer.write(
                    f"HTTP/1.1 {status}\r\nLocation: {said.headers.get('Location', '/')}\r\n"
                    f"Content-Length: {len(said.body)}\r\n\r\n{said.body}".encode()
                )
                await writer.drain()
        writer.close()


@asynccontextmanager
async def sleeper() -> AsyncIterator[tuple[Sleeper, Target]]:
    service = Sleeper()
    server = await asyncio.start_server(service.take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield service, Target(f"http://127.0.0.1:{port}", key_credentials())


async def test_after_sleep_a_silent_connection_costs_a_moment_and_not_the_call() -> None:
    async with sleeper() as (service, target):
        async with Calls.at(target, Http(kept_answers_within_s=0.1)) as calls:
            await calls.warm_up(SESSION)
            service.asleep.set()
            assert (await calls.open(SESSION, OFFER)).sdp == ANSWER
        mint, offer = f"POST {MINT}", f"POST {OFFERS}"
        assert service.lines[:4] == [(1, "GET /"), (1, mint), (2, mint), (2, offer)]


async def test_before_an_offer_a_connection_long_unused_is_tried(monkeypatch) -> None:
    async with sleeper() as (service, target):
        async with Calls.at(target, Http(kept_answers_within_s=0.1)) as calls:
            key = await calls.key(SESSION)
            service.asleep.set()
            later = time.time() + 3600
            monkeypatch.setattr("voicepilot.backend.azure.http.time.time", lambda: later)
            assert (await calls.offer(key, OFFER)).sdp == ANSWER
        offer = f"POST {OFFERS}"
        assert service.lines[1:4] == [(1, "GET /"), (2, "GET /"), (2, offer)]


async def test_later_tries_connect_no_longer_than_a_person_waits() -> None:
    """A port that takes connections and answers no TLS handshake."""
    with listen(0) as listener:
        target = Target(f"https://127.0.0.1:{listener.getsockname()[1]}", key_credentials())
        limits: list[float] = []

        class Noting(Http):
            async def post(self, *request, connect_within_s, **options) -> Answer:
                limits.append(connect_within_s)
                return await super().post(
                    *request, connect_within_s=min(0.05, connect_within_s), **options
                )

        async def known() -> Target:
            return target

        calls = Calls(
            known, retries=Retries(within_s=2.0), chance=lambda: 0.0, pause=Pauses(), http=Noting()
        )
        async with calls:
            with pytest.raises(Failure) as failed:
                await calls.open(SESSION, OFFER)
        assert failed.value.problem.code == "service-unreachable"
        assert limits[0] == 5.0
        assert len(limits) > 1
        assert max(limits[1:]) <= 2.0


# ---- warming up


async def test_warm_means_that_talk_is_two_requests_on_a_connection_that_is_open() -> None:
    async with azure() as service, calls_at(service.target(token_credentials())) as calls:
        await calls.warm_up(SESSION)
        assert [(each.method, each.path) for each in service.seen] == [("GET", "/")]
        assert "Authorization" not in service.seen[0].headers
        await calls.open(SESSION, OFFER)
        assert service.paths == [MINT, OFFERS]
        assert len({each.connection for each in service.seen}) == 1


async def test_what_keeps_it_cold_is_told_by_talk_only(caplog) -> None:
    caplog.set_level(logging.INFO)
    with listen(0) as listener:
        port = listener.getsockname()[1]
    async with calls_at(Target(f"http://127.0.0.1:{port}", key_credentials())) as calls:
        await calls.warm_up(SESSION)
        assert "warming up: " in caplog.text
        with pytest.raises(Failure) as failed:
            await calls.open(SESSION, OFFER)
        assert failed.value.problem.code == "service-unreachable"


async def test_standby_opens_a_call_with_one_request_and_each_key_once() -> None:
    async with azure() as service:
        life = int(time.time()) + 7200
        service.says(MINT, *(minted(f"ek_{number}", life) for number in range(1, 9)))
        target = service.target(key_policy="standby")
        async with calls_at(target) as calls:
            await calls.warm_up(SESSION)
            for number in (1, 2):
                await until(lambda number=number: service.paths.count(MINT) == number)
                await until(lambda: calls._kept._lease._kept is not None)
                await calls.open(SESSION, OFFER)
            shown = [each.headers["Authorization"] for each in service.posts if each.path == OFFERS]
            assert shown == ["Bearer ek_1", "Bearer ek_2"]


# ---- hanging up


async def test_a_call_is_ended_at_the_service_once_and_only_ours() -> None:
    async with azure() as service, calls_at(service.target()) as calls:
        await calls.open(SESSION, OFFER)
        for call_id in ("rtc_of_somebody_else", CALL_ID, CALL_ID, ""):
            await calls.hang_up(call_id)
        assert service.paths == [MINT, OFFERS, HANGUP]
        assert service.posts[-1].headers["api-key"] == KEY


async def test_a_call_is_ended_though_nobody_waits_for_it() -> None:
    async with azure() as service:
        async with calls_at(service.target()) as calls:
            await calls.open(SESSION, OFFER)
            assert calls.hang_up(CALL_ID) is calls.hang_up(CALL_ID)
        assert service.paths == [MINT, OFFERS, HANGUP]


async def test_a_call_that_a_page_opened_itself_is_ended_too() -> None:
    async with azure() as service, calls_at(service.target()) as calls:
        await calls.hang_up(CALL_ID)
        await calls.key(SESSION)
        for call_id in (CALL_ID, "../../x", ""):
            await calls.hang_up(call_id)
        assert service.paths == [MINT, HANGUP]


async def test_ending_a_call_is_tried_again_when_it_did_not_get_through() -> None:
    async with azure() as service:
        person = SignIn()
        person.done.set()
        async with calls_at(service.target(person)) as calls:
            await calls.open(SESSION, OFFER)
            person.fails = True
            await calls.hang_up(CALL_ID)
            assert service.paths == [MINT, OFFERS]
            person.fails = False
        assert service.paths == [MINT, OFFERS, HANGUP]


@pytest.mark.parametrize("answer", [NOT_FOUND, Said(405)])
async def test_a_service_without_hanging_up_is_not_asked_again(answer) -> None:
    async with azure() as service, calls_at(service.target()) as calls:
        service.says(HANGUP, answer)
        for _ in range(2):
            await calls.open(SESSION, OFFER)
            await calls.hang_up(CALL_ID)
        assert service.paths.count(HANGUP) == 1


async def test_a_call_that_is_over_already_does_not_mean_that_the_service_has_no_hanging_up() -> (
    None
):
    async with azure() as service, calls_at(service.target()) as calls:
        service.says(HANGUP, refused(404, "call_id_not_found", "There is no such call."))
        for _ in range(2):
            await calls.open(SESSION, OFFER)
            await calls.hang_up(CALL_ID)
        assert service.paths.count(HANGUP) == 2


# ---- secrets


async def test_no_secret_shows(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    async with azure() as service:
        for credentials, secret in ((key_credentials(), KEY), (token_credentials(), TOKEN)):
            target = service.target(credentials)
            await open_call(target)
            for step, said in (
                (OFFERS, refused(401, "401", f"Not ek_1, nor {TOKEN}")),
                (MINT, refused(400, "x", f"Not {secret}")),
                (MINT, Said(500, f'{{"message": "not {secret}"}}')),
            ):
                before = service.answers[step]
                service.says(step, said)
                shown.append(repr((await failure(target)).problem))
                service.answers[step] = before
            shown.append(repr(target))
    told = "".join(shown)
    assert told.count("ot …") == 6
    assert "status 401" in caplog.text
    for secret in (KEY, TOKEN, "ek_1"):
        assert secret not in caplog.text + told


async def test_a_service_that_does_not_answer_is_slow() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    async with server:
        target = Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", key_credentials())

        async def known() -> Target:
            return target

        async with Calls(known, http=Http(answer_within_s=0.2)) as calls:
            with pytest.raises(Failure) as failed:
                await calls.open(SESSION, OFFER)
    assert failed.value.problem.code == "service-slow"


# ---- refusals of any kind


@given(
    st.integers(300, 599),
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(("error", "code", "message", "param", "x")), inner, max_size=4
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.none() | st.floats(0, 9_999_999),
    st.sampled_from(Step),
    st.sampled_from((Credential.api_key(KEY), Credential.bearer(TOKEN))),
    st.sampled_from(("", "eastus2")),
    st.floats(-1e9, 1e9),
)
def test_whatever_the_service_answers_becomes_a_problem(
    status, body, wait_s, step, credential, region, skew_s
) -> None:
    body = body.replace(b"x", f"ek_1 {KEY} {TOKEN}".encode())
    answer = Answer(status, body, "", wait_s, None)
    asked = Asked(step, "https://r.openai.azure.com/x", "d", credential, region, skew_s)
    problem = refusal(answer, asked).problem
    assert problem.says.endswith((".", "…"))
    assert "{" not in problem.says.partition("(")[0] + problem.next_step
    assert credential.value.removeprefix("Bearer ") not in problem.says
    assert "ek_1" not in problem.says
    for question in (is_exhausted, is_nowhere, speaks_another_dialect):
        assert question(answer) in (True, False)
