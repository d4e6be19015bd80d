"""How does a request reach the service, and what can keep it from arriving?

One HTTP session whose connections stay warm. Every answer comes back as an `Answer`, whatever its status;
what never became an answer is raised as `Unreached`, already sorted into the catalogue's problems.

A proxy is taken from the environment or the system (`HTTPS_PROXY`, `NO_PROXY`), never for this machine
itself. Certificates are judged by the system's authorities (`SSL_CERT_FILE` adds one).

A connection that was kept may be dead without a sign, after the computer slept or changed its network. One
that does not answer soon is given up together with all that are kept, and the request is sent once more
over a new one. Before a request that must not be sent twice, a connection long unused is tried first.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import socket
import ssl
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from voicepilot.backend.azure.own_thread import in_own_thread
from voicepilot.backend.azure.retries import Trouble
from voicepilot.backend.azure.witness import Exchange, Witness
from voicepilot.backend.failure import Failure
from voicepilot.bridge.messages import MAX_SDP
from voicepilot.protocol.json_text import parse_json
from voicepilot.settings.endpoint import is_loopback

_log = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 15.0
"""How long one request may take; the page gives up opening a call after 20."""

CONNECT_WITHIN_S: Final = 5.0
_KEPT_ANSWERS_WITHIN_S: Final = 3.0
"""A connection that was kept and is silent for so long is taken for dead."""
_TRUSTED_S: Final = 30.0
"""For so long after an answer a connection is taken for alive; on the clock that goes on in sleep."""
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
        self,
        answer_within_s: float = ANSWER_WITHIN_S,
        *,
        witness: Witness | None = None,
        kept_answers_within_s: float = _KEPT_ANSWERS_WITHIN_S,
    ) -> None:
        self._answer_within_s = answer_within_s
        self._witness = witness
        self._kept_answers_within_s = kept_answers_within_s
        self._owned = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None
        self._answered_at: dict[str, float] = {}

    async def __aenter__(self) -> Http:
        await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._session = None
        await self._owned.aclose()

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        harmless: bool = False,
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> Answer:
        """Send one request; redirects are not followed. Raises Unreached.

        `harmless` says that doing it twice does no harm, as is true of GET and HEAD.
        """
        harmless = harmless or method in ("GET", "HEAD")
        request = _Request(method, url, headers or {}, body, connect_within_s)
        now = time.time()
        unused_s = now - self._answered_at.get(urlsplit(url).netloc, now)
        if not harmless and not 0 <= unused_s < _TRUSTED_S:
            with suppress(Unreached):  # the request itself tells
                await self.touch(url)
        try:
            return await self._send(request, self._kept_answers_within_s if harmless else None)
        except _SilentError as silent:
            if self._session is silent.session:
                await self._begin()
            return await self._send(request, None)

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        harmless: bool = False,
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> Answer:
        """Send one POST request; see `send`. Raises Unreached."""
        return await self.send(
            *("POST", url, headers, body), harmless=harmless, connect_within_s=connect_within_s
        )

    async def touch(self, url: str) -> None:
        """Have an open connection to this host. Raises Unreached.

        It is asked for nothing, without a credential. By GET, since a server that leaves out the length in
        its answer to HEAD makes aiohttp close the connection.
        """
        parts = urlsplit(url)
        await self.send("GET", f"{parts.scheme}://{parts.netloc}/")

    async def _begin(self) -> None:
        """Use new connections from now on; what is still under way on the old ones goes on."""
        traces = aiohttp.TraceConfig()
        traces.on_connection_reuseconn.append(_limit_the_wait)
        session = client_session(trace_configs=[traces])
        self._session = await self._owned.enter_async_context(session)

    async def _send(self, request: _Request, kept_answers_within_s: float | None) -> Answer:
        """Send it; raises _SilentError for a kept connection without an answer in that time."""
        session = self._session
        if session is None:
            raise RuntimeError("requests are sent outside the context")
        parts = urlsplit(request.url)
        asked_at = time.monotonic()

        def tell(status: int | None, received: Mapping[str, str], reply: bytes, why: str) -> None:
            if self._witness is not None:
                path = urlunsplit(("", "", parts.path, parts.query, ""))
                now = time.monotonic()
                sent, body = dict(request.headers), request.body
                self._witness.exchanged(
                    Exchange(
                        *(request.method, path, asked_at, now, sent, body),
                        *(status, received, reply, why),
                    )
                )

        limit = asyncio.timeout(None)
        try:
            proxy = await find_proxy(request.url)
            async with (
                limit,
                session.request(
                    request.method,
                    request.url,
                    headers=request.headers,
                    data=request.body or None,
                    allow_redirects=False,
                    proxy=proxy,
                    timeout=aiohttp.ClientTimeout(
                        total=self._answer_within_s, connect=request.connect_within_s
                    ),
                    trace_request_ctx=(limit, kept_answers_within_s),
                ) as response,
            ):
                limit.reschedule(None)
                content = await _read(response)
        except Failure as failure:  # of the proxy's setting
            raise Unreached(failure, None) from failure
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("%s %s: %s", request.method, parts.path, type(error).__name__)
            tell(None, {}, b"", type(error).__name__)
            if limit.expired():
                raise _SilentError(session) from error
            raise unreached(error, request.url, self._answer_within_s) from error
        self._answered_at[parts.netloc] = time.time()
        if response.status >= 300 and (request.headers or request.body):  # not only a touch
            _log.warning("%s %s: status %d", request.method, parts.path, response.status)
        tell(response.status, dict(response.headers), content, "")
        return Answer(
            response.status,
            content,
            response.headers.get("Location", ""),
            seconds_to_wait(response.headers),
            _unix_time(response.headers.get("Date", "")),
        )


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    connect_within_s: float


class _SilentError(Exception):
    """A connection that was kept gives no answer."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self.session = session


