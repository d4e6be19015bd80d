"""What does a person read when connecting fails in the ways in which it fails in the field?

The numbers are those of the reference's list of field failures (section 4); `also` is the paragraph after
it, `1.9` the table of error shapes. Each is provoked at a server that answers in the recorded words, at the
embedded service by a scenario, or by the network itself; asserted are the stable code, the sentence and
the next step. Of the twenty, these concern connecting; the others happen inside a call (10, 11, 14 to 17,
19, 20: tests of session and page) or are about events (6, 7, 9: what is minted, `test_azure_requests`).
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import socket
import time
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.http import Http, proxy_for
from voicepilot.backend.embedded import EmbeddedService
from voicepilot.backend.failure import Failure
from voicepilot.protocol.problems import Mender, Problem
from voicepilot.settings.endpoint import normalised

from .internet import RESOURCE, internet
from .recorded_azure import (
    ANSWERED,
    KEY,
    MINT,
    NOT_FOUND,
    OFFER,
    OFFERS,
    PREVIEW_MINT,
    PREVIEW_OFFERS,
    SESSION,
    Said,
    azure,
    calls_at,
    key_credentials,
    minted,
    minted_preview,
    refused,
    token_credentials,
)

NO_LOCAL_AUTH = "Key based authentication is disabled for this resource."
NO_AUDIENCE = "Access token is missing, invalid, audience is incorrect, or have expired."
NO_ROLE = "The principal lacks the required data action to perform this operation."
OTHER_TENANT = "Token tenant 72f988bf does not match resource tenant."
FIREWALL = "Access denied due to Virtual Network/Firewall rules."
PRIVATE = "Public access is disabled. Please configure private endpoint."
NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within the "
    "last 5 minutes, please wait a moment and try again."
)
UNFIT = (
    "This operation requires either deployment=<deployment-id> or intent=transcription present on "
    "the querystring."
)
EPHEMERAL = "This operation requires ephemeral authentication."
AN_HOUR_AGO = "an hour ago"
"""The service's clock, if ours is an hour ahead."""


@dataclass(frozen=True)
class Row:
    """A failure: its number, what the service says where, and what a person reads."""

    number: str
    path: str
    said: Said
    code: str
    says: str
    next_step: str
    target: dict[str, Any] = field(default_factory=dict)


TOKEN = {"credentials": token_credentials()}
PREVIEW = {"dialect": "preview", "region": "eastus2"}

