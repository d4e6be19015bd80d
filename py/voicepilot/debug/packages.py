"""How does a developer's wheel get into the running page? The only module that imports `micropip`."""

from __future__ import annotations

import importlib
from importlib import metadata

import micropip

from voicepilot.debug import browser


class InstallError(Exception):
    """A wheel that cannot be installed; the text is a sentence for the developer."""


async def install(wheel: str) -> list[str]:
    """Install the wheel of this name from the backend's folder; the names that can be imported then.

    What it depends on must be there already: nothing is fetched from elsewhere. Raises InstallError.
    """
    try:
        await micropip.install(browser.address_of(f"/wheels/{wheel}"))
    except Exception as error:  # whatever micropip meets in a foreign file
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise InstallError(f"It was not installed: {reason or type(error).__name__}.") from error
    importlib.invalidate_caches()
    distribution = wheel.split("-")[0]
    files = metadata.files(distribution) or []
    tops = {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py"}
    return sorted(top for top in tops if top.isidentifier())
