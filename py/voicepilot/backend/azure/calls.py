"""How does the page's offer become an answer of the realtime service, with no key in the page?

Two requests over one warm connection: a key is minted with the standing credential and the whole session
configuration, then the raw offer goes to the service with that key, the only credential it takes there
(`ga` and `preview` have the addresses). *Direct* signalling stops after the first: the page gets the key
and posts its offer itself.

- `warm_up` fetches the token and opens the connection before anybody presses Talk.
- 401 when minting: the source of credentials is asked for another, once. 401 for the offer: the key
  expired (a long microphone prompt, a computer that slept); another one is minted, once.
- `auto` tries GA first. Where the service has nothing there, or does not know GA's form, and a preview key
  can be minted, the resource is taken for one that only knows the preview protocol, until the program ends.
- What may pass is tried again as `retries` says; everything else is final at once.

Only a 2xx answer's body is ever taken for a session description: an error text given to
`setRemoteDescription` fails with words that hide the reason.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from voicepilot.backend.azure.credential import Credential, Credentials
from voicepilot.backend.azure.ga import Ga
from voicepilot.backend.azure.http import CONNECT_WITHIN_S, Answer, Http, Unreached, json_body
from voicepilot.backend.azure.lease import KeptKeys, MintedKey
from voicepilot.backend.azure.preview import Preview, offer_host
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
from voicepilot.bridge.messages import CallOpened
from voicepilot.protocol.call_names import call_name, is_call_name
from voicepilot.protocol.dialects import Dialect
from voicepilot.protocol.session_config import SessionConfig
from voicepilot.session.key_lease import KeyPolicy, life

_log = logging.getLogger(__name__)

DialectChoice: TypeAlias = Literal["auto", "ga", "preview"]

OPEN_WITHIN_S: Final = 18.0
"""How long opening a call may take, with all its tries; the page gives up after 20."""

_HANG_UP_WITHIN_S: Final = 3.0
_MOST_OPEN_CALLS: Final = 16
_WITH_ANOTHER_CREDENTIAL: Final = frozenset({"key-refused", "token-refused", "clock-wrong"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where calls are opened, and how.

    `base` is scheme and host of the resource; `region` is needed by the preview protocol only.
    """

    base: str
    credentials: Credentials = field(repr=False)
    dialect: DialectChoice = "ga"
    region: str = ""
    key_policy: KeyPolicy = "just-in-time"

    @property
    def offer_origins(self) -> tuple[str, ...]:
        """Scheme and host of wherever offers may go: what a page with direct signalling may reach."""
        ga = self.base.rstrip("/")
        preview = offer_host(self.base, self.region)
        match self.dialect:
            case "ga":
                return (ga,)
            case "preview":
                return (preview,) if preview else ()
        return (ga, preview) if preview and preview != ga else (ga,)


@dataclass(frozen=True, slots=True)
class DirectKey:
    """What an offer is posted with, by a page itself too. `expires_at` is the service's Unix time, if told.

    `deployment` and the preview's `region` ("" in GA) are what a refusal is told with.
    """

    url: str
    key: str = field(repr=False)
    expires_at: int | None
    dialect: Dialect
    deployment: str
    region: str = ""


_Wanted: TypeAlias = tuple[Target, SessionConfig]


