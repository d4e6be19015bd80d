"""How is JSON from a client read against what the protocol allows?

A shape reads one JSON value and returns it complete, or raises :class:`~.errors.Rejected` with the code the
real service uses and the path of the field at fault. Shapes are values: the tables in
:mod:`~.configuration` and :mod:`~.items` are built of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from voicepilot.emulator.errors import Rejected


class Shape(Protocol):
    """What a JSON value must look like."""

    def read(self, value: Any, path: str, old: Any = None) -> Any:
        """The value, checked; where it is an object that changes ``old``, merged into it.

        Raises:
            Rejected: the value does not have this shape. ``path`` names it to the client.
        """
        ...


def _invalid(path: str, value: Any, expected: str) -> Rejected:
    shown = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return Rejected(
        "invalid_value", f"Invalid value for '{path}': {shown}. Expected {expected}.", path
    )


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value, kept as it came."""

    def read(self, value: Any, path: str, old: Any = None) -> Any:
        """See :class:`Shape`."""
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """A string of at most ``longest`` characters."""

    longest: int | None = None

    def read(self, value: Any, path: str, old: Any = None) -> str:
        """See :class:`Shape`."""
        if not isinstance(value, str):
            raise _invalid(path, value, "a string")
        if self.longest is not None and len(value) > self.longest:
            raise Rejected(
                "string_above_max_length",
                f"Invalid '{path}': string too long. Expected at most {self.longest} characters, "
                f"but got {len(value)}.",
                path,
            )
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: Any, path: str, old: Any = None) -> bool:
        """See :class:`Shape`."""
        if not isinstance(value, bool):
            raise _invalid(path, value, "a boolean")
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number within both limits; ``whole`` for integers only."""

    least: float
    most: float
    whole: bool = False

    def read(self, value: Any, path: str, old: Any = None) -> float:
        """See :class:`Shape`."""
        kinds = int if self.whole else (int, float)
        kind = "an integer" if self.whole else "a number"
        # JSON allows neither NaN nor truth values as numbers; Python's parser and types allow both.
        if isinstance(value, bool) or not isinstance(value, kinds) or value != value:
            raise _invalid(path, value, kind)
        if not self.least <= value <= self.most:
            raise _invalid(path, value, f"{kind} between {self.least:g} and {self.most:g}")
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these strings."""

    options: tuple[str, ...]

    def read(self, value: Any, path: str, old: Any = None) -> str:
        """See :class:`Shape`."""
        if not isinstance(value, str) or value not in self.options:
            named = ", ".join(f"'{option}'" for option in self.options)
            shown = repr(value) if isinstance(value, str | int | float) else type(value).__name__
            raise Rejected(
                "invalid_value", f"Invalid value: {shown}. Supported values are: {named}.", path
            )
        return value


@dataclass(frozen=True, slots=True)
class Nullable:
    """Null, or the inner shape."""

    inner: Shape

    def read(self, value: Any, path: str, old: Any = None) -> Any:
        """See :class:`Shape`."""
        return None if value is None else self.inner.read(value, path, old)


@dataclass(frozen=True, slots=True)
class Either:
    """A value that any of the shapes reads; the last one words the refusal."""

    shapes: tuple[Shape, ...]

    def read(self, value: Any, path: str, old: Any = None) -> Any:
        """See :class:`Shape`."""
        for shape in self.shapes[:-1]:
            try:
                return shape.read(value, path)
            except Rejected:
                continue
        return self.shapes[-1].read(value, path)


@dataclass(frozen=True, slots=True)
class Items:
    """An array of values of one shape."""

    inner: Shape
    least: int = 0

    def read(self, value: Any, path: str, old: Any = None) -> list[Any]:
        """See :class:`Shape`."""
        if not isinstance(value, list):
            raise _invalid(path, value, "an array")
        if len(value) < self.least:
            raise _invalid(path, value, f"an array of at least {self.least}")
        return [self.inner.read(entry, f"{path}[{index}]") for index, entry in enumerate(value)]


@dataclass(frozen=True, slots=True)
class Record:
    """An object with these fields and no others.

    Fields that are left out keep the value of ``old``; where there is none, they take their default,
    or stay out if they have no default.
    """

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] | None = None

    def read(self, value: Any, path: str, old: Any = None) -> dict[str, Any]:
        """See :class:`Shape`."""
        if not isinstance(value, dict):
            raise _invalid(path, value, "an object")
        for name in self.required:
            if name not in value:
                where = f"{path}.{name}" if path else name
                raise Rejected(
                    "missing_required_parameter", f"Missing required parameter: '{where}'.", where
                )
        result = {**(self.defaults or {}), **(old if isinstance(old, dict) else {})}
        for name, given in value.items():
            where = f"{path}.{name}" if path else name
            shape = self.fields.get(name)
            if shape is None:
                raise Rejected("unknown_parameter", f"Unknown parameter: '{where}'.", where)
            result[name] = shape.read(given, where, result.get(name))
        return result


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object whose ``tag`` field tells which shape it has. Merged only into one of the same kind."""

    records: Mapping[str, Shape]
    tag: str = "type"

    def read(self, value: Any, path: str, old: Any = None) -> dict[str, Any]:
        """See :class:`Shape`."""
        if not isinstance(value, dict):
            raise _invalid(path, value, "an object")
        where = f"{path}.{self.tag}" if path else self.tag
        if self.tag not in value:
            raise Rejected(
                "missing_required_parameter", f"Missing required parameter: '{where}'.", where
            )
        kind = Choice(tuple(self.records)).read(value[self.tag], where)
        same = isinstance(old, dict) and old.get(self.tag) == kind
        result: dict[str, Any] = self.records[kind].read(value, path, old if same else None)
        return result
