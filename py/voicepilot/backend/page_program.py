"""What do the programs that serve the page to a person at a terminal have in common?

A port that stays the same, an address that is printed and opened, an end by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import webbrowser
from typing import Final

from voicepilot.backend.page_server import listen
from voicepilot.settings.table import DEFAULTS

PREFERRED_PORT: Final = int(DEFAULTS["port"])
"""Used when free and no other is asked for, so that the browser remembers its microphone consent."""


class PortError(Exception):
    """The port cannot be used; the text says why and what to do."""


def page_listener(port: int | None) -> socket.socket:
    """A listening socket on `port`, which must be free; on None the preferred one or else any that is.

    Raises PortError.
    """
    if port is None:
        try:
            return listen(PREFERRED_PORT)
        except OSError:
            return listen(0)
    try:
        return listen(port)
    except OSError as error:
        raise PortError(
            # In brackets strerror repeats the address; the sentence has it already.
            f"Port {port} on 127.0.0.1 cannot be used ({(error.strerror or '').partition(' (')[0]}). "
            "End the program that has it, or choose another with --port."
        ) from error


def greet(url: str, how_to_begin: str) -> None:
    """Print the address of the page, and how to begin there."""
    print(  # noqa: T201 - what the person at the terminal reads
        f"VoicePilot is ready. Open this address in your browser (it opens one browser, once):\n\n"
        f"  {url}\n\n"
        f"{how_to_begin} Ctrl-C here ends everything.",
        flush=True,
    )


def farewell() -> None:
    """Say that the program has ended as it should."""
    print("VoicePilot has ended.", flush=True)  # noqa: T201


def open_in_browser(url: str) -> None:
    """Open the address where there is a desktop; without one, a text browser would take the terminal."""
    if sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    ):
        # A daemon, the one thing left to itself: a browser's launcher may return only when the
        # browser ends, and that must not hold up our end.
        threading.Thread(target=_open, args=(url,), daemon=True).start()


def _open(url: str) -> None:
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)
