"""Nothing secret is written anywhere: not in logs, output, errors, tracebacks, files or reports.

Every path is driven with secrets that contain a mark, through success and through every failure; then
everything that was written is searched for the mark. Logging is turned up as far as it goes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import subprocess
import sys
import time
import traceback
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import keyring as library
import pytest
from aiohttp import web
from azure.core.credentials import AccessToken

from voicepilot.backend.azure.api_key import VARIABLE, ApiKey, Keyring
from voicepilot.backend.azure.chosen import credentials_for
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.azure.handed_token import HandedToken
from voicepilot.backend.azure.scopes import ScopeMemory
from voicepilot.backend.failure import Failure
from voicepilot.settings import Settings

from .recorded_azure import MINT, OFFERS, Azure, Said, azure, refused
from .sign_in_service import (
    CLIENT,
    MARK,
    TENANT,
    ObedientBrowser,
    SignInService,
    fake_az,
    sign_in_service,
)
from .test_azure_credentials_keys import BrokenKeyring, MemoryKeyring

SOCKETS = "/openai/v1/realtime"
ENDPOINT = "https://mine.openai.azure.com"
SOURCE = Path(__file__).parents[2] / "py"


@dataclass
class Written:
    """Everything that was written, by the place where it stands."""

    folder: Path
    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, place: str, text: str) -> None:
        self.texts.append((place, text))

    def add_error(self, error: BaseException) -> None:
        """All that a program could print of an error, the locals of its frames left out."""
        seen: BaseException | None = error
        while seen is not None:
            self.add("str", str(seen))
            self.add("repr", repr(seen))
            self.add("arguments", repr(seen.args) + repr(vars(seen)))
            self.add("traceback", "".join(traceback.format_exception(seen)))
            seen = seen.__cause__ or seen.__context__
        if isinstance(error, Failure):
            self.add("problem", json.dumps(error.problem.to_json()))

    def places_with_the_mark(self) -> list[str]:
        for file in self.folder.rglob("*"):
            if file.is_file():
                self.add(f"file {file.name}", file.read_bytes().decode("latin-1"))
        return [f"{place}: {text}" for place, text in self.texts if MARK in text]


class Listener(logging.Handler):
    """Hears all that is logged, with everything that a handler could print of it."""

    def __init__(self, written: Written) -> None:
        super().__init__()
        self._written = written

    def emit(self, record: logging.LogRecord) -> None:
        self._written.add("log", self.format(record))
        self._written.add("log record", repr(vars(record)))


@pytest.fixture
def written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Written]:
    """What is written meanwhile; at the end none of it may hold the mark."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    for name in (
        "",
        "azure",
        "azure.identity",
        "azure.core",
        "msal",
        "urllib3",
        "asyncio",
        "aiohttp",
    ):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "level", logger.level)  # put back at the end
        logger.setLevel(logging.DEBUG)
        for kept in ("propagate", "handlers"):
            monkeypatch.setattr(logger, kept, getattr(logger, kept))
        logger.handlers = list(logger.handlers)
    everything = Written(home)
    logging.getLogger().addHandler(Listener(everything))
    logging.getLogger("voicepilot").debug("loud")
    assert everything.texts[0] == ("log", "loud")
    yield everything
    out, err = capfd.readouterr()
    everything.add("stdout", out)
    everything.add("stderr", err)
    assert not everything.places_with_the_mark()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[SignInService]:
    (tmp_path / "service").mkdir()
    async with sign_in_service(tmp_path / "service") as running:
        yield running


async def through_everything(written: Written, settings: Settings, **more: Any) -> list[str]:
    """Ask for a credential, have it refused, ask again; returns the codes of the problems."""
    codes = []

    async def asking(ask: Callable[[], Awaitable[object]]) -> object:
        try:
            result = await ask()
        except Failure as failure:
            codes.append(failure.problem.code)
            written.add_error(failure)
            return None
        written.add("result", f"{result} {result!r}")
        return result

    async def all_of_it() -> None:
        async with credentials_for(
            settings, tell=lambda text: written.add("told", text), **more
        ) as c:
            first = await asking(c.credential)
            await asking(c.describe)
            for _ in range(2):
                if isinstance(first, Credential):
                    refused = first
                    first = await asking(lambda: c.credential(refused))  # noqa: B023
            written.add("repr", repr(c) + repr(vars(c)))

    await asking(all_of_it)
    return codes


