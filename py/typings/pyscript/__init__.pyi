"""The part of PyScript 0.7 that the debugging page touches (https://docs.pyscript.net)."""

from collections.abc import Callable
from typing import Any, TypeVar

_F = TypeVar("_F", bound=Callable[..., object])

document: Any
window: Any

def when(event_type: str, selector: str | object) -> Callable[[_F], _F]: ...
