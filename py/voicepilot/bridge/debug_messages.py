"""What does the debugging page ask the backend beside what every page asks?

The schema of its methods, in the manner of `messages`. They are answered only where the realtime
service is the embedded one (scenarios) and a folder of wheels was given (wheels).

| direction | method | params | result |
|---|---|---|---|
| page to backend | `scenario.list` | `{}` | `{scenarios: [{name, usage, bites, description, active}]}` |
| page to backend | `scenario.set` | `{scenario, active}` | as `scenario.list`: all of them |
| page to backend | `wheel.list` | `{}` | `{folder, wheels: [name]}` |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voicepilot.bridge.messages import Fields

SCENARIO_LIST: Final = "scenario.list"
SCENARIO_SET: Final = "scenario.set"
WHEEL_LIST: Final = "wheel.list"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault of the embedded service.

    `usage` is how it is written (`name` or `name:ARGUMENT`), `bites` which calls notice it.
    """

    name: str
    usage: str
    bites: str
    description: str
    active: bool

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {
            "name": self.name,
            "usage": self.usage,
            "bites": self.bites,
            "description": self.description,
            "active": self.active,
        }

    @classmethod
    def from_params(cls, params: object) -> Scenario:
        """Raises MessageError."""
        fields = Fields(params, "name", "usage", "bites", "description", "active")
        return cls(
            name=fields.text("name"),
            usage=fields.text("usage"),
            bites=fields.text("bites"),
            description=fields.text("description"),
            active=fields.flag("active"),
        )


@dataclass(frozen=True, slots=True)
class Scenarios:
    """The answer to `scenario.list` and `scenario.set`: every scenario as it is now."""

    scenarios: tuple[Scenario, ...]

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"scenarios": [scenario.to_params() for scenario in self.scenarios]}

    @classmethod
    def from_params(cls, params: object) -> Scenarios:
        """Raises MessageError."""
        fields = Fields(params, "scenarios")
        return cls(tuple(Scenario.from_params(each) for each in fields.array("scenarios")))


@dataclass(frozen=True, slots=True)
class SetScenario:
    """Page to backend: switch a scenario (`name` or `name:argument`) on or off."""

    scenario: str
    active: bool

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"scenario": self.scenario, "active": self.active}

    @classmethod
    def from_params(cls, params: object) -> SetScenario:
        """Raises MessageError."""
        fields = Fields(params, "scenario", "active")
        return cls(scenario=fields.text("scenario"), active=fields.flag("active"))


@dataclass(frozen=True, slots=True)
class Wheels:
    """The answer to `wheel.list`: the folder as a person knows it, "" for none, and its wheels."""

    folder: str
    wheels: tuple[str, ...]

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"folder": self.folder, "wheels": list(self.wheels)}

    @classmethod
    def from_params(cls, params: object) -> Wheels:
        """Raises MessageError."""
        fields = Fields(params, "folder", "wheels")
        names = [Fields({"name": name}, "name").text("name") for name in fields.array("wheels")]
        return cls(folder=fields.text("folder", empty=True), wheels=tuple(names))