class Calls:
    """Opens calls, and ends them. An async context manager that owns its connections and tasks.

    `find_target` is asked each time, and may wait until the target is known. `retries`, `chance` (in
    [0, 1)) and `pause` say how it is tried again.
    """

    def __init__(
        self,
        find_target: Callable[[], Awaitable[Target]],
        *,
        retries: Retries | None = None,
        chance: Callable[[], float] = random.random,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        http: Http | None = None,
    ) -> None:
        self._find_target = find_target
        self._retries = retries or Retries()
        self._chance = chance
        self._pause = pause
        self._http = http or Http()
        self._kept: KeptKeys[_Wanted] = KeptKeys(self._mint_to_keep)
        self._warming: asyncio.Task[None] | None = None
        self._owned = AsyncExitStack()
        self._preview_only: set[str] = set()
        self._without_hangup: set[str] = set()
        self._open_calls: dict[str, Target] = {}
        self._key_given_at: Target | None = None
        """Where a page may have opened a call itself."""
        self._endings: dict[str, asyncio.Task[None]] = {}

    @classmethod
    def at(cls, target: Target, http: Http | None = None) -> Calls:
        """Open calls at one target that is known."""

        async def known() -> Target:
            return target

        return cls(known, http=http)

    async def __aenter__(self) -> Calls:
        await self._owned.enter_async_context(self._http)
        await self._owned.enter_async_context(self._kept)
        self._owned.push_async_callback(self._end)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._owned.aclose()

    async def target(self) -> Target:
        """Where calls go, once that is known. Raises Failure."""
        return await self._find_target()

    def speaks(self, target: Target) -> Dialect:
        """The dialect that calls at this target are held in, as far as is known."""
        if target.dialect == "auto":
            return "preview" if target.base in self._preview_only else "ga"
        return target.dialect

    def warm_up(self, session: SessionConfig | None = None) -> asyncio.Task[None]:
        """Get ready for a call, in a task of our own, which is returned; it fails silently.

        Talk will tell what is wrong. With a session, and where the policy is *standby*, a key is kept ready.
        """
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._warm_up(session))
        return self._warming

    async def open(self, session: SessionConfig, offer: str) -> CallOpened:
        """Open a call with the page's offer SDP. Raises Failure."""
        target, began = await self.target(), self._now()
        async with _in_time():
            key = _direct(await self._key(target, session, began), session.model)
            answer = await self._post_offer(key, offer, began)
            if answer.status == 401:
                key = _direct(await self._mint(target, session, began), session.model)
                answer = await self._post_offer(key, offer, began)
        return self._opened(target, key, answer)

    async def key(self, session: SessionConfig, *, fresh: bool = False) -> DirectKey:
        """Return a key for a page that posts its offer itself. Raises Failure.

        `fresh`: not one that was kept, since the service refused that.
        """
        target = await self.target()
        async with _in_time():
            minted = await self._key(target, session, self._now(), fresh=fresh)
        if minted.dialect == "ga":
            self._key_given_at = target
        return _direct(minted, session.model)

    async def offer(self, key: DirectKey, sdp: str) -> CallOpened:
        """Open a call with the page's offer SDP and one of our keys. Raises Failure."""
        target = await self.target()
        async with _in_time():
            answer = await self._post_offer(key, sdp, self._now())
        return self._opened(target, key, answer)

    def hang_up(self, call_id: str) -> asyncio.Task[None]:
        """End a call at the service too, where it offers that: in a task of our own, which never fails.

        One that `open` or `offer` opened, or a page itself with a key of `key`.
        """
        ending = self._endings.get(call_id)
        if ending is None:
            ending = self._endings[call_id] = asyncio.create_task(self._hang_up(call_id))
            ending.add_done_callback(lambda _: self._endings.pop(call_id, None))
        return ending

    # ---- the two requests

    async def _post_offer(self, key: DirectKey, offer: str, began: float) -> Answer:
        headers = {"Authorization": f"Bearer {key.key}", "Content-Type": "application/sdp"}
        try:
            return await self._post(key.url, headers, offer.encode(), began, harmless=False)
        except Failure as failure:
            if failure.problem.code == "host-unknown" and key.region:
                detail = "(there is no such host)"
                raise Failure("region-refused", region=key.region, detail=detail) from failure
            raise

    def _opened(self, target: Target, key: DirectKey, answer: Answer) -> CallOpened:
        """Read what came for an offer. Raises Failure."""
        if not answer.good:
            shown = Credential.bearer(key.key)
            raise refusal(answer, Asked(Step.OFFER, key.url, key.deployment, shown, key.region))
        sdp = answer.body.decode("utf-8", "replace")
        if not sdp.startswith("v=0"):
            raise Failure("bad-answer")
        name = call_name(answer.location)
        if name and key.dialect == "ga":
            self._open_calls[name] = target
            for oldest in list(self._open_calls)[:-_MOST_OPEN_CALLS]:  # pages that died left them
                del self._open_calls[oldest]
        return CallOpened(sdp, name, key.expires_at, key.dialect)

    async def _key(
        self, target: Target, session: SessionConfig, began: float, *, fresh: bool = False
    ) -> MintedKey:
        wanted = (target, session)
        self._kept.keep(target.key_policy, wanted)
        kept = self._kept.take(wanted)
        return await self._mint(*wanted, began) if kept is None or fresh else kept

    async def _mint_to_keep(self, wanted: _Wanted) -> MintedKey:
        return await self._mint(*wanted, self._now())

    async def _mint(self, target: Target, session: SessionConfig, began: float) -> MintedKey:
        ga, preview = Ga(target.base), Preview(target.base, target.region)
        way: Ga | Preview = ga if self.speaks(target) == "ga" else preview
        answer, asked = await self._ask_for_key(way, target, session, began)
        if target.dialect == "auto" and (is_nowhere(answer) or speaks_another_dialect(answer)):
            if way is ga:
                other, asked_there = await self._ask_for_key(preview, target, session, began)
                if other.good:
                    _log.warning(
                        "%s knows only the preview protocol: calls are held in it", target.base
                    )
                    self._preview_only.add(target.base)
                    way, answer, asked = preview, other, asked_there
            else:
                self._preview_only.discard(target.base)  # the next call begins with GA again
        if not answer.good:
            raise refusal(answer, asked)
        return _read_key(answer, way, session.model, target.region)

    async def _ask_for_key(
        self, way: Ga | Preview, target: Target, session: SessionConfig, began: float
    ) -> tuple[Answer, Asked]:
        body = json_body(way.mint_body(session))
        credential = await target.credentials.credential()
        for last in (False, True):
            headers = {credential.header: credential.value, "Content-Type": "application/json"}
            answer = await self._post(way.mint_url, headers, body, began, harmless=True)
            skew_s = time.time() - answer.date if answer.date is not None else 0.0
            asked = Asked(Step.MINT, way.mint_url, session.model, credential, "", skew_s)
            if answer.status != 401:
                break
            refused = refusal(answer, asked)
            if refused.problem.code not in _WITH_ANOTHER_CREDENTIAL:
                break
            try:
                credential = await target.credentials.credential(refused=credential)
            except Failure as failure:
                # Who is signed in is known there; what the service said is known here.
                same = refused.problem.code == failure.problem.code == "token-refused"
                raise (failure if same else refused) from None
            if last:
                raise refused
        return answer, asked

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes, began: float, *, harmless: bool
    ) -> Answer:
        """Post until there is an answer that another try would not change. Raises Failure."""
        tries = 0
        while True:
            tries += 1
            answer, failure = None, None
            left_s = self._retries.within_s - (self._now() - began)
            connect_within_s = CONNECT_WITHIN_S if tries == 1 else min(CONNECT_WITHIN_S, left_s)
            try:
                answer = await self._http.post(
                    *(url, headers, body), harmless=harmless, connect_within_s=connect_within_s
                )
                trouble = None if answer.good or is_exhausted(answer) else answer.trouble
            except Unreached as error:
                trouble, failure = error.trouble, error.failure
            pause = None
            if trouble is not None:
                spent_s = self._now() - began
                pause = self._retries.pause(
                    trouble, tries, spent_s, self._chance(), harmless=harmless
                )
            if pause is not None:
                _log.info("%s: try %d comes in %.1f s", urlsplit(url).path, tries + 1, pause)
                await self._pause(pause)
            elif failure is not None:
                raise failure
            elif answer is not None:
                return answer

    # ---- beside calls

    async def _hang_up(self, call_id: str) -> None:
        target = self._open_calls.get(call_id)
        if target is None and is_call_name(call_id):
            target = self._key_given_at
        if target is None:
            return
        if target.base not in self._without_hangup:
            try:
                async with asyncio.timeout(_HANG_UP_WITHIN_S):
                    credential = await target.credentials.credential()
                    headers = {credential.header: credential.value}
                    url = Ga(target.base).hangup_url(call_id)
                    answer = await self._http.post(url, headers, b"", harmless=True)
            except (Failure, Unreached, TimeoutError) as error:
                _log.info("the call was not ended at the service: %s", type(error).__name__)
                return  # tried once more at the end
            if answer.status == 405 or is_nowhere(answer):
                self._without_hangup.add(target.base)
        self._open_calls.pop(call_id, None)

    async def _warm_up(self, session: SessionConfig | None) -> None:
        try:
            target = await self.target()
            if session is not None:
                self._kept.keep(target.key_policy, (target, session))
            places = {target.base.rstrip("/")}
            if self.speaks(target) == "preview" and target.region:
                places.add(offer_host(target.base, target.region))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(target.credentials.credential())
                for place in places:
                    tasks.create_task(self._http.touch(place))
        except* (Failure, Unreached) as errors:
            _log.info("warming up: %s", ", ".join(str(each) for each in errors.exceptions))

    async def _end(self) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await asyncio.gather(*self._endings.values())
        await asyncio.gather(*(self.hang_up(call_id) for call_id in tuple(self._open_calls)))

    @staticmethod
    def _now() -> float:
        return time.monotonic()


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(OPEN_WITHIN_S):
            yield
    except TimeoutError as error:
        raise Failure("service-slow", seconds=round(OPEN_WITHIN_S)) from error


def _direct(key: MintedKey, deployment: str) -> DirectKey:
    return DirectKey(key.offer_url, key.value, key.expires_at, key.dialect, deployment, key.region)


def _read_key(answer: Answer, way: Ga | Preview, model: str, region: str) -> MintedKey:
    secret = way.secret(answer.json())
    value, expires_at = secret.get("value"), secret.get("expires_at")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise Failure("bad-answer")
    expires_at = expires_at if type(expires_at) is int else None
    return MintedKey(
        value,
        way.offer_url(model),
        way.dialect,
        expires_at,
        life(expires_at, answer.date),
        region if way.dialect == "preview" else "",
    )
