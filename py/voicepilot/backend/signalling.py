"""How does the page's offer become an answer of the realtime service, with no key in the page?

*Relay* signalling, two requests to the service for each call:

1. `POST /openai/v1/realtime/client_secrets` with the standing credential and the whole session
   configuration; the answer's `value` is an ephemeral key. One key for one attempt, minted just in
   time, so nothing has to be refreshed. `expires_after` is left out: the key never leaves this
   process, and no recording shows Azure accepting the field.
2. `POST /openai/v1/realtime/calls` with that key and the raw offer; Azure refuses any other
   credential here. 201, the answer SDP, and `Location: .../calls/rtc_...` with the call's name.

Source: Microsoft's realtime-audio-webrtc how-to of 2026-01-29 and recordings of the service of
2026-07 (shapes of both answers). Only a 2xx answer's body is ever taken for a session description:
an error text given to `setRemoteDescription` fails with words that hide the reason.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp

from voicepilot.backend.azure.credential import Credential
from voicepilot.backend.failure import Failure
from voicepilot.bridge.messages import MAX_SDP, CallOpened
from voicepilot.protocol.json_text import parse_json
from voicepilot.protocol.session_config import SessionConfig

_log = logging.getLogger(__name__)

_MINT: Final = "/openai/v1/realtime/client_secrets"
_CALLS: Final = "/openai/v1/realtime/calls"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20, connect=5)
_KEEP_OPEN_S: Final = 240.0
"""How long an unused connection stays warm between calls; a TLS handshake costs a round trip or two."""
_LONGEST_BODY: Final = MAX_SDP


@dataclass(frozen=True, slots=True)
class Service:
    """Where the realtime service is (scheme and host, no path) and what lets us in."""

    base: str
    credential: Credential


class Relay:
    """Opens calls at one service. An async context manager that owns its HTTP connections."""

    def __init__(self) -> None:
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Relay:
        self._http = aiohttp.ClientSession(
            timeout=_TIMEOUT,
            connector=aiohttp.TCPConnector(keepalive_timeout=_KEEP_OPEN_S),
            # A credential goes to the configured host and nowhere else, and needs no cookies.
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def open(self, service: Service, session: SessionConfig, offer: str) -> CallOpened:
        """Open a call with the page's offer SDP. Raises Failure."""
        key, expires_at = await self._mint(service, session)
        answer = await self._post(
            service,
            _CALLS,
            {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"},
            offer.encode(),
        )
        sdp = answer.body.decode("utf-8", "replace")
        if not sdp.startswith("v=0"):
            raise Failure("bad-answer")
        return CallOpened(sdp, call_name(answer.location), expires_at, "ga")

    async def _mint(self, service: Service, session: SessionConfig) -> tuple[str, int | None]:
        credential = service.credential
        answer = await self._post(
            service,
            _MINT,
            {credential.header: credential.value, "Content-Type": "application/json"},
            json.dumps({"session": session.to_json()}).encode(),
        )
        minted = _json_object(answer.body)
        key, expires_at = minted.get("value"), minted.get("expires_at")
        if not isinstance(key, str) or not key.isascii() or not key.isprintable() or not key:
            raise Failure("bad-answer")
        return key, expires_at if type(expires_at) is int else None

    async def _post(
        self, service: Service, path: str, headers: Mapping[str, str], body: bytes
    ) -> _Answer:
        if self._http is None:
            raise RuntimeError("the relay is used outside its context")
        try:
            async with self._http.post(
                service.base.rstrip("/") + path, headers=headers, data=body, allow_redirects=False
            ) as response:
                content = await _read(response)
                answer = _Answer(
                    response.status,
                    content,
                    response.headers.get("Location", ""),
                    _seconds_to_wait(response.headers),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("POST %s: %s", path, type(error).__name__)
            raise Failure("service-unreachable") from error
        if not 200 <= answer.status < 300:
            _log.warning("POST %s: status %d", path, answer.status)
            raise _refusal(answer, service.credential, minting=path == _MINT)
        return answer


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    location: str
    wait_s: int | None
    """How long the service asks to wait, whole seconds."""


def call_name(location: str) -> str:
    """The call's id from a Location header, "" where there is none.

    Azure answers `/v1/realtime/calls/rtc_...`; `?call_id=rtc_...` is understood too.
    """
    parts = urlsplit(location)
    asked = parse_qs(parts.query).get("call_id")
    return asked[0] if asked else parts.path.rstrip("/").rpartition("/")[2]


def _refusal(answer: _Answer, credential: Credential, *, minting: bool) -> Failure:
    """Sort an answer that is no success into the catalogue's problems.

    Azure's code says more than the status, which is 401 or 403 for a missing role and 400 or 404 for a
    deployment that cannot be used. Sources: Microsoft's error reference and recordings of the service.
    """
    error = _service_error(answer.body)
    named = _BY_CODE.get(str(error.get("code")))
    sort, ours = (named, "") if named else _by_status(answer, minting=minting)
    if sort == "service-busy":
        return Failure(sort)
    if sort == "service-throttled":
        return Failure(sort, seconds=answer.wait_s)
    words = (str(error.get(name) or "") for name in ("code", "message"))
    said = ", ".join(each for each in words if each not in ("", str(answer.status)))
    said = said.rstrip(". ").replace(credential.value, "…")[:200]
    remark = f"(status {answer.status}: {said})" if said else f"(status {answer.status})"
    return Failure(sort, detail=f"{ours} {remark}." if ours else remark)


_BY_CODE: Final[dict[str, str]] = {
    "PermissionDenied": "role-missing",
    "AuthenticationTypeDisabled": "access-refused",
    "DeploymentNotFound": "deployment-missing",
    "OperationNotSupported": "deployment-unfit",
}


def _by_status(answer: _Answer, *, minting: bool) -> tuple[str, str]:
    """The problem, and the words of ours that its sentence needs."""
    match answer.status:
        case 429:
            return ("service-busy" if answer.wait_s is None else "service-throttled"), ""
        case status if status >= 500:
            return "service-failed", "it reports an error"
        case 401:
            return ("key-refused" if minting else "call-key-refused"), ""
        case 403:
            return "access-refused", ""
        case 404:
            return "service-refused", "there is nothing at this address, or no such deployment"
        case status if status < 400:
            return "service-refused", "its address leads elsewhere"
        case 400 if not minting:
            return "offer-refused", ""
    return "service-refused", "it does not take this request"


def _seconds_to_wait(headers: Mapping[str, str]) -> int | None:
    """What `retry-after-ms` (Azure's) or `retry-after` asks for; None where neither has a number."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        text = headers.get(name, "")
        if text.isascii() and text.isdigit() and len(text) <= 7:
            return max(1, math.ceil(int(text) / per_second))
    return None


def _service_error(body: bytes) -> dict[str, Any]:
    """The error in an error body, with or without the outer `error`."""
    outer = _json_object(body)
    inner = outer.get("error")
    return inner if isinstance(inner, dict) else outer


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = parse_json(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, as far as a sane one reaches."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > _LONGEST_BODY:
            response.close()
            return b""
    return bytes(content)