ANSWERS = {
    "good": "",
    "known code": f"AADSTS7000215: Invalid client secret {MARK}.",
    "unknown code": f"AADSTS9999999: {MARK}",
    "no code": f"something else {MARK}",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("way", ["secret", "workload", "device-code", "browser"])
async def test_signing_in(
    way: str, answer: str, written: Written, service: SignInService,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    if ANSWERS[answer]:
        service.errors[""] = ANSWERS[answer]
    credential = {"secret": "default", "workload": "workload-identity"}.get(way, way)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", f"{MARK}-secret")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")
    file = tmp_path / "workload"
    file.write_text(f"{MARK}-workload")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))
    monkeypatch.setattr(webbrowser, "_browsers", {"ours": [None, ObedientBrowser()]})
    monkeypatch.setattr(webbrowser, "_tryorder", ["ours"])
    codes = await through_everything(
        written,
        Settings(endpoint=ENDPOINT, credential=credential, tenant=TENANT),  # type: ignore[arg-type]
        variables={},
        library=service.library,
    )
    assert codes[-1] == "token-refused" if answer == "good" else codes
    assert service.asked


@pytest.mark.parametrize(
    "script",
    [
        f'echo \'{{"accessToken": "{MARK}", "expires\'',
        f"echo '<html>{MARK}</html>'",
        f"echo 'ERROR: AADSTS50076 {MARK}' >&2; exit 1",
        f"echo 'ERROR: {MARK}, az login' >&2; exit 1",
        f'echo \'{{"accessToken": "{MARK}", "expires_on": EXPIRES, "expiresOn": "", "tenant": ""}}\'',
    ],
)
async def test_the_azure_cli(
    script: str, written: Written, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_az(tmp_path / "bin", script.replace("EXPIRES", str(int(time.time()) + 3600)))
    codes = await through_everything(
        written, Settings(endpoint=ENDPOINT, credential="default"), variables={}
    )
    assert codes


async def test_handed_tokens_and_an_owner_that_fails(written: Written) -> None:
    async def good(scopes: tuple[str, ...], tenant: str) -> AccessToken:
        return AccessToken(f"{MARK}.token", int(time.time()) + 3600)

    async def bad(scopes: tuple[str, ...], tenant: str) -> AccessToken:
        raise RuntimeError(f"no token for you, {MARK}")

    settings = Settings(endpoint=ENDPOINT, credential="host")
    for owner, code in ((good, "token-refused"), (bad, "internal")):
        token = HandedToken(owner)
        codes = await through_everything(written, settings, variables={}, host_token=token)
        assert codes[-1] == code
        written.add("repr", repr(token))


@pytest.mark.parametrize("place", ["environment", "host", "keyring", "malformed"])
async def test_keys(place: str, written: Written) -> None:
    before = library.get_keyring()
    backend = MemoryKeyring()
    library.set_keyring(backend)
    key = f"{MARK}key"
    try:
        if place == "keyring":
            backend.set_password("voicepilot", "mine.openai.azure.com", key)
        codes = await through_everything(
            written,
            Settings(endpoint=ENDPOINT, credential="api-key"),
            variables={
                VARIABLE: {"environment": key, "malformed": f"{MARK} two words"}.get(place, "")
            },
            host_key=key if place == "host" else "",
        )
        assert codes[-1] == ("key-malformed" if place == "malformed" else "key-refused")
        library.set_keyring(BrokenKeyring())
        with pytest.raises(Failure) as caught:
            await Keyring().set("mine.openai.azure.com", ApiKey.read(key, "the input"))
        written.add_error(caught.value)
    finally:
        library.set_keyring(before)


async def test_everything_that_holds_a_secret_hides_it_when_printed(written: Written) -> None:
    fixed = FixedCredentials(Credential.api_key(f"{MARK}key"))
    for each in (Credential.bearer(MARK), ApiKey(MARK, "the host"), fixed, ScopeMemory()):
        written.add("repr", f"{each} {each!r}")


KEYRING_FOR_A_PROCESS = """
import keyring, pathlib
from keyring.backend import KeyringBackend
class Kept(KeyringBackend):
    priority = 1
    kept = pathlib.Path(__file__).parent / "kept"
    def get_password(self, service, name):
        return self.kept.read_text() if self.kept.exists() else None
    def set_password(self, service, name, password):
        self.kept.write_text(password)
    def delete_password(self, service, name):
        self.kept.unlink()
"""


def test_the_command_that_keeps_keys(written: Written, tmp_path: Path) -> None:
    """As a process: its output, its arguments; what the keyring keeps is the keyring's."""
    rings = tmp_path / "rings"
    rings.mkdir()
    (rings / "our_keyring.py").write_text(KEYRING_FOR_A_PROCESS)
    variables = {
        **os.environ,
        "PYTHONPATH": f"{SOURCE}{os.pathsep}{rings}",
        "PYTHON_KEYRING_BACKEND": "our_keyring.Kept",
        "AZURE_OPENAI_ENDPOINT": ENDPOINT,
    }

    def key(*arguments: str, given: str = "") -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "voicepilot", "key", *arguments],
            input=given, env=variables, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        written.add(f"key {arguments[0]}", done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    assert key("status")[0] == 1
    assert key("set", given=f"{MARK}key\n")[0] == 0
    assert (rings / "kept").read_text() == f"{MARK}key"
    code, said = key("status")
    assert code == 0 and "The keyring has a key for mine.openai.azure.com" in said
    code, said = key("set", f"{MARK}key")
    assert code == 2 and "AZURE_OPENAI_API_KEY" in said
    assert key("set", given=f"{MARK} two\n")[0] == 2
    assert key("delete")[0] == 0 and not (rings / "kept").exists()


REFUSALS = [
    [Said(200, json.dumps({"value": f"ek_{MARK}", "expires_at": 4_000_000_000}))],
    [refused(401, "401", f"Access denied due to the key {MARK}key.")],
    [refused(400, "unknown_parameter", f"You sent api-key: {MARK}key and ek_{MARK}.")],
    [refused(404, "DeploymentNotFound", f"Nothing for {MARK}key")],
    [Said(302, "", {"Location": f"https://elsewhere.example/?api-key={MARK}key"})],
    [Said(403, f"<html>{MARK}key</html>")],
]


class AzureWithSockets(Azure):
    """Takes calls over WebSocket too, once it is told to `listen`; until then it says what it is told."""

    listens = False

    async def take(self, request: web.Request) -> web.StreamResponse:
        if request.path != SOCKETS or not self.listens:
            return await super().take(request)
        self.greeted_with = request.headers["api-key"]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for frame in socket:
            await socket.send_str(
                frame.data
            )  # what it is configured with, so that the page sees it
        return socket


def variables_for(service: Azure) -> dict[str, str]:
    """The environment of a process whose calls go there, with a marked key."""
    return {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "AZURE_OPENAI_ENDPOINT": service.base,
        "AZURE_OPENAI_DEPLOYMENT": "voice",
        VARIABLE: f"{MARK}key",
    }


@asynccontextmanager
async def serving(
    written: Written, folder: Path, service: Azure, *options: str
) -> AsyncIterator[str]:
    """`voicepilot serve` as a process; its printed address. What it prints is written down."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicepilot", "serve", "--no-browser", "--port", "0"),
        *("--page", str(small_page(folder)), *options),
        env=variables_for(service),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        url = ""
        async with asyncio.timeout(60):
            while not url:
                line = (await process.stdout.readline()).decode()
                written.add("serve", line)
                assert line, (await process.stderr.read()).decode()
                url = line.strip() if line.strip().startswith("http://") else ""
        written.add("process list", arguments_of(process.pid))
        yield url
    finally:
        process.terminate()
        out, err = await process.communicate()
        for place, text in (("stdout", out), ("stderr", err)):
            written.add(place, text.decode())


ENDED_BY_A_SIGNAL = pytest.mark.skipif(sys.platform == "win32", reason="ended by a signal")


@ENDED_BY_A_SIGNAL
async def test_serving_calls(written: Written, tmp_path: Path) -> None:
    """As a process: what the page and the terminal get, however the service answers."""
    async with azure() as service, serving(written, tmp_path / "page", service) as url:
        await hold_calls(url, service, written)
        # The header was sent where it belongs, so there was something to find.
        assert {each.headers["api-key"] for each in service.posts if each.path == MINT} == {
            f"{MARK}key"
        }


@ENDED_BY_A_SIGNAL
async def test_giving_keys_to_the_page(written: Written, tmp_path: Path) -> None:
    """Direct signalling: the page gets the ephemeral key, in one place, and no other secret."""
    page = serving(written, tmp_path / "page", service := Azure(), "--signalling", "direct")
    async with azure(service), page as url, entered(url, written) as (_, ask):
        for number, minting in enumerate(REFUSALS, start=3):
            service.says(MINT, *minting)
            answer = await ask(number, "call.key", {"attempt": number, "fresh": True})
            given = answer.get("result", {}).get("key")
            assert given == (f"ek_{MARK}" if minting is REFUSALS[0] else None)
        assert {each.headers["api-key"] for each in service.posts} == {f"{MARK}key"}


@ENDED_BY_A_SIGNAL
async def test_relaying_calls_over_websocket(written: Written, tmp_path: Path) -> None:
    page = serving(written, tmp_path / "page", service := AzureWithSockets())
    async with azure(service), page as url, entered(url, written) as (browser, _):

        async def call() -> dict[str, Any]:
            """The first frame that the page gets; it is written down, as is the one after it."""
            async with browser.ws_connect("/call") as line:
                greeting = await line.receive_json(timeout=60)
                written.add("call", json.dumps(greeting))
                if "opened" in greeting:
                    written.add("call", await line.receive_str(timeout=60))
            return dict(greeting)

        for refusal in REFUSALS[1:]:
            service.says(SOCKETS, *refusal)
            assert "refused" in await call()
        service.listens = True
        assert "opened" in await call()
        assert service.greeted_with == f"{MARK}key"


@pytest.mark.parametrize("minting", [REFUSALS[0], REFUSALS[1], REFUSALS[4]])
async def test_the_doctor(minting: list[Said], written: Written) -> None:
    """As a process: its report, and what it says beside it."""
    async with azure() as service:
        service.says(MINT, *minting)
        service.says(OFFERS, refused(401, "401", f"no ephemeral key: ek_{MARK}"))
        service.says(SOCKETS, refused(403, "403", f"not with {MARK}key"))
        report = await examined(written, variables_for(service))
        states = {each["name"]: each["state"] for each in report["checks"]}
        assert states["mint"] == ("ok" if minting is REFUSALS[0] else "failed")
        assert {each.headers["api-key"] for each in service.posts if each.path == MINT} == {
            f"{MARK}key"
        }


async def test_the_doctor_behind_a_proxy_with_a_password(written: Written) -> None:
    asked = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 407 Not with {MARK}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        proxy = f"http://me:{MARK}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        variables = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "AZURE_OPENAI_ENDPOINT": ENDPOINT}
        report = await examined(written, {**variables_for(Azure()), **variables})
    assert {each["name"]: each["state"] for each in report["checks"]}["connection"] == "failed"
    password = base64.b64encode(f"me:{MARK}".encode()).decode()
    assert password in asked[0]
    written.add("report", json.dumps(report).replace(password, MARK))


async def examined(written: Written, variables: Mapping[str, str]) -> dict[str, Any]:
    """What `voicepilot doctor --json` reports."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicepilot", "doctor", "--json", "--no-browser"),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(120):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    written.add("doctor", (out + err).decode())
    assert process.returncode == 1, err.decode()
    report: dict[str, Any] = json.loads(out)
    return report


