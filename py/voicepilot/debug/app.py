"""What is the debugging page made of? For now, of the interpreter's start."""

from voicepilot.debug import browser


def start() -> None:
    """Tell the loader that Python is here."""
    browser.ready()
