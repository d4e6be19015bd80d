"""What is VoicePilot set to on this machine, where does each value come from, and how is one kept?

Reads the command line, the environment and the user's settings file (TOML), which `settings.layers` merges.
The file is `settings.toml` in the system's folder for a user's settings, or the one that `--settings` or
`VOICEPILOT_SETTINGS` names. A kept value is written into that file, whose comments and order stay; the
file is replaced in one step and only its owner can read it. Secrets are never in it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import platformdirs
import tomlkit
from tomlkit.exceptions import TOMLKitError

from voicepilot.backend import files
from voicepilot.backend.failure import Failure
from voicepilot.protocol.session_config import FunctionTool, SessionConfig
from voicepilot.settings import SettingError, Settings, SettingsError
from voicepilot.settings.layers import Effective, Layer, command_line, environment, merged, table
from voicepilot.settings.refusal import names_a_key
from voicepilot.settings.session import session_config

FILE_VARIABLE: Final = "VOICEPILOT_SETTINGS"
_LARGEST_FILE: Final = 256 * 1024
_HEADING: Final = "# VoicePilot's settings; docs/configuration.md tells what can be set.\n\n"
_BROKEN_AT: Final = re.compile(r"(.*) \(at line (\d+), column \d+\)")


class ConfigurationError(Exception):
    """The settings cannot be used; each line of the text is one sentence for the person who set them."""


class Configuration:
    """The settings in effect. What a page changes counts from then on, and is kept in the file.

    `file` is None where nothing is kept: the offline demo has settings for as long as it runs.
    """

    def __init__(
        self, layers: tuple[Layer, ...] = (), file: Path | None = None, folder: Path | None = None
    ) -> None:
        """Take what the places say, highest first. `folder` is where relative paths begin.

        Raises SettingsError.
        """
        self._layers = layers
        self._changed: Mapping[str, object] = {}
        self._effective = merged(*layers)
        self._folder = folder or Path.cwd()
        self.file: Final = file

    @classmethod
    def read(
        cls,
        options: Mapping[str, str | None],
        variables: Mapping[str, str],
        folder: Path,
        file: Path | None = None,
        names: Collection[str] | None = None,
    ) -> Configuration:
        """Read every place; `options` is the command line's text by setting's name, `file` its --settings.

        With `names` only these settings are read, and mistakes in others are nobody's concern. Raises
        ConfigurationError.
        """
        place, required = settings_file(variables, file)
        try:
            layers = (
                command_line(options),
                environment(variables),
                table(_read_table(place, required), f"file {place}"),
            )
            if names is not None:
                return cls(tuple(layer.only(names) for layer in layers), place, folder)
            return cls(layers, place, folder)
        except SettingsError as error:
            raise ConfigurationError(str(error)) from error

    @property
    def settings(self) -> Settings:
        """The settings that count now."""
        return self._effective.settings

    @property
    def places(self) -> Mapping[str, str]:
        """Where each value comes from, in words, by the setting's name."""
        return self._effective.places

    def session(self, tools: tuple[FunctionTool, ...]) -> SessionConfig:
        """The configuration of a call that begins now. Reads the instructions file. Raises Failure."""
        return session_config(self.instructed(), tools)

    def instructed(self, settings: Settings | None = None) -> Settings:
        """The settings with what the instructions file says among the instructions. Raises Failure.

        Without `settings` those that count now.
        """
        settings = settings or self.settings
        if not settings.instructions_file:
            return settings
        path = self._folder / Path(settings.instructions_file).expanduser()
        try:
            said = _read_text(path)
            if names_a_key(said):
                raise _UnfitError("seems to hold an API key")
            together = f"{settings.instructions}\n\n{said}".strip()
            return replace(settings, instructions=together)
        except _UnfitError as error:
            raise Failure("instructions-unfit", file=path, detail=error) from error
        except SettingError as error:
            raise Failure("instructions-unfit", file=path, detail="is too long") from error

    def changed(self, values: Mapping[str, object]) -> Settings:
        """The settings as `change` would make them, which stay as they are. Raises SettingsError."""
        return self._with(values)[1].settings

    def change(self, values: Mapping[str, object]) -> Settings:
        """Let these values count from now on, above every other place, and keep them in the file.

        All of them or none. Raises SettingsError for a value that cannot be, ConfigurationError where the
        file cannot be written.
        """
        changed, effective = self._with(values)
        if self.file is not None:
            _write_table(self.file, {name: changed.values[name] for name in values})
        self._changed, self._effective = changed.values, effective
        return effective.settings

    def _with(self, values: Mapping[str, object]) -> tuple[Layer, Effective]:
        place = f"file {self.file}" if self.file else "changed in the page"
        changed = table({**self._changed, **values}, place)
        return changed, merged(changed, *self._layers)


def settings_file(variables: Mapping[str, str], given: Path | None = None) -> tuple[Path, bool]:
    """Which file is the settings file, and whether there must be one because somebody named it."""
    named = variables.get(FILE_VARIABLE, "").strip()
    if given is not None:
        return given.expanduser().absolute(), True
    if named:
        return Path(named).expanduser().absolute(), True
    return platformdirs.user_config_path("voicepilot", appauthor=False) / "settings.toml", False


class _UnfitError(Exception):
    """Goes after the file's path in a sentence."""


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise _UnfitError("does not exist") from None
    except OSError as error:
        raise _UnfitError(f"cannot be read ({error.strerror})") from error
    if len(content) > _LARGEST_FILE:
        raise _UnfitError(f"is larger than {_LARGEST_FILE // 1024} KiB")
    try:
        return content.decode("utf-8-sig")  # some editors write the mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _UnfitError(f"is not UTF-8 text (line {line})") from None


def _read_table(file: Path, required: bool) -> dict[str, Any]:
    """The values of the settings file. Raises ConfigurationError."""
    if not required and not file.exists():
        return {}
    try:
        text = _read_text(file)
        return tomllib.loads(text)
    except _UnfitError as error:
        raise ConfigurationError(f"The settings file {file} {error}.") from error
    except tomllib.TOMLDecodeError as error:
        # The parser's words name what it expected, and never what stands there.
        found = _BROKEN_AT.match(str(error))
        reason = found[1] if found else str(error).partition(" (at end")[0]
        line = found[2] if found else len(text.splitlines()) or 1
        raise ConfigurationError(
            f"The settings file {file} cannot be understood in line {line}: {reason}. "
            'A line looks like deployment = "voice" or speed = 1.2.'
        ) from None


def _write_table(file: Path, values: Mapping[str, object]) -> None:
    """Put the values into the file and leave the rest of it as it is. Raises ConfigurationError."""
    target = file.resolve()  # a link into somebody's collection of settings stays a link
    try:
        document = tomlkit.parse(_read_text(target) if target.exists() else _HEADING)
        for name, value in values.items():
            lines = isinstance(value, str) and "\n" in value
            document[name] = tomlkit.string(str(value), multiline=True) if lines else value
        files.replace(target, tomlkit.dumps(document).encode())
    except _UnfitError as error:
        raise ConfigurationError(f"The settings file {file} {error}.") from error
    except TOMLKitError:
        raise ConfigurationError(
            f"The settings file {file} cannot be understood any more."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"The settings file {file} cannot be written ({error.strerror})."
        ) from error
