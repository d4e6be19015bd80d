"""How is the service told to break while it runs?

    GET    /_control/scenarios               every scenario, and whether it is on
    PUT    /_control/scenarios/NAME[:ARG]    switch one on
    DELETE /_control/scenarios/NAME          switch one off
    DELETE /_control/scenarios               switch all off

Each needs the standing key, as minting does, and is answered with the scenarios concerned. No page of another
origin gets through: there are no CORS headers on these paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from voicepilot.emulator.errors import Refused, access_denied
from voicepilot.emulator.scenarios import SCENARIOS, Faults, Scenario, UnknownScenarioError

_PATH: Final = "/_control/scenarios"


class Control:
    """The control endpoint.

    Args:
        faults: what it switches.
        admits: whether a request shows the standing key.
    """

    def __init__(self, faults: Faults, admits: Callable[[web.Request], bool]) -> None:
        self._faults = faults
        self._admits = admits

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Answer on the paths above."""
        router.add_get(_PATH, self._list)
        router.add_delete(_PATH, self._clear)
        router.add_put(f"{_PATH}/{{scenario}}", self._switch_on)
        router.add_delete(f"{_PATH}/{{scenario}}", self._switch_off)

    async def _list(self, request: web.Request) -> web.Response:
        self._check(request)
        return self._shown(SCENARIOS.values())

    async def _clear(self, request: web.Request) -> web.Response:
        self._check(request)
        self._faults.clear()
        return self._shown(SCENARIOS.values())

    async def _switch_on(self, request: web.Request) -> web.Response:
        return self._switch(request, self._faults.switch_on)

    async def _switch_off(self, request: web.Request) -> web.Response:
        return self._switch(request, self._faults.switch_off)

    def _switch(self, request: web.Request, how: Callable[[str], Scenario]) -> web.Response:
        self._check(request)
        try:
            return self._shown([how(request.match_info["scenario"])])
        except UnknownScenarioError as error:
            raise Refused(400, "invalid_scenario", str(error), "scenario") from error

    def _check(self, request: web.Request) -> None:
        if not self._admits(request):
            raise access_denied()

    def _shown(self, scenarios: Iterable[Scenario]) -> web.Response:
        return web.json_response({"scenarios": [self._faults.shown(each) for each in scenarios]})