async def _limit_the_wait(
    _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionReuseconnParams
) -> None:
    limit, seconds = context.trace_request_ctx
    if seconds is not None:
        limit.reschedule(asyncio.get_running_loop().time() + seconds)


def client_session(**options: Any) -> aiohttp.ClientSession:
    """Connections to the service for an owner to close; `options` are those of aiohttp."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            keepalive_timeout=_KEEP_OPEN_S, ssl=ssl.create_default_context()
        ),
        # A credential goes to the configured host and nowhere else, and needs no cookies.
        cookie_jar=aiohttp.DummyCookieJar(),
        **options,
    )


def json_body(value: Mapping[str, Any]) -> bytes:
    """Return a request's JSON body. `null` stays: it is how turn detection is switched off."""
    return json.dumps(value, ensure_ascii=False).encode()


async def find_proxy(url: str) -> str | None:
    """Return the proxy for `url` as `proxy_for` does, off the event loop where that can block.

    Windows and macOS may look up names for their lists of exceptions. Raises Failure.
    """
    if sys.platform in ("win32", "darwin"):
        return await in_own_thread("proxy", lambda: proxy_for(url))
    return proxy_for(url)


def proxy_for(url: str) -> str | None:
    """Return the proxy through which requests to `url` go, None for none.

    From `HTTPS_PROXY` and its like, on Windows and macOS else from the system's settings. Raises Failure for
    what is no HTTP proxy's address.
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
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    try:
        named = urlsplit(proxy)
        usable = bool(named.hostname) and named.port != 0
    except ValueError:  # brackets without an address, a port out of range
        usable, named = False, urlsplit("")
    if named.scheme.startswith("socks"):
        raise Failure("proxy-malformed", detail="(SOCKS is not supported)")
    if not usable or named.scheme not in ("http", "https"):
        raise Failure("proxy-malformed", detail="(it is not like http://PROXY:8080)")
    return proxy


def unreached(error: Exception, url: str, patience_s: float) -> Unreached:
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


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
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
