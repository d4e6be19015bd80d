"""Every way to sign in, by azure-identity itself, against a sign-in service on this machine."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
import time
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from azure.core.exceptions import ClientAuthenticationError

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.chosen import ChosenCredentials, credentials_for
from voicepilot.backend.azure.scopes import SCOPES, ScopeMemory
from voicepilot.backend.azure.sign_in_failures import SignIn, sign_in_failure
from voicepilot.backend.failure import Failure
from voicepilot.protocol.session_config import SessionConfig
from voicepilot.settings import Settings

from .sign_in_service import (
    CLIENT,
    MARK,
    TENANT,
    ObedientBrowser,
    SignInService,
    fake_az,
    make_certificate,
    person,
    sign_in_service,
)

ENDPOINT = "https://mine.openai.azure.com"
Choose: TypeAlias = Callable[..., AbstractAsyncContextManager[ChosenCredentials]]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No account of whoever runs the tests, no search for Azure's own machines."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[SignInService]:
    async with sign_in_service(tmp_path) as running:
        yield running


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def choose(service: SignInService, told: list[str], tmp_path: Path) -> Choose:
    def chosen(
        library: dict[str, object] | None = None,
        tell: Callable[[str], None] = told.append,
        **settings: Any,
    ) -> AbstractAsyncContextManager[ChosenCredentials]:
        return credentials_for(
            Settings(**{"endpoint": ENDPOINT, "credential": "default", **settings}),
            tell=tell,
            variables={},
            scopes=ScopeMemory(tmp_path / "scopes.json"),
            library=service.library if library is None else library,
        )

    return chosen


async def failure(credentials: ChosenCredentials) -> Failure:
    """What a person is told, checked for what nobody may be told."""
    with pytest.raises(Failure) as caught:
        await credentials.credential()
    error = caught.value
    assert error.__context__ is None and error.__cause__ is None
    assert MARK not in json.dumps(error.problem.to_json())
    return error


def secret_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", f"{MARK}-secret")


async def test_an_application_signs_in_with_the_secret_in_the_environment(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_in_environment(monkeypatch)
    async with choose() as credentials:
        first = await credentials.credential()
        identity = await credentials.describe()
    assert first.header == "Authorization" and first.value.startswith("Bearer ey")
    [asked] = service.asked
    assert asked["client_secret"] == f"{MARK}-secret"
    assert (asked["tenant"], asked["scope"]) == (TENANT, "https://ai.azure.com/.default")
    assert (identity.account, identity.tenant, identity.credential) == (CLIENT, TENANT, "default")
    assert MARK not in str(identity) + repr(identity) + json.dumps(identity.to_json())


async def test_an_application_signs_in_with_a_certificate(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret_in_environment(monkeypatch)
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    file = tmp_path / "application.pem"
    file.write_bytes(b"".join(make_certificate(rsa_key=True)))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(file))
    async with choose() as credentials:
        await credentials.credential()
    assert service.asked[0]["client_assertion"].startswith("ey")


async def test_a_missing_certificate_is_named(
    choose: Choose, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret_in_environment(monkeypatch)
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(tmp_path / "nothing.pem"))
    with pytest.raises(Failure, match=r"nothing\.pem") as caught:
        async with choose():
            pass
    assert caught.value.problem.code == "sign-in-misconfigured"


async def test_a_refused_token_is_replaced_by_one_for_the_other_audience_and_that_is_remembered(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_in_environment(monkeypatch)
    async with choose() as credentials:
        first = await credentials.credential()
        second = await credentials.credential(refused=first)
        assert second != first
        assert await credentials.credential() == second
        assert await credentials.credential(refused=first) == second, (
            "a late refusal of the old one"
        )
    assert service.scopes == list(SCOPES)
    async with choose() as credentials:
        await credentials.credential()
    assert service.scopes[2:] == [SCOPES[1]]


async def test_when_neither_audience_is_taken_the_account_is_told_and_the_next_try_begins_anew(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret_in_environment(monkeypatch)
    async with choose() as credentials:
        second = await credentials.credential(refused=await credentials.credential())
        with pytest.raises(Failure) as caught:
            await credentials.credential(refused=second)
        assert caught.value.problem.code == "token-refused"
        assert f"{CLIENT} of tenant {TENANT}" in caught.value.problem.says
        assert json.loads((tmp_path / "scopes.json").read_text()) == {}
        await credentials.credential()
    assert service.scopes[:2] == list(SCOPES)


async def test_a_tenant_that_does_not_know_the_first_audience_is_asked_for_the_second(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret_in_environment(monkeypatch)
    service.errors["ai.azure.com"] = "AADSTS500011: The resource principal was not found."
    async with choose() as credentials:
        await credentials.credential()
    assert service.scopes == list(SCOPES)
    assert json.loads((tmp_path / "scopes.json").read_text()) == {
        "mine.openai.azure.com": SCOPES[1]
    }


CODES = [
    ("50020", "account-not-in-tenant", f"az login --tenant {TENANT}"),
    ("50034", "account-not-in-tenant", f"az login --tenant {TENANT}"),
    ("90002", "tenant-unknown", "Set tenant"),
    ("65001", "consent-missing", "administrator"),
    ("700016", "app-unknown", "AZURE_CLIENT_ID"),
    ("50076", "multifactor-needed", f"az login --tenant {TENANT}"),
    ("50079", "multifactor-needed", f"az login --tenant {TENANT}"),
    ("53003", "sign-in-blocked", "conditional access"),
    ("53000", "sign-in-blocked", "device"),
    ("7000215", "app-secret-refused", "AZURE_CLIENT_SECRET"),
    ("7000222", "app-secret-refused", "AZURE_CLIENT_SECRET"),
    ("700082", "sign-in-outdated", f"az login --tenant {TENANT}"),
    ("50173", "sign-in-outdated", f"az login --tenant {TENANT}"),
    ("50057", "account-locked", "accounts"),
    ("700213", "federation-missing", "subject"),
    ("500011", "audience-unknown", "tenant"),
    ("1234567", "sign-in-refused", "login.microsoftonline.com/error"),
]


@pytest.mark.parametrize(("number", "code", "next_step"), CODES)
async def test_entra_codes_become_problems_with_a_next_step(
    number: str,
    code: str,
    next_step: str,
    choose: Choose,
    service: SignInService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_in_environment(monkeypatch)
    service.errors[""] = f"AADSTS{number}: {MARK} Trace ID: 1 Correlation ID: 2"
    async with choose(tenant=TENANT) as credentials:
        problem = (await failure(credentials)).problem
    assert (problem.code, problem.fatal) == (code, True)
    assert problem.says.endswith(f" (AADSTS{number}).")
    assert TENANT in problem.says or "tenant" not in problem.says
    assert next_step in problem.next_step


async def test_a_sign_in_service_that_nobody_can_vouch_for(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_in_environment(monkeypatch)
    async with choose({**service.library, "connection_verify": True}) as credentials:
        assert (await failure(credentials)).problem.code == "sign-in-untrusted"


async def test_a_sign_in_service_that_cannot_be_reached(
    choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_in_environment(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        away = f"https://localhost:{taken.getsockname()[1]}"
    async with choose({"authority": away, "retry_total": 0}) as credentials:
        assert (await failure(credentials)).problem.code == "sign-in-unreachable"


async def test_a_word_that_azure_identity_does_not_know_is_told(
    choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "everything")
    with pytest.raises(Failure, match="AZURE_TOKEN_CREDENTIALS"):
        async with choose():
            pass


@asynccontextmanager
async def platform(
    monkeypatch: pytest.MonkeyPatch, status: int = 200
) -> AsyncIterator[list[dict[str, str]]]:
    """A platform of Azure that has a managed identity, as App Service does; gives what it is asked."""
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append({**request.query, "header": request.headers["X-IDENTITY-HEADER"]})
        if status != 200:
            return web.json_response({"message": f"No identity {MARK}"}, status=status)
        token = {
            "access_token": person(),
            "expires_on": str(int(time.time()) + 3600),
            "resource": request.query["resource"],
            "token_type": "Bearer",
        }
        return web.json_response(token)

    app = web.Application()
    app.router.add_get("/token", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/token")
    monkeypatch.setenv("IDENTITY_HEADER", f"{MARK}-header")
    try:
        yield asked
    finally:
        await runner.cleanup()


async def test_a_managed_identity_signs_in_where_the_platform_has_one(
    choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        platform(monkeypatch) as asked,
        choose(credential="managed-identity", client_id=CLIENT) as credentials,
    ):
        await credentials.credential()
    [one] = asked
    assert (one["resource"], one["header"]) == ("https://ai.azure.com", f"{MARK}-header")
    assert one["client_id"] == CLIENT


async def test_a_managed_identity_that_is_not_assigned(
    choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        platform(monkeypatch, status=400),
        choose(credential="managed-identity", client_id=CLIENT) as credentials,
    ):
        problem = (await failure(credentials)).problem
    assert problem.code == "managed-identity-missing"
    assert CLIENT in problem.says


async def test_a_workload_signs_in_with_the_token_in_its_file(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "workload-token"
    file.write_text(f"{MARK}-workload")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", service.url)
    async with choose(
        service.trust, credential="workload-identity", client_id=CLIENT
    ) as credentials:
        await credentials.credential()
    [asked] = service.asked
    assert (asked["client_assertion"], asked["client_id"]) == (f"{MARK}-workload", CLIENT)


async def test_a_machine_without_workload_identity(choose: Choose) -> None:
    with pytest.raises(Failure) as caught:
        async with choose(credential="workload-identity"):
            pass
    assert caught.value.problem.code == "workload-identity-missing"


AZ_TOKEN = """cat <<'END'
{{"accessToken": "{token}", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": {expires_on},
 "subscription": "s", "tenant": "{tenant}", "tokenType": "Bearer"}}
