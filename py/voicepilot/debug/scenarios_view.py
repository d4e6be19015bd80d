"""The faults of the embedded service, each with a switch."""

from __future__ import annotations

from typing import Any, Final

from voicepilot.bridge.debug_messages import Scenario, Scenarios
from voicepilot.debug import browser
from voicepilot.debug.backend import DebugBackend
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope

_PROPOSALS: Final = {"SECONDS": "20", "CODE": "rate_limit_exceeded"}
"""What stands in the field of an argument until something else is written."""


class ScenariosView:
    """A list of switches; what they show is what the service says, never what was wished."""

    def __init__(self, scope: Scope, backend: DebugBackend) -> None:
        self._scope = scope
        self._backend = backend
        self._list: Any = browser.find("scenarios")
        self._said: Any = browser.find("scenarios-said")
        self._rows: dict[str, _Row] = {}

        @browser.when("change", "#scenarios")
        def switched(event: Any) -> None:
            row = self._rows.get(str(getattr(event.target.dataset, "scenario", "")))
            if row is not None:
                self._scope.start(self._switch(row), "switching a fault")

    async def refresh(self) -> None:
        """Ask the service."""
        try:
            self._draw(await self._backend.scenarios())
        except Trouble as trouble:
            self._fail(trouble)

    async def _switch(self, row: _Row) -> None:
        row.switch.disabled = True
        try:
            self._draw(await self._backend.set_scenario(row.wish(), bool(row.switch.checked)))
        except Trouble as trouble:
            row.switch.checked = not row.switch.checked
            self._fail(trouble)
        finally:
            row.switch.disabled = False

    def _draw(self, scenarios: Scenarios) -> None:
        for scenario in scenarios.scenarios:
            if scenario.name not in self._rows:
                self._rows[scenario.name] = _Row(scenario)
                self._list.append(self._rows[scenario.name].element)
            self._rows[scenario.name].switch.checked = scenario.active
        on = [scenario.name for scenario in scenarios.scenarios if scenario.active]
        self._said.textContent = f"On: {', '.join(on)}." if on else "None is on."

    def _fail(self, trouble: Trouble) -> None:
        self._said.textContent = f"{trouble.problem.says} {trouble.problem.next_step}"


class _Row:
    """One fault: its switch, its argument if it takes one, and what it does."""

    def __init__(self, scenario: Scenario) -> None:
        self._name, _, argument = scenario.usage.partition(":")
        self.element = browser.element("li", "scenario")
        self.switch: Any = browser.element("input", type="checkbox", id=f"scenario-{self._name}")
        self.switch.dataset.scenario = scenario.name
        label = browser.element("label", "", self._name, htmlFor=f"scenario-{self._name}")
        self._argument: Any = None
        self.element.append(self.switch, label)
        if argument:
            value = _PROPOSALS.get(argument, "")
            self._argument = browser.element("input", "argument", type="text", value=value)
            self._argument.setAttribute("aria-label", f"{self._name}: {argument.lower()}")
            self.element.append(self._argument)
        words = f"{scenario.description} ({scenario.bites})"
        self.element.append(browser.element("span", "quiet", words))

    def wish(self) -> str:
        """How the switch is named to the service, as it stands now."""
        if self._argument is None or not self.switch.checked:
            return self._name
        return f"{self._name}:{self._argument.value}"
