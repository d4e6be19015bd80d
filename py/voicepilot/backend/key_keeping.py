"""What does `voicepilot key set | delete | status` do?

It keeps the API key of the resource that is set in the system's keyring. The key comes from a prompt that
does not show it, or from standard input; it is never an argument, which every process can read, and never
printed.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
import warnings
from collections.abc import Mapping
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from voicepilot.backend.azure.api_key import VARIABLE, ApiKey, Keyring, find_key
from voicepilot.backend.failure import Failure
from voicepilot.settings import Settings

Deed: TypeAlias = Literal["set", "delete", "status"]


def run(deed: Deed, settings: Settings, variables: Mapping[str, str]) -> int:
    """Do it for the endpoint that is set; the process's exit code.

    0: done, or there is a key; 1: there is none; 2: it cannot be done, said on standard error.
    """
    host = urlsplit(settings.endpoint).netloc
    if not host:
        return _sorry("Whose key? Name the resource with --endpoint https://NAME.openai.azure.com.")
    try:
        match deed:
            case "set":
                return _set(host)
            case "delete":
                return _delete(host)
            case "status":
                return _status(host, settings, variables)
    except Failure as failure:
        return _sorry(failure.problem.says, failure.problem.next_step)


def _set(host: str) -> int:
    key = ApiKey.read(_asked_for(host), "the input")
    asyncio.run(Keyring().set(host, key))
    _say(f"The keyring has the key for {host} now.")
    return 0


def _delete(host: str) -> int:
    there_was = asyncio.run(Keyring().delete(host))
    _say(f"The keyring has no key for {host}{' any more' if there_was else ''}.")
    return 0


def _status(host: str, settings: Settings, variables: Mapping[str, str]) -> int:
    key = asyncio.run(find_key(host, variables))
    if key is None:
        _say(f"There is no key for {host}.")
        return 1
    place = f"The environment, in {VARIABLE}," if key.place == "the environment" else "The keyring"
    used = settings.credential in ("auto", "api-key")
    unused = "" if used else f"; it is not used, since credential is {settings.credential}"
    _say(f"{place} has a key for {host}{unused}.")
    return 0


def _asked_for(host: str) -> str:
    """What is typed in unseen, or the first line that another program pipes in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    with warnings.catch_warnings():
        # A terminal that cannot hide what is typed would show the key.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"API key of {host} (not shown): ")
        except (getpass.GetPassWarning, EOFError):
            return ""


def _say(sentence: str) -> None:
    print(sentence)  # noqa: T201 - what the person at the terminal reads


def _sorry(*sentences: str) -> int:
    print(*sentences, sep="\n", file=sys.stderr)  # noqa: T201
    return 2
