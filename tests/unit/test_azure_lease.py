"""Which key a call is opened with, and when the next one is minted: the rules, and the task that mints."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voicepilot.backend.azure.lease import KeptKeys, MintedKey
from voicepilot.backend.failure import Failure
from voicepilot.session.key_lease import KeyLease, life

SERVICE = 1_784_852_237.0
"""The service's clock when a key was minted there (recorded)."""


# ---- how long a key lives


@pytest.mark.parametrize(
    ("expires_at", "answered_at", "seconds"),
    [
        (SERVICE + 7200, SERVICE, 7200),  # recorded at Azure
        (SERVICE + 60, SERVICE, 60),  # preview, documented
        (SERVICE + 10, SERVICE, 10),  # the least that can be asked for
        (SERVICE + 7201, SERVICE, 7201),  # a second passed between the two
        (SERVICE + 3, SERVICE, 60),  # no key is minted for so short: one of the clocks is wrong
        (SERVICE - 60, SERVICE, 60),
        (SERVICE + 86_400, SERVICE, 60),
        (None, SERVICE, 60),
        (SERVICE, None, 60),
    ],
)
def test_a_keys_life_is_told_by_the_services_clocks(expires_at, answered_at, seconds) -> None:
    assert life(expires_at, answered_at) == seconds


@pytest.mark.parametrize(("seconds", "renewed_after"), [(60, 50), (7200, 6000)])
def test_it_is_renewed_at_five_sixths_of_it(seconds, renewed_after) -> None:
    lease = standby()
    lease.minted("session", "ek_1", seconds, 100.0)
    assert lease.mint_at == pytest.approx(100 + renewed_after)


# ---- the policies


def standby(now: float = 0.0) -> KeyLease[str, str]:
    lease: KeyLease[str, str] = KeyLease()
    lease.want("standby", "session", now)
    return lease


def test_just_in_time_keeps_nothing() -> None:
    lease: KeyLease[str, str] = KeyLease()
    assert lease.mint_at is None
    lease.want("just-in-time", "session", 0.0)
    assert lease.mint_at is None
    lease.minted("session", "ek_1", 60, 0.0)
    assert lease.take("session", 1.0) is None


def test_standby_mints_at_once_and_again_when_the_key_is_used() -> None:
    lease = standby(5.0)
    assert lease.mint_at == 5.0
    lease.minted("session", "ek_1", 60, 5.0)
    assert lease.take("session", 10.0) == "ek_1"
    assert lease.take("session", 10.0) is None
    assert lease.mint_at == 10.0


def test_a_key_for_another_configuration_is_of_no_use() -> None:
    lease = standby()
    lease.minted("session", "ek_1", 60, 0.0)
    assert lease.take("other", 1.0) is None
    lease.want("standby", "other", 2.0)
    assert lease.mint_at == 2.0
    lease.minted("session", "ek_late", 60, 2.0)
    assert lease.take("other", 3.0) is None
    assert lease.mint_at == 3.0 or lease.mint_at == 2.0


def test_wanting_the_same_again_keeps_the_key() -> None:
    lease = standby()
    lease.minted("session", "ek_1", 60, 0.0)
    lease.want("standby", "session", 1.0)
    assert lease.take("session", 1.0) == "ek_1"


def test_back_to_just_in_time_lets_go_of_it() -> None:
    lease = standby()
    lease.minted("session", "ek_1", 60, 0.0)
    lease.want("just-in-time", "session", 1.0)
    assert lease.take("session", 1.0) is None
    assert lease.mint_at is None


def test_after_failures_it_rests_longer_and_longer_and_not_for_ever() -> None:
    lease, rests = standby(), []
    for _ in range(9):
        lease.failed("session", 100.0)
        assert lease.mint_at is not None
        rests.append(lease.mint_at - 100.0)
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    lease.minted("session", "ek_1", 60, 400.0)
    lease.failed("session", 450.0)
    assert lease.take("session", 451.0) == "ek_1"  # it is good all the same
    assert lease.mint_at == 455.0
    lease.failed("other", 452.0)
    assert lease.mint_at == 455.0


@given(st.floats(10, 7200), st.floats(0, 20_000))
def test_an_expired_key_is_never_given(seconds, later) -> None:
    lease = standby()
    lease.minted("session", "ek_1", seconds, 0.0)
    assert (lease.take("session", later) is not None) is (later < seconds)


