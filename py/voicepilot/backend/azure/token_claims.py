"""Whose token is it, and until when? Read from the token itself, for showing and for asking in time.

A Microsoft Entra access token is a JSON Web Token for the service; we are not its audience, cannot check
its signature and decide nothing by it. Claims by Microsoft's reference of access token claims: `upn`,
`unique_name` or `preferred_username` of a person, `appid` (v1) or `azp` (v2) of the application, `tid`
the tenant, `exp` its end, `idtyp` `app` for an identity without a person, `xms_mirid` the resource of a
managed one.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final

from voicepilot.protocol.json_text import parse_json

_APPLICATIONS: Final = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",  # also azure-identity's own sign-ins
    "1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
    "aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
}
_LONGEST_CLAIM: Final = 200


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Who a token speaks for; "" for what it does not tell."""

    account: str = ""
    """A person's sign-in name, or of an identity without a person its application's id."""
    tenant: str = ""
    application: str = ""
    """The program that the person signed in with, by name where it is known."""

    def __str__(self) -> str:
        """`ada@contoso.com of tenant 72f9…`, as a sentence can hold it."""
        who = self.account or "an account"
        return f"{who} of tenant {self.tenant}" if self.tenant else who


def token_owner(token: str) -> TokenOwner:
    """Read whose token this is; one that cannot be read, such as an encrypted one, has no owner."""
    claims = _claims(token)
    application = _text(claims, "appid", "azp")
    person = _text(claims, "upn", "preferred_username", "unique_name", "email")
    managed = _text(claims, "xms_mirid").rpartition("/")[2]
    return TokenOwner(
        account=person or managed or application,
        tenant=_text(claims, "tid"),
        application=_APPLICATIONS.get(application, application) if person else "",
    )


def token_end(token: str) -> int | None:
    """Read when it ends, in seconds since 1970; None where that cannot be read."""
    end = _claims(token).get("exp")
    return end if isinstance(end, int) and not isinstance(end, bool) and end > 0 else None


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        value = parse_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(claims: dict[str, Any], *names: str) -> str:
    """The first of these claims that there is, as one line."""
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST_CLAIM:
            return value
    return ""
