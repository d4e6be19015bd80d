"""Is this computer ready, and does it reach the service? Names, TLS, proxy, clock."""

from __future__ import annotations

import asyncio
import ipaddress
import platform
import socket
import sys
import time
from importlib import metadata
from typing import Final
from urllib.parse import urlsplit

from voicepilot.backend.azure.http import Answer, Http, Unreached, find_proxy
from voicepilot.backend.azure.refusals import WRONG_CLOCK_S
from voicepilot.backend.doctor.report import Outcome, failed, ok, skipped, warned
from voicepilot.backend.failure import Failure
from voicepilot.protocol.problems import problem
from voicepilot.settings.endpoint import is_loopback

_OLDEST: Final = (3, 11)
_PACKAGES: Final = ("aiohttp", "azure-identity", "keyring", "platformdirs", "tomlkit")
_LATE_S: Final = 30.0
"""A clock this far off still works, and will not for long."""


async def check_python() -> Outcome:
    """Look at the interpreter and the packages of the backend."""
    here = f"Python {platform.python_version()} on {platform.platform(terse=True)}"
    if sys.version_info < _OLDEST:
        return failed(problem("python-outdated", detail=here))
    versions = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return failed(problem("packages-missing", detail=", ".join(missing)))
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    return ok(f"{here}, {found}.")


async def check_name(endpoint: str) -> Outcome:
    """Resolve the service's name, unless a proxy does."""
    host = urlsplit(endpoint).hostname or ""
    if _is_address(host):
        return skipped("It is an address already.")
    try:
        if await find_proxy(endpoint) is not None:
            return skipped("The proxy looks the name up.")
    except Failure as failure:
        return failed(failure.problem)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return failed(problem("host-unknown", host=host))
    addresses = sorted({str(each[4][0]) for each in found})
    return ok(f"{host} is {', '.join(addresses[:4])}.")


async def check_connection(http: Http, endpoint: str) -> tuple[Outcome, Answer | None]:
    """Open a connection and send a request that needs no credential; also return the answer."""
    began = time.monotonic()
    try:
        proxy = await find_proxy(endpoint)
        answer = await http.send("HEAD", f"{endpoint}/")
    except Unreached as error:
        return failed(error.failure.problem), None
    except Failure as failure:
        return failed(failure.problem), None
    way = f"through the proxy {_without_password(proxy)}" if proxy else "without a proxy"
    took = (time.monotonic() - began) * 1000
    secured = "Its certificate is trusted" if endpoint.startswith("https:") else "Not encrypted"
    if not endpoint.startswith("https:") and is_loopback(urlsplit(endpoint).hostname):
        secured = "On this computer"
    return ok(f"{secured}; it answers in {took:.0f} ms, {way}."), answer


async def check_clock(answer: Answer | None, now: float) -> Outcome:
    """Compare `now`, our Unix time, with the service's in its answer."""
    if answer is None or answer.date is None:
        return skipped("The service does not tell the time.")
    skew = now - answer.date
    if abs(skew) < _LATE_S:
        return ok(f"This computer's clock and the service's are within {_LATE_S:.0f} seconds.")
    found = problem("clock-off", seconds=round(abs(skew)))
    return failed(found) if abs(skew) > WRONG_CLOCK_S else warned(found)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _without_password(proxy: str) -> str:
    parts = urlsplit(proxy)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