TABLE = (
    Row(
        *("1", OFFERS, refused(401, "Unauthorized", EPHEMERAL), "call-key-refused"),
        "(status 401: Unauthorized, This operation requires ephemeral authentication).",
        "Press Talk again for a new key;",
    ),
    Row(
        *("2", MINT, NOT_FOUND, "address-unknown"),
        "has nothing at this address (status 404: Resource not found; asked at 127.0.0.1).",
        "Check the endpoint: it is the resource's own, like https://NAME.openai.azure.com,",
    ),
    Row(
        *("2 html", MINT, Said(404, "<html>Not here</html>"), "address-unknown"),
        "(status 404; asked at 127.0.0.1)",
        "the resource lies in a region with realtime models",
    ),
    Row(
        *("3 name", MINT, refused(404, "DeploymentNotFound", NO_DEPLOYMENT), "deployment-missing"),
        "please wait a moment and try again; asked for my-deployment).",
        "Check that the name is the deployment's, not the model's; if it was created just now, wait five",
    ),
    Row(
        *("3 kind", MINT, refused(400, "OperationNotSupported", UNFIT), "deployment-unfit"),
        "asked for my-deployment",
        "Choose a deployment of a realtime model.",
    ),
    Row(
        *("4 key", MINT, refused(401, "401", "Access denied due to invalid key."), "key-refused"),
        "does not accept the key (status 401: Access denied due to invalid key).",
        "Check the key, and that it belongs to the resource",
    ),
    Row(
        *("4 scope", MINT, refused(401, "Unauthorized", NO_AUDIENCE), "token-refused"),
        f"does not accept your sign-in (status 401: Unauthorized, {NO_AUDIENCE[:-1]}).",
        "with az login --tenant TENANT",
        TOKEN,
    ),
    Row(
        *("4 role 401", MINT, refused(401, "PermissionDenied", NO_ROLE), "role-missing"),
        "Your account has no role that lets it use the realtime service (status 401:",
        "the role Cognitive Services OpenAI User (Owner and Contributor do not include it);",
        TOKEN,
    ),
    Row(
        *("4 role 403", MINT, refused(403, "PermissionDenied", NO_ROLE), "role-missing"),
        "(status 403: PermissionDenied",
        "a new role takes about five minutes.",
        TOKEN,
    ),
    Row(
        "4 disableLocalAuth",
        *(MINT, refused(403, "AuthenticationTypeDisabled", NO_LOCAL_AUTH), "key-type-refused"),
        "The resource takes no API keys (status 403: AuthenticationTypeDisabled,",
        "Take the key out of the settings and sign in instead, with az login;",
    ),
    Row(
        *("4 tenant", MINT, refused(400, "BadRequest", OTHER_TENANT), "token-of-other-tenant"),
        "signed in to another tenant than the resource belongs to",
        "Set tenant to the resource's, and sign in there with az login --tenant TENANT.",
        TOKEN,
    ),
    Row(
        *("4 clock", MINT, refused(401, "401", NO_AUDIENCE, Date=AN_HOUR_AGO), "clock-wrong"),
        "This computer's clock is 60 minutes off,",
        "Let the system set date and time by itself",
        TOKEN,
    ),
    Row(
        "5 session",
        MINT,
        refused(400, "unknown_parameter", "Unknown parameter: 'session.type'."),
        "dialect-refused",
        "speaks another dialect of the realtime protocol (status 400: unknown_parameter, Unknown",
        "Set dialect to auto, and preview_region to the resource's region.",
    ),
    Row(
        "5 reversed",
        PREVIEW_MINT,
        refused(400, "unknown_parameter", "Unknown parameter: 'session'."),
        "dialect-refused",
        "another dialect",
        "Set dialect to auto",
        PREVIEW,
    ),
    Row(
        *("18", MINT, Said(429, "", {"retry-after": "30"}), "service-throttled"),
        "The quota of the deployment is used up for now.",
        "Wait 30 seconds, then press Talk again.",
    ),
    Row(
        *("18 gone", MINT, refused(429, "insufficient_quota", "No quota."), "quota-gone"),
        "may not use the service any more (status 429: insufficient_quota, No quota).",
        "Ask the subscription's administrator about its quota and billing.",
    ),
    Row(
        *("1.9 firewall", MINT, refused(403, "403", FIREWALL), "network-refused"),
        "does not admit requests from this network (status 403: Access denied due to Virtual",
        "Ask the resource's administrator to admit this network",
    ),
    Row(
        *("1.9 private", MINT, refused(403, "403", PRIVATE), "network-refused"),
        "Public access is disabled",
        "use one that is admitted",
    ),
    Row(
        *("1.9 abuse", MINT, refused(403, "403", "Forbidden by policy."), "access-refused"),
        "does not allow access (status 403: Forbidden by policy).",
        "Ask the resource's administrator",
    ),
    Row(
        *("1.9 431", MINT, Said(431), "service-refused"),
        "it does not take this request (status 431).",
        "Check the key, the role and the deployment name",
    ),
    Row(
        *("1.9 500", MINT, Said(500, '{"message": "Internal"}'), "service-failed"),
        "it reports an error (status 500: Internal).",
        "Press Talk again;",
    ),
    Row(
        "also, a setting",
        MINT,
        Said(
            400,
            '{"error": {"code": "invalid_value", "message": "Invalid voice", "param": "session.voice"}}',
        ),
        "session-refused",
        "does not accept a setting of the call (status 400: invalid_value, Invalid voice, session.voice).",
        "Change what is named there in the settings",
    ),
    Row(
        *("also, no SDP", OFFERS, Said(201, '{"error": {"code": "x"}}'), "bad-answer"),
        "an answer that is not a call description",
        "check the address of the service",
    ),
    Row(
        *("also, region", PREVIEW_OFFERS, Said(404), "region-refused"),
        "The host of the region eastus2 did not take the call",
        "Check that preview_region is the region of the resource.",
        PREVIEW,
    ),
)


