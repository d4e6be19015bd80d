"""Which scheme and host does an address mean that somebody copied from somewhere?

Portals, samples and SDKs show a resource's address with a path, an `api-version`, as `wss://` or without a
scheme; every URL that we send is built from scheme and host only, so the rest is dropped. What cannot be
the address of a resource is refused with the reason, and so is a path of a gateway's own, which would be
lost. The hosts: azure-openai's documentation names `*.openai.azure.com`, portals also show
`*.cognitiveservices.azure.com` and `*.services.ai.azure.com`; any other host is taken as it is, since
gateways and private names stand before resources.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from .refusal import SettingError, looks_secret, quoted

_EXAMPLE: Final = "https://NAME.openai.azure.com"
_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):/+")
_HOST: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_SECURE: Final = {"https": "https", "wss": "https", "http": "http", "ws": "http"}
_DEFAULT_PORT: Final = {"https": 443, "http": 80}
_NO_RESOURCE: Final = {
    "portal.azure.com": "the Azure portal",
    "ai.azure.com": "the Foundry portal",
    "oai.azure.com": "the Azure OpenAI studio",
    "learn.microsoft.com": "Microsoft's documentation",
    "login.microsoftonline.com": "where Microsoft signs people in",
    "management.azure.com": "where resources are managed",
}
_SERVICES: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_MODEL: Final = re.compile(r"(?:gpt|whisper)[-\w]*(?:\.\d[-\w]*)?", re.IGNORECASE)
_KNOWN_PATH: Final = re.compile(r"/+(?:openai|v1|api/projects)(?:/|$)")
_QUOTES: Final = " \t\r\n\"'`<>\u201c\u201d\u2018\u2019"


def normalised(pasted: str) -> str:
    """The scheme and host that were meant: `https://NAME.openai.azure.com`. "" stays "".

    Plain http is for this machine only. Raises SettingError and nothing else; its sentence says what was
    pasted and what to set, and never repeats a key.
    """
    text = pasted.strip(_QUOTES).rstrip(",;")
    if not text.strip(_QUOTES):
        return ""
    if "://" not in text and looks_secret(text) and "." not in text:
        raise _refused("looks like a key; keys do not belong here but in AZURE_OPENAI_API_KEY")
    if _MODEL.fullmatch(text):
        raise _refused(f"is {quoted(text)}, the name of a model; that belongs to the deployment")
    scheme, rest = _scheme_of(text)
    try:
        parts = urlsplit(f"{scheme or 'https'}://{rest}")
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        raise _refused(f"is {quoted(text)}, which is no address") from None
    if "@" in parts.netloc:
        raise _refused("has a name or password before an @; nothing secret belongs into an address")
    local = is_loopback(host)
    if port == 0 or not (_HOST.fullmatch(host) or (local and ":" in host)):
        raise _refused(f"is {quoted(text)}, which is no address")
    _expect_a_resource(host, unquote(parts.path).lower(), local)
    secure = _SECURE[scheme] if scheme else ("http" if local else "https")
    if secure == "http" and not local:
        raise _refused(
            f"is not encrypted: begin it with https:// (plain http reaches this machine only), "
            f"as in https://{host}"
        )
    name = f"[{host}]" if ":" in host else host
    return f"{secure}://{name}" + (f":{port}" if port and port != _DEFAULT_PORT[secure] else "")


def _scheme_of(text: str) -> tuple[str, str]:
    """The scheme ("" where none was given) and what follows it."""
    found = _SCHEME.match(text)
    if found is None:
        return "", text.lstrip("/")
    scheme = found[1].lower()
    if scheme not in _SECURE:
        raise _refused(f"begins with {scheme}://, but it is reached by https://")
    return scheme, text[found.end() :]


def is_loopback(host: str | None) -> bool:
    """Whether a host's name or address is this machine's."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _expect_a_resource(host: str, path: str, local: bool) -> None:
    """Refuse the hosts and paths of other things at Azure."""
    if host in _NO_RESOURCE:
        raise _refused(
            f"is {_NO_RESOURCE[host]}, not your resource; copy the endpoint from the "
            "resource's page “Keys and Endpoint”"
        )
    if host.endswith(".realtimeapi-preview.ai.azure.com"):
        region = host.partition(".")[0]
        raise _refused(
            "is the region's host of the preview protocol, not your resource; set the "
            f"resource here, and preview_region to {quoted(region)} if it needs that"
        )
    if host.endswith("openai.com"):
        raise _refused("is OpenAI's own service; VoicePilot calls an Azure resource")
    if host in {service[1:] for service in _SERVICES}:
        raise _refused(f"lacks the name of your resource before {host}")
    if host.endswith(".api.cognitive.microsoft.com"):
        raise _refused(
            "is the address of a region, shared by all; your resource needs its own name "
            f"(a custom domain) as in {_EXAMPLE}"
        )
    if "/openai/v1/live" in path:
        raise _refused(
            "is an address of the GPT-Live API, which VoicePilot does not speak; set the "
            "resource and a deployment of a gpt-realtime model"
        )
    if "/voice-live" in path:
        raise _refused(
            "is an address of the Voice Live API, which VoicePilot does not speak; set the "
            "resource and a deployment of a gpt-realtime model"
        )
    if path.strip("/") and not host.endswith(_SERVICES) and not _KNOWN_PATH.match(path):
        raise _refused(
            f"has the path {quoted(path)}, which would be lost: VoicePilot calls /openai/v1 at the "
            "host itself. Let the gateway pass that on, and set its address without a path"
        )
    if "." not in host and not local:
        raise _refused(
            f"is {quoted(host)}, which is no whole host; if that is your resource's name, "
            f"set https://{host}.openai.azure.com"
        )


def _refused(reason: str) -> SettingError:
    return SettingError("endpoint", f"The endpoint {reason}. It looks like {_EXAMPLE}.")
