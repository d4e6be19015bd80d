"""What does the debugging page take from PyScript? The only module that imports `pyscript`.

Handlers made with `when` and the elements found here live as long as the page: nothing of it ends
earlier. What ends earlier (the call's parts) is made and ended by `voicepilot.page`, as on the call page.
"""

from __future__ import annotations

import time
from typing import Any, Final

from pyscript import document, when, window

__all__ = [
    "address_of",
    "boot",
    "element",
    "find",
    "now",
    "ready",
    "started_without",
    "svg",
    "when",
]

_SVG: Final = "http://www.w3.org/2000/svg"


def ready() -> None:
    """Tell `webview/debug.mjs` that Python has taken the page over."""
    window.voicepilotReady()


def boot() -> str:
    """The JSON that the build put into the page."""
    return str(find("boot").textContent)


def started_without() -> str:
    """Why Python started without its memory; empty where it did not (`webview/interpreter.mjs`)."""
    return str(find("boot").dataset.without or "")


def find(element_id: str) -> Any:
    """The element of debug.html with this id. Raises LookupError where there is none."""
    found = document.querySelector(f"#{element_id}")
    if not found:  # JavaScript's null is false too
        raise LookupError(f"debug.html has no element with the id {element_id}")
    return found


def element(tag: str, style_class: str = "", text: str = "", **properties: object) -> Any:
    """A new element that is nowhere in the page yet."""
    made = document.createElement(tag)
    if style_class:
        made.className = style_class
    if text:
        made.textContent = text
    for name, value in properties.items():
        setattr(made, name, value)
    return made


def svg(tag: str, **attributes: str) -> Any:
    """A new SVG element; an underscore in an attribute's name stands for a hyphen."""
    made = document.createElementNS(_SVG, tag)
    for name, value in attributes.items():
        made.setAttribute(name.replace("_", "-"), value)
    return made


def address_of(path: str) -> str:
    """The whole address of a path on the server that the page came from."""
    return f"{window.location.origin}{path}"


def now() -> float:
    """The page's monotonic clock, in seconds: the one that the call runs by."""
    return time.monotonic()
