"""Which microphones can the person choose from, and is the one in use still the one they mean?

Chromium lists the system's default microphone twice: as itself, and under the id `default`. A track
opened by `default` stays with the device that was the default then, and does not end when the default
moves elsewhere; only the list tells. So the choice "System default" is watched through its group.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DEFAULT: Final = ""
"""The id of the choice "System default"."""

_ALIASES: Final = frozenset({"", "default", "communications"})


@dataclass(frozen=True, slots=True)
class Device:
    """One entry of `enumerateDevices`. Id and label are empty until the microphone is allowed."""

    id: str
    group: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the picker."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Microphones:
    """The microphones that the browser lists at one moment."""

    choices: tuple[Choice, ...] = (Choice(DEFAULT, "System default"),)
    default_group: str | None = None

    @classmethod
    def among(cls, devices: Iterable[Device]) -> Microphones:
        """Read the browser's list: the default first, then each device once, in the browser's order."""
        inputs = [device for device in devices if device.kind == "audioinput"]
        default = next((device for device in inputs if device.id == "default"), None)
        named = [device for device in inputs if device.id not in _ALIASES]
        first = Choice(DEFAULT, _default_label(default))
        others = (
            Choice(device.id, device.label or f"Microphone {number}")
            for number, device in enumerate(named, 1)
        )
        return cls((first, *others), default.group if default else None)

    def offers(self, choice: str) -> bool:
        """Whether this choice can be made now."""
        return any(choice == offered.id for offered in self.choices)

    def default_moved_since(self, earlier: Microphones) -> bool:
        """Whether the system default is another device now."""
        return (
            earlier.default_group is not None
            and self.default_group is not None
            and earlier.default_group != self.default_group
        )


def _default_label(default: Device | None) -> str:
    if default is None or not default.label:
        return "System default"
    # Chromium writes "Default - NAME" in the person's language; the name is after the first dash.
    _, dash, name = default.label.partition(" - ")
    return f"System default ({name if dash else default.label})"