END"""


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    if sys.platform == "win32":
        pytest.skip("a shell script stands for the Azure CLI")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    def install(script: str) -> Path:
        fake_az(tmp_path / "bin", script)
        return tmp_path / "bin" / "asked"

    return install


async def test_the_azure_cli_is_asked_for_the_tenant_that_is_set(
    choose: Choose, az: Callable[[str], Path]
) -> None:
    expires = int(time.time()) + 3600
    asked = az(AZ_TOKEN.format(token=person(), tenant=TENANT, expires_on=expires))
    async with choose(tenant=TENANT) as credentials:
        assert (await credentials.credential()).value == f"Bearer {person_of(asked)}"
        identity = await credentials.describe()
    [arguments] = asked.read_text().splitlines()
    assert f"--resource https://ai.azure.com --tenant {TENANT}" in arguments
    assert identity.account == "ada@contoso.example"
    assert identity.application == "Azure CLI"


def person_of(asked: Path) -> str:
    """The token in the script beside the file."""
    text = (asked.parent / "az").read_text()
    return text.partition('"accessToken": "')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1", "sign-in-missing"),
        (
            f"echo 'ERROR: AADSTS700082: expired {MARK}. To re-authenticate, please run: az login' >&2; "
            "exit 1",
            "sign-in-outdated",
        ),
        ("echo 'ERROR: AADSTS50076: use multi-factor' >&2; exit 1", "multifactor-needed"),
        (f'echo \'{{"accessToken": "{MARK}", "expires\'', "sign-in-missing"),
        (f"echo '<html>{MARK}</html>'", "sign-in-missing"),
    ],
)
async def test_what_the_azure_cli_says_instead_of_a_token(
    script: str, code: str, choose: Choose, az: Callable[[str], Path]
) -> None:
    az(script)
    async with choose(tenant=TENANT) as credentials:
        problem = (await failure(credentials)).problem
    assert problem.code == code
    assert f"az login --tenant {TENANT}" in problem.next_step


async def test_a_computer_without_account_and_azure_cli(
    choose: Choose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")
    async with choose(tenant=TENANT) as credentials:
        problem = (await failure(credentials)).problem
    assert problem.code == "azure-cli-missing"
    assert f"az login --tenant {TENANT}" in problem.next_step


async def test_a_device_code_is_shown_and_waited_for(
    choose: Choose, service: SignInService, told: list[str]
) -> None:
    service.pending = 1
    async with choose(credential="device-code", tenant=TENANT) as credentials:
        identity = await credentials.describe()
    assert told == [
        "To sign in, open https://login.example/device in any browser and enter the code ABCD-1234."
    ]
    assert (identity.account, identity.credential) == ("ada@contoso.example", "device-code")
    assert [asked["tenant"] for asked in service.asked] == [TENANT]


async def test_a_device_code_that_nobody_enters(choose: Choose, service: SignInService) -> None:
    service.errors[""] = "AADSTS70020: The provided value for the device code has expired."
    async with choose(credential="device-code") as credentials:
        problem = (await failure(credentials)).problem
    assert problem.code == "sign-in-slow"
    assert "enter the code" in problem.next_step


def browsers(monkeypatch: pytest.MonkeyPatch, *found: webbrowser.BaseBrowser) -> None:
    """Let the system have these browsers."""
    known = {str(number): [None, each] for number, each in enumerate(found)}
    monkeypatch.setattr(webbrowser, "_browsers", known)
    monkeypatch.setattr(webbrowser, "_tryorder", list(known))


async def test_somebody_signs_in_in_the_browser(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsers(monkeypatch, ObedientBrowser())
    async with choose(credential="browser", tenant=TENANT) as credentials:
        identity = await credentials.describe()
    assert identity.account == "ada@contoso.example"
    assert service.asked[0]["code"].startswith(MARK)


async def test_a_machine_without_browser(choose: Choose, monkeypatch: pytest.MonkeyPatch) -> None:
    browsers(monkeypatch)
    async with choose(credential="browser") as credentials:
        problem = (await failure(credentials)).problem
    assert problem.code == "browser-missing"
    assert "device-code" in problem.next_step


async def test_calls_are_opened_at_a_resource_that_takes_the_other_audience_only(
    choose: Choose, service: SignInService, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_in_environment(monkeypatch)
    shown: list[str] = []

    async def mint(request: web.Request) -> web.Response:
        claims = jwt_claims(request.headers["Authorization"])
        shown.append(claims["aud"])
        if claims["aud"].startswith(SCOPES[0]):
            said = "Access token is missing, invalid, audience is incorrect, or have expired."
            return web.json_response({"error": {"code": "401", "message": said}}, status=401)
        return web.json_response({"value": "ek_1", "expires_at": int(time.time()) + 60})

    app = web.Application()
    app.router.add_post("/openai/v1/realtime/client_secrets", mint)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with (
            choose(endpoint=base) as credentials,
            Calls.at(Target(base, credentials)) as calls,
        ):
            for _ in range(2):
                assert (await calls.key(SessionConfig(model="voice"))).key == "ek_1"
    finally:
        await runner.cleanup()
    assert [each.split()[0] for each in shown] == [SCOPES[0], SCOPES[1], SCOPES[1]]


def jwt_claims(header: str) -> dict[str, str]:
    """What the service reads in a token."""
    middle = header.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return claims


@pytest.mark.parametrize("number", [number for number, _, _ in CODES])
def test_the_sentences_read_well_where_neither_tenant_nor_application_is_set(number: str) -> None:
    error = ClientAuthenticationError(message=f"AADSTS{number}: whatever")
    problem = sign_in_failure(error, SignIn("default")).problem
    for sentence in (problem.says, problem.next_step):
        assert "  " not in sentence and " ." not in sentence and "{" not in sentence
    assert "--tenant" not in problem.next_step


async def test_closing_does_not_wait_for_a_person(choose: Choose, service: SignInService) -> None:
    service.pending = 1_000_000
    asked = asyncio.Event()
    async with asyncio.timeout(60):
        async with choose(credential="device-code", tell=lambda _: asked.set()) as credentials:
            waiting = asyncio.create_task(credentials.credential())
            await asked.wait()
        with pytest.raises(asyncio.CancelledError):
            await waiting
