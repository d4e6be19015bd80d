"""What does the debugging page ask the backend beside the call? Faults and wheels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from voicepilot.bridge import debug_messages as messages
from voicepilot.bridge.messages import MessageError
from voicepilot.page.backend_link import BackendLink
from voicepilot.page.refusals import Trouble
from voicepilot.protocol.problems import problem

_T = TypeVar("_T")


class DebugBackend:
    """The debugging methods of the bridge. Each raises `Trouble`."""

    def __init__(self, link: BackendLink) -> None:
        self._link = link

    async def scenarios(self) -> messages.Scenarios:
        """Every fault that the embedded service can have."""
        return await self._ask(messages.SCENARIO_LIST, {}, messages.Scenarios.from_params)

    async def set_scenario(self, scenario: str, active: bool) -> messages.Scenarios:
        """Switch one (`name` or `name:argument`); every one afterwards."""
        wish = messages.SetScenario(scenario, active).to_params()
        return await self._ask(messages.SCENARIO_SET, wish, messages.Scenarios.from_params)

    async def wheels(self) -> messages.Wheels:
        """The wheels that can be installed."""
        return await self._ask(messages.WHEEL_LIST, {}, messages.Wheels.from_params)

    async def _ask(
        self, method: str, params: dict[str, object], read: Callable[[object], _T]
    ) -> _T:
        answer = await self._link.ask(method, params)
        try:
            return read(answer)
        except MessageError as error:
            raise Trouble(problem("internal", detail=str(error))) from error
