"""Which of several places decides each setting, and which place held a value that cannot be?

Highest first: command line, environment, settings file, defaults. Every mistake is told at once, each with
the place where it stands, so that nobody mends one only to meet the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from .refusal import SettingError, SettingsError
from .settings import Settings
from .table import DEFAULTS, TABLE, Value, setting

DEFAULT: Final = "default"
_SECRET_WORDS: Final = frozenset({"key", "apikey", "token", "secret", "password"})


@dataclass(frozen=True, slots=True)
class Layer:
    """What one kind of place says: the values found there, by name, and the place of each in words."""

    values: Mapping[str, Value]
    places: Mapping[str, str]
    errors: tuple[SettingError, ...] = ()


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings that count, and where each value comes from."""

    settings: Settings
    places: Mapping[str, str]


def command_line(options: Mapping[str, str | None]) -> Layer:
    """The values of options by setting; None is one that was not given."""
    given = {name: text for name, text in options.items() if text is not None}
    return _texts({name: (f"command line {setting(name).option}", given[name]) for name in given})


def environment(variables: Mapping[str, str]) -> Layer:
    """The values of the environment's variables; an empty variable is one that is not set."""
    found: dict[str, tuple[str, str]] = {}
    for each in TABLE:
        name = next((name for name in each.variables if variables.get(name, "").strip()), None)
        if name is not None:
            found[each.name] = (f"environment {name}", variables[name])
    return _texts(found)


def table(values: Mapping[str, object], place: str) -> Layer:
    """The values that a file or an editor holds, in their own types."""
    taken: dict[str, Value] = {}
    errors: list[SettingError] = []
    for name, value in values.items():
        try:
            _expect_no_secret(name)
            taken[name] = setting(name).taken(value)
        except SettingError as error:
            errors.append(error.at(place))
    return Layer(taken, dict.fromkeys(taken, place), tuple(errors))


def merged(*layers: Layer) -> Effective:
    """The settings of the layers, the highest first. Raises SettingsError with every mistake."""
    errors = [error for layer in layers for error in layer.errors]
    values: dict[str, Any] = {}
    places: dict[str, str] = dict.fromkeys(DEFAULTS, DEFAULT)
    for layer in reversed(layers):
        values.update(layer.values)
        places.update(layer.places)
    if not errors:
        try:
            return Effective(Settings(**values), MappingProxyType(places))
        except SettingError as error:  # each is possible, together they are not
            errors = [error]
    raise SettingsError(errors)


def _texts(found: Mapping[str, tuple[str, str]]) -> Layer:
    values: dict[str, Value] = {}
    errors: list[SettingError] = []
    for name, (place, text) in found.items():
        try:
            values[name] = setting(name).read(text)
        except SettingError as error:
            errors.append(error.at(place))
    return Layer(values, {name: found[name][0] for name in values}, tuple(errors))


def _expect_no_secret(name: str) -> None:
    if _SECRET_WORDS & set(name.lower().replace("-", "_").split("_")) and name not in DEFAULTS:
        raise SettingError(
            name,
            f"{name} is refused: a file is no place for a secret. Take it out, make a new one if others "
            "could read it, and put it into the environment as AZURE_OPENAI_API_KEY or, with voicepilot "
            "key set, into the system's keyring.",
        )