async def told(calls: Calls) -> Problem:
    with pytest.raises(Failure) as failed:
        await calls.open(SESSION, OFFER)
    return failed.value.problem


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.number)
async def test_a_person_reads_what_happened_and_what_to_do(row: Row) -> None:
    async with azure() as service:
        service.says(PREVIEW_MINT, minted_preview())
        service.says(PREVIEW_OFFERS, ANSWERED)
        said = row.said
        if said.headers.get("Date") == AN_HOUR_AGO:
            said = replace(said, headers={"Date": email.utils.formatdate(time.time() - 3600)})
        service.says(row.path, said)
        async with calls_at(service.target(**row.target)) as calls:
            problem = await told(calls)
    assert problem.code == row.code
    assert row.says in problem.says
    assert row.next_step in problem.next_step


# ---- 2: what was left in the address


async def test_2_what_was_pasted_with_the_address_never_reaches_the_service() -> None:
    async with azure() as service:
        pasted = f"{service.base}/openai/v1/realtime?api-version=2025-04-01-preview&deployment=d"
        target = Target(normalised(pasted), key_credentials())
        async with calls_at(target) as calls:
            await calls.open(SESSION, OFFER)
        assert [(each.path, each.query) for each in service.posts][:2] == [(MINT, ""), (OFFERS, "")]


@pytest.mark.parametrize(
    "host", ["resource.cognitiveservices.azure.com", "resource.services.ai.azure.com"]
)
async def test_2_another_of_the_resources_names_is_suggested(monkeypatch, tmp_path, host) -> None:
    async with (
        azure() as service,
        internet(service, monkeypatch, tmp_path, names=[host]),
        calls_at(Target(f"https://{host}", key_credentials())) as calls,
    ):
        service.says(MINT, NOT_FOUND)
        problem = await told(calls)
        assert f"asked at {host}, try https://resource.openai.azure.com)" in problem.says


# ---- 8, 12: time


async def test_8_a_service_that_does_not_answer_is_given_up() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    async with server:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        target = Target(base, key_credentials())

        async def known() -> Target:
            return target

        async with Calls(known, http=Http(answer_within_s=0.2)) as calls:
            problem = await told(calls)
    assert problem.code == "service-slow"
    assert problem.says == "The realtime service did not answer within 1 seconds."
    assert "check the network" in problem.next_step


async def key_kept(calls: Calls) -> None:
    async with asyncio.timeout(10):
        while calls._kept._lease._kept is None:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)


async def test_12_a_key_that_expired_meanwhile_is_replaced_without_a_word() -> None:
    async with azure() as service, calls_at(service.target(key_policy="standby")) as calls:
        service.says(MINT, *(minted(f"ek_{number}") for number in range(1, 9)))
        expired = refused(401, "Unauthorized", "The ephemeral key is invalid or has expired.")
        service.says(OFFERS, expired, ANSWERED)
        await calls.warm_up(SESSION)
        await key_kept(calls)
        assert (await calls.open(SESSION, OFFER)).call_id
        offers = [each for each in service.posts if each.path == OFFERS]
        kept, fresh = (each.headers["Authorization"] for each in offers)
        assert kept == "Bearer ek_1"
        assert fresh != kept


