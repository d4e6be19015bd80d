"""Which problem is an answer that is no success?

Azure's code says more than the status: a missing role comes as 401 or 403, a deployment that cannot be
used as 400 or 404. So the tables are asked in this order: code, words of the message, status. What the
service said goes into the sentence, without keys and tokens, since it is what a search finds.

Sources: Microsoft's error reference of 2026-09-20, its Entra troubleshooting of 2026-01-22, recordings of
the service of 2026-07, and published failures of other clients.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from voicepilot.backend.azure.credential import Credential
from voicepilot.backend.azure.http import Answer
from voicepilot.backend.failure import Failure
from voicepilot.settings.endpoint import is_loopback

WRONG_CLOCK_S: Final = 300.0
"""A clock that is further off makes good tokens invalid; Entra tolerates five minutes."""


class Step(StrEnum):
    """Which of the two requests was refused."""

    MINT = "mint"
    OFFER = "offer"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, and with what: a refusal is told in these words.

    `credential` is the standing one. `region` is the preview's, "" in GA. `skew_s` is how far our clock is
    ahead of the service's.
    """

    step: Step
    url: str
    deployment: str
    credential: Credential
    region: str = ""
    skew_s: float = 0.0

    @property
    def with_token(self) -> bool:
        """Whether a sign-in was shown, not a key."""
        return self.credential.header.lower() == "authorization"


_BY_CODE: Final[dict[str, str]] = {
    "PermissionDenied": "role-missing",
    "AuthenticationTypeDisabled": "key-type-refused",
    "DeploymentNotFound": "deployment-missing",
    "OperationNotSupported": "deployment-unfit",
    "insufficient_quota": "quota-gone",
    "billing_hard_limit_reached": "quota-gone",
    "account_deactivated": "quota-gone",
}

_BY_WORDS: Final = (
    (
        re.compile(r"tenant\b.*(not match|mismatch)|(not match|mismatch).*\btenant", re.IGNORECASE),
        "token-of-other-tenant",
    ),
    (
        re.compile(
            r"virtual network|firewall rules|public access is disabled|private endpoint",
            re.IGNORECASE,
        ),
        "network-refused",
    ),
)
_ANOTHER_DIALECT: Final = re.compile(
    r"unknown parameter: '(session|type|((session|response)\.(type|audio|output_modalities)))'",
    re.IGNORECASE,
)
"""Not one setting is refused, but the form that all of them have."""

_SECRETS: Final = re.compile(r"\bek_[\w-]+|\beyJ[\w.-]{10,}")


def is_nowhere(answer: Answer) -> bool:
    """Whether the service has nothing at the address: neither a deployment nor a call is missing."""
    return answer.status == 404 and str(answer.error().get("code")) not in (
        "DeploymentNotFound",
        "call_id_not_found",
    )


def speaks_another_dialect(answer: Answer) -> bool:
    """Whether the service does not know the form of our session, GA's or the preview's."""
    message = str(answer.error().get("message") or "")
    return answer.status == 400 and _ANOTHER_DIALECT.search(message) is not None


def is_exhausted(answer: Answer) -> bool:
    """Whether waiting does not help although the status is 429."""
    return _BY_CODE.get(str(answer.error().get("code"))) == "quota-gone"


def refusal(answer: Answer, asked: Asked) -> Failure:
    """Sort an answer that is no success into the catalogue's problems."""
    error = answer.error()
    code = _code(answer, asked)
    if code == "service-busy":
        return Failure(code)
    if code == "service-throttled":
        return Failure(code, seconds=max(1, math.ceil(answer.wait_s or 0)))
    words = [str(error.get(name) or "") for name in ("code", "message", "param")]
    if words[2] in words[1]:
        del words[2]
    said = ", ".join(each for each in words if each not in ("", str(answer.status)))
    said = f"status {answer.status}: {_clean(said, asked)}" if said else f"status {answer.status}"
    match code:
        case "address-unknown":
            return Failure(code, detail=f"({said}; asked at {_place(asked.url)})")
        case "deployment-missing" | "deployment-unfit":
            return Failure(code, detail=f"({said}; asked for {asked.deployment})")
        case "region-refused":
            return Failure(code, region=asked.region, detail=f"({said})")
        case "clock-wrong":
            return Failure(code, minutes=round(abs(asked.skew_s) / 60), detail=f"({said})")
        case "service-failed":
            return Failure(code, detail=f"it reports an error ({said}).")
        case "service-refused" if answer.status < 400:
            return Failure(code, detail=f"its address leads elsewhere ({said}).")
        case "service-refused":
            return Failure(code, detail=f"it does not take this request ({said}).")
    return Failure(code, detail=f"({said})")


def _code(answer: Answer, asked: Asked) -> str:
    error = answer.error()
    if found := _BY_CODE.get(str(error.get("code"))):
        return found
    if speaks_another_dialect(answer):
        return "dialect-refused"
    message = str(error.get("message") or "")
    for pattern, code in _BY_WORDS:
        if pattern.search(message):
            return code
    if asked.step is Step.OFFER and asked.region and answer.status in (401, 403, 404):
        return "region-refused"
    return _by_status(answer, asked)


def _by_status(answer: Answer, asked: Asked) -> str:
    minting = asked.step is Step.MINT
    match answer.status:
        case 400 if minting:
            named = answer.error().get("param")
            return "session-refused" if named else "service-refused"
        case 400:
            return "offer-refused"
        case 401 if not minting:
            return "call-key-refused"
        case 401 if not asked.with_token:
            return "key-refused"
        case 401:
            return "clock-wrong" if abs(asked.skew_s) > WRONG_CLOCK_S else "token-refused"
        case 403:
            return "access-refused"
        case 404:
            return "address-unknown"
        case 429:
            return "service-busy" if answer.wait_s is None else "service-throttled"
        case status if status >= 500:
            return "service-failed"
    return "service-refused"


def _clean(said: str, asked: Asked) -> str:
    """The service's words with nothing secret in them, without their last full stop."""
    secret = asked.credential.value.removeprefix("Bearer ")
    said = said.replace(secret, "…") if secret else said
    return _SECRETS.sub("…", said).rstrip(". ")[:200]


def _place(url: str) -> str:
    """The host that was asked; where it is one of Azure's other names, the one to try as well."""
    host = urlsplit(url).hostname or ""
    name = host.partition(".")[0]
    if is_loopback(host) or not host.endswith((".cognitiveservices.azure.com", ".ai.azure.com")):
        return host
    return f"{host}, try https://{name}.openai.azure.com"
