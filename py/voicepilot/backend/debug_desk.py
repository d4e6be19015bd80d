"""What does the backend do for the debugging page?

It switches faults of the embedded service on and off (the control endpoint wants the standing key,
which no page has) and names the wheels that can be installed. Only the demo has such a desk.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from voicepilot.backend.azure.calls import Target
from voicepilot.backend.failure import Failure
from voicepilot.backend.wheels import WheelFolder
from voicepilot.bridge import debug_messages as messages

_log = logging.getLogger(__name__)

_CONTROL: Final = "/_control/scenarios"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)


class DebugDesk:
    """Answers the debugging page. `service` gives the embedded service once it listens."""

    def __init__(
        self, service: Callable[[], Awaitable[Target]], wheels: WheelFolder | None
    ) -> None:
        self._service = service
        self._wheels = wheels

    async def scenarios(self) -> messages.Scenarios:
        """Every scenario of the service. Raises Failure."""
        answer = await self._control("GET", _CONTROL)
        try:
            return messages.Scenarios(tuple(map(_scenario, answer["scenarios"])))
        except (KeyError, TypeError) as error:
            raise Failure("service-failed", detail="it lists no scenarios.") from error

    async def set_scenario(self, wish: messages.SetScenario) -> messages.Scenarios:
        """Switch a scenario; every scenario afterwards. Raises Failure."""
        method = "PUT" if wish.active else "DELETE"
        await self._control(method, f"{_CONTROL}/{quote(wish.scenario, safe='')}")
        return await self.scenarios()

    async def wheels(self) -> messages.Wheels:
        """The wheels that can be installed."""
        if self._wheels is None:
            return messages.Wheels("", ())
        return messages.Wheels(str(self._wheels.folder), self._wheels.names())

    async def _control(self, method: str, path: str) -> dict[str, Any]:
        service = await self._service()
        credential = await service.credentials.credential()
        # A connection of its own each time: this is pressed by hand.
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as http,
                http.request(
                    method,
                    service.base + path,
                    headers={credential.header: credential.value},
                    allow_redirects=False,
                ) as response,
            ):
                status, answer = response.status, await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            _log.warning("%s %s: %s", method, _CONTROL, type(error).__name__)
            raise Failure("service-unreachable") from error
        if status != 200 or not isinstance(answer, dict):
            raise Failure("service-refused", detail=f"it does not switch this (status {status}).")
        return answer


def _scenario(shown: dict[str, Any]) -> messages.Scenario:
    return messages.Scenario(
        name=str(shown["name"]),
        usage=str(shown["usage"]),
        bites=str(shown["bites"]),
        description=str(shown["description"]),
        active=shown["active"] is True,
    )
