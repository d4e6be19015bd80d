"""What do the page's settings drawer and the backend say to each other?

The schema of its methods, in the manner of `messages`.

| direction | method | params | result |
|---|---|---|---|
| page to backend | `settings.get` | `{}` | `{settings: [...], update: null}` |
| page to backend | `settings.set` | `{name, value}` | `{settings: [...], update}` |

A value that cannot be is refused with the problem `setting-refused`, and nothing has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from voicepilot.bridge.messages import Fields, MessageError

SETTINGS_GET: Final = "settings.get"
SETTINGS_SET: Final = "settings.set"

Value: TypeAlias = str | bool | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInfo:
    """A setting as the drawer shows it: a row of the backend's table, its value, and where that is from.

    `kind` is text, choice, number, whole or flag; `applies` is now or next-call; `least`, `most` and `step`
    are in `unit`s, for a text `most` is its length.
    """

    name: str
    label: str
    description: str
    kind: str
    value: Value
    choices: tuple[str, ...]
    least: float | None
    most: float | None
    step: float | None
    unit: str
    applies: str
    source: str

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {
            "name": self.name,
            "label": self.label,
            "description": self.description,
            "kind": self.kind,
            "value": self.value,
            "choices": list(self.choices),
            "least": self.least,
            "most": self.most,
            "step": self.step,
            "unit": self.unit,
            "applies": self.applies,
            "source": self.source,
        }

    @classmethod
    def from_params(cls, params: object) -> SettingInfo:
        """Raises MessageError."""
        names = (
            "name",
            "label",
            "description",
            "kind",
            "value",
            "choices",
            "least",
            "most",
            "step",
        )
        fields = Fields(params, *names, "unit", "applies", "source")
        choices = [Fields({"choice": each}, "choice") for each in fields.array("choices")]
        return cls(
            name=fields.text("name"),
            label=fields.text("label"),
            description=fields.text("description"),
            kind=fields.text("kind"),
            value=_value(fields),
            choices=tuple(each.text("choice") for each in choices),
            least=_number_or_none(fields, "least"),
            most=_number_or_none(fields, "most"),
            step=_number_or_none(fields, "step"),
            unit=fields.text("unit", empty=True),
            applies=fields.text("applies"),
            source=fields.text("source"),
        )


@dataclass(frozen=True, slots=True)
class SettingsShown:
    """The answer to both methods: the settings as they are now.

    `update` is the session of a `session.update` (GA names) that takes a running call along, None where it
    has nothing to take.
    """

    settings: tuple[SettingInfo, ...]
    update: dict[str, object] | None = None

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"settings": [each.to_params() for each in self.settings], "update": self.update}

    @classmethod
    def from_params(cls, params: object) -> SettingsShown:
        """Raises MessageError."""
        fields = Fields(params, "settings", "update")
        return cls(
            settings=tuple(SettingInfo.from_params(each) for each in fields.array("settings")),
            update=None if fields.anything("update") is None else fields.mapping("update"),
        )


@dataclass(frozen=True, slots=True)
class SetSetting:
    """Page to backend: let this setting have this value from now on."""

    name: str
    value: Value

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"name": self.name, "value": self.value}

    @classmethod
    def from_params(cls, params: object) -> SetSetting:
        """Raises MessageError."""
        fields = Fields(params, "name", "value")
        return cls(name=fields.text("name"), value=_value(fields))


def _value(fields: Fields) -> Value:
    value = fields.anything("value")
    if not isinstance(value, (str, bool, int, float)):
        raise MessageError("value", "is neither text nor a number nor true or false")
    return value


def _number_or_none(fields: Fields, name: str) -> float | None:
    value = fields.anything(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MessageError(name, "is not a number")
    return value
