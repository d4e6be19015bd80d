"""When is a token asked for anew, by how many, and what happens meanwhile? By a clock that is handed in."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken

from voicepilot.backend.azure.credential import Credential
from voicepilot.backend.azure.entra import EntraCredentials
from voicepilot.backend.azure.handed_token import HandedToken
from voicepilot.backend.azure.scopes import SCOPES, ScopeMemory
from voicepilot.backend.azure.sign_in_failures import SignIn
from voicepilot.backend.azure.token_claims import token_owner
from voicepilot.backend.failure import Failure

from .sign_in_service import TENANT, jwt, person

START = 1_800_000_000
HOST = "mine.openai.azure.com"


class Editor:
    """Whoever signed in outside, and hands in tokens of an hour."""

    def __init__(self) -> None:
        self.now = START
        self.asked: list[tuple[str, str]] = []
        self.heard = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()
        self.trouble: Failure | None = None
        self.token = HandedToken(self.ask, self.clock)

    def clock(self) -> float:
        return self.now

    async def ask(self, scopes: tuple[str, ...], tenant: str) -> AccessToken:
        self.asked.append((scopes[0], tenant))
        number = len(self.asked)
        self.heard.release()
        await self.gate.wait()
        if self.trouble:
            raise self.trouble
        return AccessToken(f"token-{number}", self.now + 3600)

    def credentials(
        self,
        limit_s: float | None = None,
        patience_s: float = 60.0,
        renews: bool = False,
    ) -> EntraCredentials:
        return EntraCredentials(
            self.token,
            SignIn("host", TENANT),
            HOST,
            ScopeMemory(),
            limit_s=limit_s,
            patience_s=patience_s,
            renews=renews,
            look_every_s=0.01,
            clock=self.clock,
        )


async def test_a_token_serves_until_five_minutes_before_its_end() -> None:
    editor = Editor()
    async with editor.credentials() as credentials:
        first = await credentials.credential()
        assert first == Credential.bearer("token-1")
        editor.now = START + 3600 - 300
        assert await credentials.credential() == first
        editor.now = START + 3600 - 59
        assert await credentials.credential() == Credential.bearer("token-2")
    assert editor.asked == [(SCOPES[0], TENANT)] * 2


async def test_a_token_with_enough_time_is_given_while_it_is_renewed() -> None:
    editor = Editor()
    async with editor.credentials() as credentials:
        first = await credentials.credential()
        await editor.heard.acquire()
        editor.now = START + 3600 - 250
        editor.gate.clear()
        assert await credentials.credential() == first
        await editor.heard.acquire()
        assert await credentials.credential() == first
        editor.gate.set()
        assert await credentials.credential() == first
        editor.now = START + 3600 - 30
        assert await credentials.credential() == Credential.bearer("token-2")
    assert len(editor.asked) == 2


async def test_a_slow_renewal_leaves_the_token_that_still_has_time() -> None:
    editor = Editor()
    async with editor.credentials(patience_s=0.01) as credentials:
        first = await credentials.credential()
        editor.gate.clear()
        editor.now = START + 3600 - 10
        assert await credentials.credential() == first
        editor.now = START + 3600
        with pytest.raises(Failure) as caught:
            await credentials.credential()
    assert caught.value.problem.code == "sign-in-pending"


async def test_a_token_is_renewed_before_anybody_asks() -> None:
    editor = Editor()
    async with editor.credentials(renews=True) as credentials, asyncio.timeout(10):
        await credentials.credential()
        await editor.heard.acquire()
        for hour in (1, 2):
            editor.now = START + hour * 3600 - 100
            await editor.heard.acquire()
        editor.now += 3300  # after the last renewal
        assert await credentials.credential() == Credential.bearer("token-3")
    assert len(editor.asked) == 3
    assert "renewing a token" not in [task.get_name() for task in asyncio.all_tasks()]


async def test_everybody_who_asks_meanwhile_shares_one_sign_in_and_may_give_up_alone() -> None:
    editor = Editor()
    editor.gate.clear()
    async with editor.credentials() as credentials:
        impatient, *patient = (asyncio.create_task(credentials.credential()) for _ in range(5))
        await editor.heard.acquire()
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        editor.gate.set()
        assert await asyncio.gather(*patient) == [Credential.bearer("token-1")] * 4
    assert len(editor.asked) == 1


async def test_a_sign_in_that_fails_fails_for_all_and_the_next_one_begins_anew() -> None:
    editor = Editor()
    editor.gate.clear()
    editor.trouble = Failure("sign-in-declined", remark="", remedy="press Talk")
    async with editor.credentials() as credentials:
        waiting = [asyncio.create_task(credentials.credential()) for _ in range(3)]
        await editor.heard.acquire()
        editor.gate.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        codes = [each.problem.code for each in outcomes if isinstance(each, Failure)]
        assert codes == ["sign-in-declined"] * 3
        editor.trouble = None
        assert await credentials.credential() == Credential.bearer("token-2")


async def test_a_renewal_that_fails_leaves_the_token_that_still_has_time() -> None:
    editor = Editor()
    async with editor.credentials() as credentials:
        first = await credentials.credential()
        editor.trouble = Failure("sign-in-unreachable")
        editor.now = START + 3600 - 10
        assert await credentials.credential() == first
        editor.now = START + 3600
        with pytest.raises(Failure):
            await credentials.credential()


async def test_closing_ends_a_sign_in_that_is_under_way() -> None:
    editor = Editor()
    editor.gate.clear()
    async with editor.credentials() as credentials:
        waiting = asyncio.create_task(credentials.credential())
        await editor.heard.acquire()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert [task.get_name() for task in asyncio.all_tasks()].count("sign-in") == 0


async def test_a_sign_in_has_limited_time() -> None:
    editor = Editor()
    editor.gate.clear()
    async with editor.credentials(limit_s=0.01) as credentials:
        with pytest.raises(Failure) as caught:
            await credentials.credential()
    assert caught.value.problem.code == "sign-in-slow"
    assert "VS Code" in caught.value.problem.next_step


async def test_a_request_waits_for_a_while_and_the_sign_in_goes_on_for_the_next() -> None:
    editor = Editor()
    editor.gate.clear()
    async with editor.credentials(patience_s=0.01) as credentials:
        whose = asyncio.create_task(credentials.owner())
        for _ in range(2):
            with pytest.raises(Failure) as caught:
                await credentials.credential()
            assert caught.value.problem.code == "sign-in-pending"
            assert "VS Code" in caught.value.problem.next_step
        editor.gate.set()
        await whose
        assert await credentials.credential() == Credential.bearer("token-1")


async def test_many_requests_that_are_refused_at_once_try_the_other_audience_once() -> None:
    editor = Editor()
    async with editor.credentials() as credentials:
        first = await credentials.credential()
        await editor.heard.acquire()
        editor.gate.clear()
        waiting = [asyncio.create_task(credentials.credential(first)) for _ in range(3)]
        await editor.heard.acquire()
        editor.gate.set()
        assert await asyncio.gather(*waiting) == [Credential.bearer("token-2")] * 3
        with pytest.raises(Failure) as caught:
            await credentials.credential(Credential.bearer("token-2"))
    assert caught.value.problem.code == "token-refused"
    assert [scope for scope, _ in editor.asked] == list(SCOPES)


async def test_after_a_renewal_a_refusal_may_change_the_audience_again() -> None:
    editor = Editor()
    async with editor.credentials() as credentials:
        await credentials.credential(await credentials.credential())
        editor.now += 3600
        renewed = await credentials.credential()
        await credentials.credential(renewed)
    assert [scope for scope, _ in editor.asked] == [SCOPES[0], SCOPES[1], SCOPES[1], SCOPES[0]]


async def test_a_handed_token_is_held_by_audience_and_tenant_and_asked_anew_for_claims() -> None:
    editor = Editor()
    async with editor.token as token:
        first = await token.get_token("a")
        assert await token.get_token("a") == first
        assert await token.get_token("b", tenant_id=TENANT) != first
        assert await token.get_token("a", claims="{}") != first
    assert editor.asked == [("a", ""), ("b", TENANT), ("a", "")]


def test_the_memory_of_audiences_survives_damage_and_forgets_the_oldest(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "scopes.json"
    memory = ScopeMemory(file)
    for number in range(150):
        memory.remember(f"host-{number}", SCOPES[1])
    kept = json.loads(file.read_text())
    assert len(kept) == 100 and "host-149" in kept and "host-0" not in kept
    assert ScopeMemory(file).scope("host-149") == SCOPES[1]
    for damage in ("", "[1]", '{"host-149": "https://evil.example/.default"}', "\0"):
        file.write_text(damage)
        assert ScopeMemory(file).scope("host-149") == SCOPES[0]
    file.unlink()
    file.mkdir()
    memory.remember("host-149", SCOPES[0])
    assert memory.scope("host-149") == SCOPES[0]


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (person(), f"ada@contoso.example of tenant {TENANT}"),
        (jwt(azp="an-app", idtyp="app"), "an-app"),
        (jwt(xms_mirid="/subscriptions/s/userAssignedIdentities/robot", appid="x"), "robot"),
        (jwt(upn="two\nlines", tid=["x"]), "an account"),
        ("opaque", "an account"),
        ("a.%%%.c", "an account"),
        ("a.W10.c", "an account"),
    ],
)
def test_whose_token_it_is(token: str, told: str) -> None:
    assert str(token_owner(token)) == told
