"""Where keys come from and are kept, with a keyring of the real library, and which credential is chosen."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring as library
import pytest
from azure.core.credentials import AccessToken
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as ForgetfulKeyring

from voicepilot.backend.azure.api_key import VARIABLE, ApiKey, Keyring, find_key
from voicepilot.backend.azure.chosen import credentials_for
from voicepilot.backend.azure.credential import Credential
from voicepilot.backend.azure.handed_token import HandedToken
from voicepilot.backend.azure.scopes import ScopeMemory
from voicepilot.backend.failure import Failure
from voicepilot.settings import Settings
from voicepilot.settings.table import setting

from .sign_in_service import person

HOST = "mine.openai.azure.com"
KEY = "k" * 84


class MemoryKeyring(KeyringBackend):
    """A keyring for one test."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class BrokenKeyring(MemoryKeyring):
    """One whose service is gone; its backends raise what they like."""

    def get_password(self, service: str, username: str) -> str | None:
        raise ConnectionError("no bus")


class LockedKeyring(MemoryKeyring):
    """One that waits for its user."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.unlocked.wait(60)
        return None


@pytest.fixture
def kept() -> Iterator[MemoryKeyring]:
    before = library.get_keyring()
    backend = MemoryKeyring()
    library.set_keyring(backend)
    yield backend
    library.set_keyring(before)


async def test_a_key_is_kept_for_its_host_and_forgotten(kept: MemoryKeyring) -> None:
    keyring = Keyring()
    assert await keyring.get(HOST) is None
    await keyring.set(HOST, ApiKey.read(f" {KEY}\n", "the input"))
    assert kept.kept == {("voicepilot", HOST): KEY}
    found = await keyring.get(HOST)
    assert found == ApiKey(KEY, "the keyring") and KEY not in repr(found)
    assert await keyring.get("another.openai.azure.com") is None
    assert await keyring.delete(HOST) and not await keyring.delete(HOST)
    assert kept.kept == {}


async def test_what_is_handed_in_comes_before_the_environment_and_that_before_the_keyring(
    kept: MemoryKeyring,
) -> None:
    assert await find_key(HOST, {}) is None
    kept.set_password("voicepilot", HOST, KEY)
    for variables, handed, place in (
        ({VARIABLE: "e" * 32}, "h" * 32, "the host"),
        ({VARIABLE: "e" * 32}, "", "the environment"),
        ({VARIABLE: " "}, "", "the keyring"),
    ):
        key = await find_key(HOST, variables, handed)
        assert key is not None and key.place == place


@pytest.mark.parametrize(
    "text", ["two words", "line\nbreak", "schlüssel", "", "x" * 513, "tab\there"]
)
def test_what_cannot_be_a_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(Failure) as caught:
        ApiKey.read(text, "the environment")
    assert caught.value.problem.code == "key-malformed"
    assert text == "" or text not in caught.value.problem.says


@pytest.mark.parametrize("backend", [NoKeyring, ForgetfulKeyring, BrokenKeyring])
async def test_a_system_without_keyring_has_no_key_and_keeps_none(
    backend: type[KeyringBackend], kept: MemoryKeyring
) -> None:
    library.set_keyring(backend())
    assert await find_key(HOST, {}) is None
    with pytest.raises(Failure) as caught:
        await Keyring().set(HOST, ApiKey(KEY, "the input"))
    assert caught.value.problem.code == "keyring-missing"
    assert KEY not in str(caught.value)


async def test_a_keyring_that_waits_for_its_user_does_so_for_limited_time(
    kept: MemoryKeyring,
) -> None:
    locked = LockedKeyring()
    library.set_keyring(locked)
    with pytest.raises(Failure) as caught:
        await Keyring(limit_s=0.05).get(HOST)
    locked.unlocked.set()
    assert caught.value.problem.code == "keyring-slow"


async def test_with_auto_a_keyring_that_hangs_is_only_a_key_less(
    kept: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, told = LockedKeyring(), list[str]()
    library.set_keyring(locked)
    monkeypatch.setattr("voicepilot.backend.azure.chosen._KEYRING_SILENT_S", 0.01)
    options = {"tell": told.append, "variables": {}, "keyring": Keyring(limit_s=0.3)}
    settings = Settings(endpoint=f"https://{HOST}")
    async with credentials_for(settings, **options) as chosen:  # type: ignore[arg-type]
        assert chosen.way == "default"
    assert [sentence.split(";")[0] for sentence in told] == [
        "Waiting for the system's keyring",
        "The system's keyring did not answer within 0 seconds. Going on without a key from there.",
    ]
    settings = Settings(endpoint=f"https://{HOST}", credential="api-key")
    with pytest.raises(Failure, match="keyring"):
        async with credentials_for(settings, **options):  # type: ignore[arg-type]
            pass
    locked.unlocked.set()


@pytest.mark.parametrize("text", [f'"{KEY}"', f"'{KEY}'", f' "{KEY}"\n'])
def test_quotes_around_a_key_are_not_the_keys(text: str) -> None:
    assert ApiKey.read(text, "the environment").value == KEY


async def hand_in(scopes: tuple[str, ...], tenant: str) -> AccessToken:
    return AccessToken(person(scopes[0]), 4_000_000_000)


@pytest.mark.parametrize(
    ("credential", "key", "handed", "way"),
    [
        ("auto", KEY, True, "api-key"),
        ("auto", "", True, "host"),
        ("auto", "", False, "default"),
        ("host", KEY, True, "host"),
        ("default", KEY, True, "default"),
        ("api-key", KEY, False, "api-key"),
    ],
)
async def test_the_setting_chooses(
    credential: str, key: str, handed: bool, way: str, kept: MemoryKeyring
) -> None:
    settings = Settings(endpoint=f"https://{HOST}", credential=credential)  # type: ignore[arg-type]
    async with credentials_for(
        settings,
        tell=print,
        host_token=HandedToken(hand_in) if handed else None,
        variables={VARIABLE: key},
        scopes=ScopeMemory(),
    ) as chosen:
        assert chosen.way == way
        if way == "api-key":
            given = await chosen.credential()
            assert given == Credential.api_key(KEY)
            assert str(await chosen.describe()) == "the API key from the environment"
            with pytest.raises(Failure) as caught:
                await chosen.credential(refused=given)
            assert caught.value.problem.code == "key-refused"
        elif way == "host":
            assert (await chosen.credential()).header == "Authorization"
            assert (await chosen.describe()).account == "ada@contoso.example"


@pytest.mark.parametrize(
    ("credential", "code"), [("api-key", "key-missing"), ("host", "host-token-missing")]
)
async def test_a_setting_that_cannot_be_met_is_told(
    credential: str, code: str, kept: MemoryKeyring
) -> None:
    settings = Settings(endpoint=f"https://{HOST}", credential=credential)  # type: ignore[arg-type]
    with pytest.raises(Failure) as caught:
        async with credentials_for(settings, tell=print, variables={}):
            pass
    assert caught.value.problem.code == code


def test_the_document_names_every_way_in() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sign-in.md").read_text("utf-8")
    named = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    assert named == ["credential", *setting("credential").choices]
