"""How one field of foreign JSON is read: whatever came, the result has the declared type.

The service, its proxies and its versions differ, so reading never refuses: a value of another type
becomes the field's neutral value. Each function makes a dataclass field that carries its own reader;
`read_fields` applies them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from functools import cache
from math import isfinite
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object as `json.loads` gives it."""

_READER = "read"
_LARGEST = 2**53
"""Numbers beyond it are garbage, and so large that sums and texts of them would fail."""


def as_text(value: object) -> str:
    """Return `value` if it is a text, else the empty one."""
    return value if isinstance(value, str) else ""


def as_text_or_none(value: object) -> str | None:
    """Return `value` if it is a text, else None."""
    return value if isinstance(value, str) else None


def as_int_or_none(value: object) -> int | None:
    """Return `value` as a whole number, None for anything that is none or beyond all measure."""
    if isinstance(value, float) and isfinite(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
        return None
    return value


def as_int(value: object) -> int:
    """Return `value` as a whole number, 0 for anything that is none."""
    return as_int_or_none(value) or 0


def as_seconds(value: object) -> float:
    """Return `value` as a number with fractions, 0.0 for anything that is none."""
    if isinstance(value, float):
        return value if isfinite(value) else 0.0
    return float(as_int(value))


def as_object(value: object) -> Json:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> tuple[Json, ...]:
    """Return the JSON objects in the list `value`."""
    return tuple(v for v in value if isinstance(v, dict)) if isinstance(value, list) else ()


def read_with(reader: Callable[[object], Any]) -> Any:
    """Declare a dataclass field that is read by `reader`, which must accept None."""
    return field(default_factory=lambda: reader(None), metadata={_READER: reader})


def text() -> Any:
    """Declare a text field, "" where it is missing."""
    return field(default="", metadata={_READER: as_text})


def text_or_none() -> Any:
    """Declare a text field, None where it is missing."""
    return field(default=None, metadata={_READER: as_text_or_none})


def whole_number() -> Any:
    """Declare an integer field, 0 where it is missing."""
    return field(default=0, metadata={_READER: as_int})


def seconds() -> Any:
    """Declare a field of seconds with fractions, 0.0 where it is missing."""
    return field(default=0.0, metadata={_READER: as_seconds})


def json_object() -> Any:
    """Declare a field that holds a JSON object, empty where it is missing."""
    return field(default_factory=dict, metadata={_READER: as_object})


def json_objects() -> Any:
    """Declare a field that holds a list of JSON objects, empty where it is missing."""
    return field(default=(), metadata={_READER: as_objects})


@cache
def _readers_of(cls: type) -> tuple[tuple[str, Callable[[object], Any]], ...]:
    return tuple((f.name, f.metadata[_READER]) for f in fields(cls) if _READER in f.metadata)


def read_fields(cls: type, raw: Mapping[str, object]) -> Json:
    """Return the keyword arguments for dataclass `cls` found in `raw`; what `raw` lacks is left out."""
    return {name: read(raw[name]) for name, read in _readers_of(cls) if name in raw}
