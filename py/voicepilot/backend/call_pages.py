"""Which pages are there that may talk, whose is the call, and who mirrors it?

One call at a time: the call belongs to the page that was there first, until another *takes* it because
the person presses Talk there; then the page before ends its call. Each call page is told its place.
Pages that may not use the microphone mirror the call, and what the person wants of it there goes to the
call page.

With a call page that is closed its call ends, and whoever hears its inputs hears that as the last of
them. A page whose connection broke has some seconds to come back before it counts as closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias

from voicepilot.backend.bridge_link import BridgeLink
from voicepilot.backend.failure import Failure
from voicepilot.backend.feed import Feed
from voicepilot.backend.mirror import Mirror
from voicepilot.bridge.messages import CALL_CONTROL, CallControl
from voicepilot.bridge.mirror_messages import (
    CALL_CONFIGURE,
    CALL_LEVELS,
    CALL_PLACE,
    CALL_SCENE,
    MIRROR_ALONE,
    ConfigureCall,
    Levels,
    Place,
    Scene,
)
from voicepilot.protocol.problems import problem
from voicepilot.session.feed import Entry
from voicepilot.session.mirror import CallMirror

BACK_WITHIN_S: Final = 5.0
"""Seconds in which a page whose connection broke is there again, if it still is (`page/backend_link.py`)."""

Run: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Runs something in a task that somebody owns."""


class CallPages:
    """The pages of one backend. A `bridge_link.Company` and a `feed.Listener`."""

    def __init__(self, feed: Feed, run: Run, *, back_within: float = BACK_WITHIN_S) -> None:
        self._feed = feed
        self._run = run
        self._back_within = back_within
        self._calls = CallMirror()
        self._at: dict[str, float] = {}
        self._talking: dict[BridgeLink, str] = {}  # with the name by which it feeds its inputs
        self._leaving: set[BridgeLink] = set()
        self._holder: BridgeLink | None = None
        self._told: dict[BridgeLink, Place] = {}
        self._mirrors: dict[BridgeLink, tuple[Mirror, asyncio.Task[None]]] = {}
        self._alone = False
        feed.listen(self)

    def expect(self) -> None:
        """Wait for pages that were there before this backend, and say if there are none."""
        self._run(self._expect_back(""))

    async def serve(self, link: BridgeLink, *, talks: bool) -> None:
        """Serve a page until its connection ends; `talks`: it may use the microphone."""
        if talks:
            self._come(link)
        try:
            await link.serve()
        finally:
            if link in self._mirrors:
                self._mirrors.pop(link)[1].cancel()
            if talks:
                self._went(link)
            self._tell_places()

    # ---- bridge_link.Company

    async def control(self, wish: CallControl) -> None:
        """Tell the call page what the person wants. Raises Failure where there is none."""
        await self._pass_on(CALL_CONTROL, wish.to_params())

    async def configure(self, wish: ConfigureCall) -> None:
        """Have the running call take a change of settings along. Raises Failure."""
        await self._pass_on(CALL_CONFIGURE, wish.to_params())

    def mirror(self, link: BridgeLink) -> None:
        """Show this page everything, from the beginning."""
        if link in self._mirrors:
            self._mirrors.pop(link)[1].cancel()
        mirror = Mirror(self._feed, link.tell)
        self._mirrors[link] = (mirror, self._run(mirror.run()))
        if self._alone:
            mirror.show(MIRROR_ALONE, {})
        self._tell_places()

    def take(self, link: BridgeLink) -> None:
        """The call is at this page now; another's ends."""
        before = self._holder
        if link is before or link not in self._talking:
            return
        self._holder = link
        if before is not None:
            self._run(_tell(before, CALL_CONTROL, CallControl("stop").to_params()))
        self._tell_places()

    def leave(self, link: BridgeLink) -> None:
        """This page is being closed: nobody waits for it."""
        if link in self._talking:
            self._leaving.add(link)

    def fed(self, link: BridgeLink, page: str) -> None:
        """By this name the page feeds its inputs."""
        if link in self._talking:
            self._talking[link] = page

    def levels(self, link: BridgeLink, levels: Levels) -> None:
        """So loud is it at the page that has the call."""
        if link is self._holder:
            self._show(CALL_LEVELS, levels.to_params())

    def scene(self, link: BridgeLink, scene: Scene) -> None:
        """So it looks there beside the call."""
        if link is self._holder:
            self._show(CALL_SCENE, scene.to_params())

    # ---- feed.Listener

    def heard(self, page: str, entry: Entry) -> None:
        """The core of `page` was told this."""
        self._at[page] = entry.at
        self._calls.hear(page, entry)

    def missed(self, page: str) -> None:
        """Inputs of `page` are missing."""
        self._calls.lose(page)

    # ---- who is there

    def _come(self, link: BridgeLink) -> None:
        self._talking[link] = ""
        self._holder = self._holder or link
        self._alone = False
        self._tell_places()

    def _went(self, link: BridgeLink) -> None:
        page = self._talking.pop(link)
        self._told.pop(link, None)
        if self._holder is link:
            self._holder = next(iter(self._talking), None)
        if link in self._leaving:
            self._leaving.discard(link)
            self._close(page)
        else:
            self._run(self._expect_back(page))

    async def _expect_back(self, page: str) -> None:
        await asyncio.sleep(self._back_within)
        self._close(page)

    def _close(self, page: str) -> None:
        if page not in self._talking.values():
            call, at = self._calls.of(page), self._at.pop(page, 0.0)
            if call is not None and call.under_way:
                why = problem("call-page-closed")
                last = (Entry(at, "failed", (call.attempt, why)), Entry(at, "stop", ()))
                self._feed.close(page, last)
        if not self._talking and not self._alone:
            self._alone = True
            self._show(MIRROR_ALONE, {})

    # ---- what they are told

    def _tell_places(self) -> None:
        for link in self._talking:
            place = Place(elsewhere=self._holder is not link, watched=bool(self._mirrors))
            if self._told.get(link) != place:
                self._told[link] = place
                self._run(_tell(link, CALL_PLACE, place.to_params()))

    def _show(self, method: str, params: Mapping[str, object]) -> None:
        for mirror, _ in self._mirrors.values():
            mirror.show(method, params)

    async def _pass_on(self, method: str, params: Mapping[str, object]) -> None:
        if self._holder is None:
            raise Failure("no-call-page")
        try:
            await self._holder.tell(method, params)
        except ConnectionError:
            raise Failure("no-call-page") from None


async def _tell(link: BridgeLink, method: str, params: Mapping[str, object]) -> None:
    with contextlib.suppress(ConnectionError):  # it has left: others will be told of that
        await link.tell(method, params)
