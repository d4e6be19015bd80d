# ruff: noqa: N818 (Pyodide spells this name)
"""The part of `pyodide.ffi` (Pyodide 314) that the seam touches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

class JsProxy:
    """Any JavaScript object seen from Python, or a Python object made ready for JavaScript."""

    def destroy(self) -> None: ...

class JsNull: ...

jsnull: JsNull

class JsException(Exception):
    name: str
    message: str

def create_proxy(target: Callable[..., Any], /) -> JsProxy: ...
def to_js(
    value: Mapping[str, Any] | Sequence[Any], /, *, dict_converter: Callable[..., Any] = ...
) -> JsProxy: ...
