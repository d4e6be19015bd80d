"""How does a request reach the service, and what can keep it from arriving?

One HTTP session whose connections stay warm. Every answer comes back as an `Answer`, whatever its status;
what never became an answer is raised as `Unreached`, already sorted into the catalogue's problems.

A proxy is taken from the environment or the system (`HTTPS_PROXY`, `NO_PROXY`), never for this machine
itself. Certificates are judged by the system's authorities (`SSL_CERT_FILE` adds one).
"""

from __future__ import annotations

import ipaddress
import json
import logging
import math
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from voicepilot.backend.azure.retries import Trouble
from voicepilot.backend.azure.witness import Exchange, Witness
from voicepilot.backend.failure import Failure
from voicepilot.bridge.messages import MAX_SDP
from voicepilot.protocol.json_text import parse_json

_log = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 15.0
"""How long one request may take; the page gives up opening a call after 20."""

_CONNECT_WITHIN_S: Final = 5.0
_KEEP_OPEN_S: Final = 240.0
"""How long an unused connection stays warm between calls; a TLS handshake costs a round trip or two."""
_LONGEST_BODY: Final = MAX_SDP
_NOT_YET_VALID, _EXPIRED = 9, 10
"""What OpenSSL says of a certificate outside its time (`X509_V_ERR_CERT_NOT_YET_VALID`, `_HAS_EXPIRED`)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Times in seconds; None where a header has no number.

    `date` is the service's clock when it answered, Unix time.
    """

    status: int
    body: bytes
    location: str = ""
    wait_s: float | None = None
    date: float | None = None

    @property
    def good(self) -> bool:
        """Whether the service did what was asked."""
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """The body's JSON object, an empty one where it is none."""
        try:
            value = parse_json(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def error(self) -> dict[str, Any]:
        """The error in an error body, with or without the outer `error`."""
        outer = self.json()
        inner = outer.get("error")
        return inner if isinstance(inner, dict) else outer

    @property
    def trouble(self) -> Trouble:
        """What it means for another try."""
        return Trouble(self.status, self.wait_s)


class Unreached(Exception):  # noqa: N818 - a state of the network, not a fault of the program
    """No answer came. `failure` is what a person is told, `trouble` what it means for another try."""

    def __init__(self, failure: Failure, trouble: Trouble | None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.trouble = trouble
        """None: another try would go the same way."""


class Http:
    """An async context manager that owns its connections."""

    def __init__(
        self, answer_within_s: float = ANSWER_WITHIN_S, *, witness: Witness | None = None
    ) -> None:
        self._answer_within_s = answer_within_s
        self._witness = witness
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Http:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._answer_within_s, connect=_CONNECT_WITHIN_S),
            connector=aiohttp.TCPConnector(
                keepalive_timeout=_KEEP_OPEN_S, ssl=ssl.create_default_context()
            ),
            # A credential goes to the configured host and nowhere else, and needs no cookies.
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Send one request; redirects are not followed. Raises Unreached."""
        if self._session is None:
            raise RuntimeError("requests are sent outside the context")
        parts = urlsplit(url)
        asked_at = time.monotonic()

        def tell(status: int | None, received: Mapping[str, str], reply: bytes, why: str) -> None:
            if self._witness is not None:
                path = urlunsplit(("", "", parts.path, parts.query, ""))
                now = time.monotonic()
                sent = dict(headers or {})
                self._witness.exchanged(
                    Exchange(method, path, asked_at, now, sent, body, status, received, reply, why)
                )

        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body or None,
                allow_redirects=False,
                proxy=proxy_for(url),
            ) as response:
                content = await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("%s %s: %s", method, parts.path, type(error).__name__)
            tell(None, {}, b"", type(error).__name__)
            raise _unreached(error, url, self._answer_within_s) from error
        if response.status >= 300 and method != "HEAD":  # which only opens a connection
            _log.warning("%s %s: status %d", method, parts.path, response.status)
        tell(response.status, dict(response.headers), content, "")
        return Answer(
            response.status,
            content,
            response.headers.get("Location", ""),
            _seconds_to_wait(response.headers),
            _unix_time(response.headers.get("Date", "")),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one POST request. Raises Unreached."""
        return await self.send("POST", url, headers, body)


def json_body(value: Mapping[str, Any]) -> bytes:
    """Return a request's JSON body. `null` stays: it is how turn detection is switched off."""
    return json.dumps(value, ensure_ascii=False).encode()


def is_loopback(host: str | None) -> bool:
    """Whether a host's name or address is this machine's."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """Return the proxy through which requests to `url` go, None for none.

    From `HTTPS_PROXY` and its like, on Windows and macOS else from the system's settings.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if not host or is_loopback(host) or proxy_bypass(host):
        return None
    scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _unreached(error: Exception, url: str, patience_s: float) -> Unreached:
    """Sort what kept a request from being answered; what was not sent whole had no effect."""
    again = Trouble()
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=reason):
            return Unreached(_untrusted(reason), None)
        case aiohttp.ClientSSLError():
            return Unreached(Failure("connection-untrusted", detail="(TLS failed)"), None)
        case aiohttp.ClientHttpProxyError(status=status):
            return Unreached(Failure("proxy-refused", detail=f"(status {status})"), None)
        case aiohttp.ClientProxyConnectionError():
            return Unreached(Failure("proxy-refused", detail="(it does not answer)"), again)
        case aiohttp.ClientConnectorDNSError():
            host = Failure("host-unknown", host=urlsplit(url).hostname)
            passing = _errno(error) == socket.EAI_AGAIN
            return Unreached(host, again if passing else None)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return Unreached(Failure("service-unreachable"), None)
        case (
            aiohttp.ClientConnectorError()
            | aiohttp.ConnectionTimeoutError()
            | aiohttp.ClientConnectionResetError()  # found closed while it was written
        ):
            return Unreached(Failure("service-unreachable"), again)
        case TimeoutError():
            # Nobody waits for that long once more.
            return Unreached(Failure("service-slow", seconds=math.ceil(patience_s)), None)
    return Unreached(Failure("service-unreachable"), Trouble(may_have_acted=True))


def _untrusted(reason: Exception) -> Failure:
    code = getattr(reason, "verify_code", None) if isinstance(reason, ssl.SSLError) else None
    if code in (_NOT_YET_VALID, _EXPIRED):
        return Failure("certificate-outdated")
    said = str(getattr(reason, "verify_message", "")).strip()
    return Failure("connection-untrusted", detail=f"({said or 'unknown certificate'})")


def _errno(error: aiohttp.ClientConnectorError) -> int | None:
    return error.os_error.errno


def _seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """What `retry-after-ms` (Azure's) or `retry-after` asks for; None where neither has a number."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        text = headers.get(name, "")
        if text.isascii() and text.isdigit() and len(text) <= 7:
            return int(text) / per_second
    return None


def _unix_time(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, as far as a sane one reaches."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > _LONGEST_BODY:
            response.close()
            return b""
    return bytes(content)