@pytest.mark.parametrize("skew_s", [-86_400, -400, 400, 86_400])
async def test_12_a_wrong_clock_of_ours_does_not_make_keys_expire(skew_s) -> None:
    async with azure() as service, calls_at(service.target(key_policy="standby")) as calls:
        theirs = time.time() + skew_s
        date = {"Date": email.utils.formatdate(theirs, usegmt=True)}
        keys = (minted(f"ek_{number}", int(theirs) + 60) for number in range(1, 9))
        service.says(MINT, *(replace(key, headers=date) for key in keys))
        await calls.warm_up(SESSION)
        await key_kept(calls)
        kept = calls._kept._lease._kept
        assert kept.ends_at - kept.renew_at == pytest.approx(10, abs=1)
        await calls.open(SESSION, OFFER)
        offers = [each for each in service.posts if each.path == OFFERS]
        assert offers[0].headers["Authorization"] == "Bearer ek_1"


# ---- the network


async def test_a_host_that_there_is_not_is_named(monkeypatch) -> None:
    def no_such_host(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    async with calls_at(Target("https://resuorce.openai.azure.com", key_credentials())) as calls:
        problem = await told(calls)
        assert problem.code == "host-unknown"
        assert problem.says == "There is no host of the name resuorce.openai.azure.com."
        assert "Check the endpoint for a slip, and that network and VPN are on" in problem.next_step


async def test_a_region_that_there_is_not_is_named(monkeypatch, tmp_path) -> None:
    """Minting goes through; only the region's host has no address."""
    async with azure() as service, internet(service, monkeypatch, tmp_path):
        service.says(PREVIEW_MINT, minted_preview())
        monkeypatch.setenv("NO_PROXY", "mars.realtimeapi-preview.ai.azure.com")
        looked_up = socket.getaddrinfo

        def without_mars(host: str, *rest: Any, **options: Any) -> Any:
            if host.startswith("mars."):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return looked_up(host, *rest, **options)

        monkeypatch.setattr(socket, "getaddrinfo", without_mars)
        target = Target(f"https://{RESOURCE}", key_credentials(), "preview", "mars")
        async with calls_at(target) as calls:
            problem = await told(calls)
    assert problem.code == "region-refused"
    assert (
        "The host of the region mars did not take the call (there is no such host)." in problem.says
    )


def at_azure() -> Calls:
    return calls_at(Target(f"https://{RESOURCE}", key_credentials()))


async def test_calls_go_through_the_proxy_of_the_environment(monkeypatch, tmp_path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    async with azure() as service, internet(service, monkeypatch, tmp_path) as proxy:
        async with at_azure() as calls:
            await calls.warm_up(SESSION)
            await calls.open(SESSION, OFFER)
        assert proxy.asked == [f"{RESOURCE}:443"]  # one connection for all
        assert proxy.users == ["ada:secret"]
        assert service.posts[0].headers["api-key"] == KEY
        assert "secret" not in caplog.text.replace("client_secrets", "")


@pytest.mark.parametrize("status", [403, 407, 502])
async def test_a_proxy_that_refuses_is_named(monkeypatch, tmp_path, status) -> None:
    async with azure() as service, internet(service, monkeypatch, tmp_path) as proxy:
        proxy.status = status
        async with at_azure() as calls:
            problem = await told(calls)
        assert problem.code == "proxy-refused"
        assert problem.says == (
            f"The proxy of this network does not let the call through (status {status})."
        )
        assert "Check HTTPS_PROXY and the user and password in it" in problem.next_step
        assert "secret" not in repr(problem)


async def test_a_proxy_that_is_not_there_is_named(monkeypatch, tmp_path) -> None:
    async with azure() as service, internet(service, monkeypatch, tmp_path):
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        async with at_azure() as calls:
            problem = await told(calls)
        assert (problem.code, problem.mender) == ("proxy-refused", Mender.ADMINISTRATOR)
        assert "(it does not answer)" in problem.says


@pytest.mark.parametrize(
    ("variable", "value", "detail"),
    [
        ("HTTPS_PROXY", "http://[bad", "(it is not like http://PROXY:8080)"),
        ("HTTPS_PROXY", "127.0.0.1:99999", "(it is not like http://PROXY:8080)"),
        ("HTTPS_PROXY", "http://", "(it is not like http://PROXY:8080)"),
        ("ALL_PROXY", "socks5://user:secret@127.0.0.1:1080", "(SOCKS is not supported)"),
    ],
)
async def test_what_is_no_http_proxy_is_named(monkeypatch, variable, value, detail) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    async with at_azure() as calls:
        problem = await told(calls)
    assert problem.code == "proxy-malformed"
    assert detail in problem.says
    assert "secret" not in repr(problem)


async def test_a_proxy_that_opens_connections_is_not_trusted(monkeypatch, tmp_path) -> None:
    async with azure() as service, internet(service, monkeypatch, tmp_path, trusted=False):
        async with at_azure() as calls:
            problem = await told(calls)
        assert problem.code == "connection-untrusted"
        assert "cannot be trusted (unable to get local issuer certificate)." in problem.says
        assert "name the file with its certificate in SSL_CERT_FILE" in problem.next_step
        assert service.seen == []  # no key went there


async def test_a_certificate_of_another_name_is_not_trusted(monkeypatch, tmp_path) -> None:
    async with azure() as service, internet(service, monkeypatch, tmp_path, names=["x.test"]):
        async with at_azure() as calls:
            problem = await told(calls)
        assert problem.code == "connection-untrusted"
        assert service.seen == []


@pytest.mark.parametrize("days", [(-3, -1), (1, 3)])
async def test_a_certificate_out_of_its_time_points_to_the_clock(
    monkeypatch, tmp_path, days
) -> None:
    async with azure() as service, internet(service, monkeypatch, tmp_path, days=days):
        async with at_azure() as calls:
            problem = await told(calls)
        assert problem.code == "certificate-outdated"
        assert "not valid at the time that this computer's clock shows" in problem.says
        assert "Check date and time of this computer" in problem.next_step


@pytest.mark.parametrize(
    ("url", "no_proxy", "expected"),
    [
        ("https://r.openai.azure.com/x", "", "http://proxy.test:8080"),
        ("wss://r.openai.azure.com/x", "", "http://proxy.test:8080"),
        ("https://r.openai.azure.com/x", "openai.azure.com", None),
        ("http://127.0.0.1:8085/x", "", None),
        ("http://localhost:8085/x", "", None),
        ("http://[::1]:8085/x", "", None),
    ],
)
def test_no_proxy_stands_before_this_machine(monkeypatch, url, no_proxy, expected) -> None:
    for name in ("HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:8080")
    monkeypatch.setenv("HTTP_PROXY", "proxy.test:8080")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(url) == expected


# ---- the embedded service's scenarios


SCENARIOS = {
    "mint-401": ("key-refused", "Check the key"),
    "mint-403-role": ("role-missing", "Cognitive Services OpenAI User"),
    "mint-404-deployment": ("deployment-missing", "not the model's"),
    "mint-429": ("service-throttled", "Wait 20 seconds"),
    "mint-503": ("service-failed", "Press Talk again"),
    "key-expired": ("call-key-refused", "Press Talk again for a new key"),
    "sdp-400": ("offer-refused", "use a current version of Chrome or Edge"),
}


async def test_every_scenario_of_minting_and_offers_is_told() -> None:
    embedded = EmbeddedService()
    await embedded.start()
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            target = await embedded.ready()
            key = await target.credentials.credential()
            options = {"headers": {key.header: key.value}}
            async with calls_at(target) as calls:
                for name, (code, next_step) in SCENARIOS.items():
                    switch = f"{target.base}/_control/scenarios/{name}"
                    async with http.put(switch, **options) as switched:
                        assert switched.status == 200
                    problem = await told(calls)
                    assert (name, problem.code) == (name, code)
                    assert next_step in problem.next_step
                    async with http.delete(switch, **options):
                        pass
    finally:
        await embedded.stop()
