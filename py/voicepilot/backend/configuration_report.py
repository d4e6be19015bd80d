"""How does a person read at a terminal, or a program, what is set and where it comes from?

Secrets are not in it: of an API key only where it would be taken from, as with the sign-in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from voicepilot.backend.azure.api_key import VARIABLE, Keyring, find_key
from voicepilot.backend.configuration import Configuration
from voicepilot.backend.failure import Failure
from voicepilot.settings import Value, setting
from voicepilot.settings.refusal import masked

_PLACES: Final = {
    "the environment": f"environment {VARIABLE}",
    "the keyring": "the system's keyring",
}
_WIDEST: Final = 48


async def report(
    configuration: Configuration, variables: Mapping[str, str], keyring: Keyring | None = None
) -> dict[str, Any]:
    """The effective settings, each with its place, and where an API key would come from."""
    places = configuration.places
    file = configuration.file
    return {
        "file": {"path": str(file), "exists": file is not None and file.exists()},
        "settings": {
            name: {"value": _without_keys(name, value), "from": places[name]}
            for name, value in configuration.settings.values().items()
        },
        "api_key": await _key(configuration, variables, keyring),
    }


def lines(shown: dict[str, Any]) -> Iterator[str]:
    """The report as a table."""
    exists = "" if shown["file"]["exists"] else "  (does not exist yet)"
    yield f"Settings file: {shown['file']['path']}{exists}"
    yield ""
    for name, each in shown["settings"].items():
        yield f"{name:<26} {_in_short(each['value']):<{_WIDEST}} {each['from']}"
    key = shown["api_key"]
    words = key["problem"] or ("set, not shown" if key["from"] else "none")
    yield f"{'API key':<26} {words:<{_WIDEST}} {key['from']}".rstrip()


async def _key(
    configuration: Configuration, variables: Mapping[str, str], keyring: Keyring | None
) -> dict[str, str]:
    settings = configuration.settings
    if settings.credential not in ("auto", "api-key"):
        return {"from": "", "problem": f"not used: credential is {settings.credential}"}
    try:
        key = await find_key(urlsplit(settings.endpoint).netloc, variables, keyring=keyring)
    except Failure as failure:
        return {"from": "", "problem": failure.problem.says}
    return {"from": _PLACES.get(key.place, key.place) if key else "", "problem": ""}


def _without_keys(name: str, value: Value) -> Value:
    """The value; a key in a text that can be anything is not shown."""
    row = setting(name)
    free = row.kind == "text" and not row.pattern
    return masked(str(value)) if free else value


def _in_short(value: object) -> str:
    if value == "":
        return "-"
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
