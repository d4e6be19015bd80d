"""Which of several places decides each setting, and which place held a value that cannot be?

Highest first: command line, environment, settings file, defaults. Every mistake is told at once, each with
the place where it stands, so that nobody mends one only to meet the next. A mistake below a value that is
possible decides nothing and is not one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from .refusal import SettingError, SettingsError
from .settings import Settings
from .table import BY_NAME, DEFAULTS, PREFIX, TABLE, Value, nearest, setting, unknown

DEFAULT: Final = "default"
_NEARLY: Final = 0.75
"""How much of a variable's name must be a setting's to be a slip and no name of its own (0 to 1)."""

_GA_VOICES: Final = ("marin", "cedar")
_SECRET_WORDS: Final = frozenset({"key", "apikey", "token", "secret", "password"})


@dataclass(frozen=True, slots=True)
class Layer:
    """What one kind of place says: the values found there, by name, and the place of each in words."""

    values: Mapping[str, Value]
    places: Mapping[str, str]
    errors: tuple[SettingError, ...] = ()

    def only(self, names: Collection[str]) -> Layer:
        """What is said here about these settings, and nothing about any other."""
        return Layer(
            {name: value for name, value in self.values.items() if name in names},
            self.places,
            tuple(error for error in self.errors if error.name in names),
        )


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
    layer = _texts(found)
    return replace(layer, errors=(*layer.errors, *_misspelt(variables)))


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
    errors: list[SettingError] = []
    decided: set[str] = set()
    for layer in layers:
        errors += [error for error in layer.errors if error.name not in decided]
        decided |= layer.values.keys()
    values: dict[str, Any] = {}
    places: dict[str, str] = dict.fromkeys(DEFAULTS, DEFAULT)
    for layer in reversed(layers):
        values.update(layer.values)
        places.update(layer.places)
    if not errors:
        try:
            settings = Settings(**values)
            _expect_a_possible_voice(settings, places["voice"])
            return Effective(settings, MappingProxyType(places))
        except SettingError as error:  # each is possible, together they are not
            errors = [error]
    raise SettingsError(errors)


def _misspelt(variables: Mapping[str, str]) -> Iterator[SettingError]:
    """The refusals of variables that are nearly a setting's; other programs' may have our prefix too."""
    for variable in sorted(variables):
        name = variable.removeprefix(PREFIX).lower()
        ours = variable.startswith(PREFIX) and variables[variable].strip()
        if ours and name not in BY_NAME and nearest(name, _NEARLY):
            yield unknown(name).at(f"environment {variable}")


def _texts(found: Mapping[str, tuple[str, str]]) -> Layer:
    values: dict[str, Value] = {}
    errors: list[SettingError] = []
    for name, (place, text) in found.items():
        try:
            values[name] = setting(name).read(text)
        except SettingError as error:
            errors.append(error.at(place))
    return Layer(values, {name: found[name][0] for name in values}, tuple(errors))


def _expect_a_possible_voice(settings: Settings, place: str) -> None:
    """Refuse a voice that somebody chose and that would be another one; the default gives way silently."""
    if settings.dialect == "preview" and settings.voice in _GA_VOICES and place != DEFAULT:
        raise SettingError(
            "voice",
            f"voice {settings.voice} is unknown to dialect preview; alloy, for example, is known.",
            place,
        )


def _expect_no_secret(name: str) -> None:
    if _SECRET_WORDS & set(name.lower().replace("-", "_").split("_")) and name not in DEFAULTS:
        raise SettingError(
            name,
            f"{name} is refused: a file is no place for a secret. Take it out, make a new one if others "
            "could read it, and put it into the environment as AZURE_OPENAI_API_KEY or, with voicepilot "
            "key set, into the system's keyring.",
        )
