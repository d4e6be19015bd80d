"""Which parts of PyScript does the debugging page use? The only module that imports `pyscript`."""

from __future__ import annotations

from pyscript import document, when, window

__all__ = ["document", "ready", "when"]


def ready() -> None:
    """Tell `webview/debug.mjs` that Python has taken the page over."""
    window.voicepilotReady()
