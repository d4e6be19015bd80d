"""Why did a sign-in fail, and who can do what about it?

azure-identity tells it as text: Microsoft Entra's codes (`AADSTS50076: ...`) and its own sentences, for a
chain of credentials all of them in one. The codes come first, since they are Entra's contract; sentences
are looked for where there is no code. Nothing of the library's text reaches a person or a log: it can hold
what another program printed.

Source: Microsoft's "Microsoft Entra authentication and authorization error codes" and the troubleshooting
guide of azure-identity.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from azure.core.exceptions import (
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseError,
)

from voicepilot.backend.failure import Failure

Way: TypeAlias = Literal[
    "default", "browser", "device-code", "managed-identity", "workload-identity", "host"
]
"""The ways to sign in, as the setting `credential` names them."""

_CODE: Final = re.compile(r"AADSTS(\d{4,8})")

_BY_CODE: Final[dict[str, str]] = {
    code: problem
    for problem, codes in {
        # The account is not in the tenant: not a member, not a guest.
        "account-not-in-tenant": "50020 50034 50177 50178 51004 90072",
        "tenant-unknown": "90002 900023 900021 900382 50059",
        "consent-missing": "65001 65004 90094 90095 900941 900971 650056",
        "app-unknown": "700016 7000112 7000114 700011 90099",
        "multifactor-needed": "50072 50074 50076 50079 50158",
        # Conditional access: the device, the place or the application is not allowed.
        "sign-in-blocked": "50097 50105 50131 53000 53001 53002 53003 53004 530001 530002 530003 530031 "
        "530032 530034 530035",
        "app-secret-refused": "7000215 7000222 700027 700030 7000229 1002012",
        "sign-in-outdated": "50013 50078 50089 50132 50133 50173 70008 70043 700081 700082 700084 700003 "
        "500133",
        "account-locked": "50053 50055 50057 50126 50128",
        "federation-missing": "70021 700211 700212 700213 700223 700024 700238",
        "audience-unknown": "500011 650052 650057",
        "sign-in-slow": "70018 70019 70020",
    }.items()
    for code in codes.split()
}

_BY_WORDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), problem)
    for pattern, problem in (
        (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", "sign-in-untrusted"),
        (r"timed out .*(waiting|authenticate)|code_expired|expired_token", "sign-in-slow"),
        (r"authorization_declined|access_denied|did not consent|^cancel", "sign-in-declined"),
        (r"failed to open a browser|start an HTTP server", "browser-missing"),
        (
            r"Cannot connect to host|Max retries exceeded|getaddrinfo|Name or service not known|"
            r"Failed to resolve|connection (was )?(refused|reset|aborted)",
            "sign-in-unreachable",
        ),
        (r"invalid_client", "app-secret-refused"),
    )
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """How it was tried: the way, in which tenant ("" the account's own), as which application ("")."""

    way: Way
    tenant: str = ""
    client_id: str = ""

    @property
    def command(self) -> str:
        """What signs in anew at a terminal."""
        return f"az login --tenant {self.tenant}" if self.tenant else "az login"

    @property
    def deed(self) -> str:
        """What a sign-in that is under way waits for, as the start of a sentence."""
        match self.way:
            case "browser":
                return "Sign in in the browser window that has opened"
            case "device-code":
                return "Enter the code that the terminal shows at the address beside it"
            case "host":
                return "Answer what VS Code asks"
        return "Wait a moment"

    @property
    def remedy(self) -> str:
        """How to sign in anew, as the end of a sentence."""
        match self.way:
            case "browser":
                return "press Talk and sign in in the browser window that opens"
            case "device-code":
                return "press Talk and enter the code that the terminal shows"
            case "host":
                return "use Accounts in VS Code, then press Talk again"
        return f"run {self.command}, then press Talk again"


def sign_in_failure(error: BaseException, tried: SignIn) -> Failure:
    """Sort what a sign-in raised into the catalogue's problems."""
    if isinstance(error, Failure):
        return error
    text = str(error)
    code = _problem_of(text)
    if code is None:
        if isinstance(error, (ServiceRequestError, ServiceResponseError)):
            code = "sign-in-unreachable"
        elif isinstance(error, TimeoutError):
            code = "sign-in-slow"
        elif isinstance(error, ClientAuthenticationError):
            code = _nobody_there(tried)
        else:
            return Failure("internal", detail=f"the sign-in ended with {type(error).__name__}.")
    found = _CODE.search(text)
    return Failure(
        code,
        remark=f"(AADSTS{found[1]})" if found else "",
        tenant=tried.tenant,
        application=tried.client_id,
        command=tried.command,
        remedy=tried.remedy,
    )


def _problem_of(text: str) -> str | None:
    for code in _CODE.findall(text):
        if problem := _BY_CODE.get(code):
            return problem
    if _CODE.search(text):
        return "sign-in-refused"
    for pattern, problem in _BY_WORDS:
        if pattern.search(text):
            return problem
    return None


def _nobody_there(tried: SignIn) -> str:
    """There was nothing to sign in with."""
    match tried.way:
        case "managed-identity":
            return "managed-identity-missing"
        case "workload-identity":
            return "workload-identity-missing"
        case "default":
            # Without the Azure CLI the advice to run `az login` leads nowhere.
            return "sign-in-missing" if shutil.which("az") else "azure-cli-missing"
    return "sign-in-refused"