class Lease(RuleBasedStateMachine):
    """Whatever happens in whatever order, a key is given once, while it is good, for what it was made."""

    def __init__(self) -> None:
        super().__init__()
        self.lease: KeyLease[str, tuple[str, float, int]] = KeyLease()
        self.now, self.made = 0.0, 0
        self.given: set[int] = set()
        self.policy = "just-in-time"

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        policy=st.sampled_from(("standby", "just-in-time")),
        configuration=st.sampled_from("ab"),
    )
    def want(self, policy, configuration) -> None:
        self.lease.want(policy, configuration, self.now)
        self.policy = policy

    @rule(configuration=st.sampled_from("ab"), seconds=st.sampled_from((10.0, 60.0)))
    def mint(self, configuration: str, seconds: float) -> None:
        self.made += 1
        key = (configuration, self.now + seconds, self.made)
        self.lease.minted(configuration, key, seconds, self.now)

    @rule(configuration=st.sampled_from("ab"))
    def fail(self, configuration: str) -> None:
        self.lease.failed(configuration, self.now)

    @rule(configuration=st.sampled_from("ab"))
    def take(self, configuration: str) -> None:
        key = self.lease.take(configuration, self.now)
        if key is not None:
            made_for, ends_at, number = key
            assert made_for == configuration
            assert self.now < ends_at
            assert number not in self.given
            self.given.add(number)

    @invariant()
    def a_next_key_is_due_exactly_on_standby(self) -> None:
        assert (self.lease.mint_at is not None) is (self.policy == "standby")


TestLease = Lease.TestCase


# ---- the task


class Mint:
    """Mints keys that live so long, or fails as it is told."""

    def __init__(self, life_s: float = 60.0) -> None:
        self.life_s = life_s
        self.asked: list[str] = []
        self.fails = 0
        self.code = "service-failed"
        self.breaks = 0
        self._news = asyncio.Event()

    async def __call__(self, configuration: str) -> MintedKey:
        self.asked.append(configuration)
        self._news.set()
        await asyncio.sleep(0)
        if self.breaks:
            self.breaks -= 1
            raise RuntimeError
        if self.fails:
            self.fails -= 1
            if self.code == "service-failed":
                raise Failure("service-failed", detail="it was told to.")
            raise Failure(self.code, deed="Sign in.")
        number = len(self.asked)
        return MintedKey(f"ek_{number}", "url", "ga", None, self.life_s)

    async def times(self, count: int) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(10):
            while len(self.asked) < count:
                self._news.clear()
                await self._news.wait()
            await asyncio.sleep(0.01)  # and has answered


async def test_the_task_mints_what_is_wanted_and_what_was_used() -> None:
    mint = Mint()
    async with KeptKeys(mint) as keys:
        assert keys.take("session") is None
        keys.keep("standby", "session")
        await mint.times(1)
        key = keys.take("session")
        assert key is not None
        assert key.value == "ek_1"
        assert "ek_1" not in repr(key)
        await mint.times(2)
        keys.keep("standby", "other")
        await mint.times(3)
    assert mint.asked == ["session", "session", "other"]


async def test_the_task_renews_a_key_in_time() -> None:
    mint = Mint(life_s=0.3)
    async with KeptKeys(mint) as keys:
        keys.keep("standby", "session")
        await mint.times(3)


async def test_the_task_survives_failures_and_minds_the_rest_after_them(caplog) -> None:
    mint = Mint()
    mint.fails = 1
    now = 0.0
    async with KeptKeys(mint, clock=lambda: now) as keys:
        keys.keep("standby", "session")
        await mint.times(1)
        assert "no key can be kept ready: service-failed" in caplog.text
        keys.keep("standby", "session")  # as every page that opens does
        now = 5.0
        keys.keep("standby", "session")
        await mint.times(2)
        key = keys.take("session")
        assert key is not None
        assert key.value == "ek_2"


async def test_nobody_is_asked_to_sign_in_again_before_they_want_something() -> None:
    mint = Mint()
    mint.fails, mint.code = 1, "sign-in-pending"
    now = 0.0
    async with KeptKeys(mint, clock=lambda: now) as keys:
        keys.keep("standby", "session")
        await mint.times(1)
        now = 10_000.0
        assert keys.take("session") is None  # has the task look at the clock
        await asyncio.sleep(0.02)
        assert len(mint.asked) == 1
        keys.keep("standby", "session")
        await mint.times(2)
        assert keys.take("session") is not None


async def test_the_task_survives_what_nobody_foresaw(caplog) -> None:
    mint = Mint()
    mint.breaks = 1
    now = 0.0
    async with KeptKeys(mint, clock=lambda: now) as keys:
        keys.keep("standby", "session")
        await mint.times(1)
        assert "RuntimeError" in caplog.text
        now = 5.0
        keys.keep("standby", "session")
        keys.take("session")
        await mint.times(2)
        assert keys.take("session") is not None


async def test_the_task_ends_in_the_middle_of_minting() -> None:
    began, never = asyncio.Event(), asyncio.Event()

    async def mint(_: str) -> MintedKey:
        began.set()
        await never.wait()
        raise AssertionError

    async with KeptKeys(mint) as keys:
        keys.keep("standby", "session")
        await began.wait()