def arguments_of(process: int) -> str:
    """What everybody on this machine can read of a process; Linux only."""
    shown = Path(f"/proc/{process}/cmdline")
    return shown.read_text() if shown.exists() else ""


Ask = Callable[[int, str, object], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def entered(url: str, written: Written) -> AsyncIterator[tuple[aiohttp.ClientSession, Ask]]:
    """A browser that has entered and said hello, and how to ask over its bridge.

    Every answer is written down, but for the ephemeral key in the place where the page looks for it.
    """
    base, _, token = url.partition("#")
    async with aiohttp.ClientSession(
        base, headers={"Origin": base.rstrip("/")}, cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as browser:
        async with browser.get("/") as response:
            written.add("page", f"{response.headers} {await response.text()}")
        entry = {"token": token.rpartition("=")[2]}
        async with browser.post("/session", json=entry) as response:
            assert response.status == 204
        async with browser.ws_connect("/bridge") as bridge:

            async def ask(number: int, method: str, params: object) -> dict[str, Any]:
                call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
                await bridge.send_str(json.dumps(call))
                async with asyncio.timeout(60):
                    while True:
                        answer = await bridge.receive_json()
                        found = dict(answer.get("result") or {})
                        if method == "call.key":
                            found.pop("key", None)
                        written.add("bridge", json.dumps({**answer, "result": found}))
                        if answer.get("id") == number:
                            return dict(answer)

            assert "result" in await ask(1, "hello", {"build": "b1"})
            assert "result" in await ask(2, "settings.get", {})
            yield browser, ask


async def hold_calls(url: str, service: Azure, written: Written) -> None:
    """Ask for calls as a page does."""
    async with entered(url, written) as (_, ask):
        offer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
        for number, minting in enumerate(REFUSALS, start=3):
            service.says(MINT, *minting)
            answer = await ask(number, "call.open", {"attempt": number, "sdp": offer})
            assert ("result" in answer) is (minting is REFUSALS[0])
        service.says(MINT, *REFUSALS[0])
        service.says(OFFERS, refused(401, "401", f"no ephemeral key: ek_{MARK}"))
        assert "error" in await ask(99, "call.open", {"attempt": 99, "sdp": offer})


def small_page(folder: Path) -> Path:
    """A page as the server takes it."""
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>VoicePilot</title>")
    manifest = {
        "build": "b1",
        "policy": "default-src 'none'",
        "files": {"/index.html": {"sha384": "sha384-x", "type": "text/html; charset=utf-8"}},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_the_search_finds_what_is_written(tmp_path: Path) -> None:
    """The test of the tests: a mark in any place is found."""
    written = Written(tmp_path)
    (tmp_path / "file").write_text(f"a {MARK}")
    try:
        try:
            raise ValueError(MARK)
        except ValueError as inner:
            raise Failure("service-unreachable") from inner
    except Failure as failure:
        written.add_error(failure)
    found = {place.partition(":")[0] for place in written.places_with_the_mark()}
    assert found >= {"file file", "traceback", "str", "repr"}
