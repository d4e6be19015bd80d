"""How is a call opened at a resource that knows only the preview protocol?

1. `POST {base}/openai/realtimeapi/sessions?api-version=2025-04-01-preview` with the standing credential
   and a flat session. The reply has `{"client_secret": {"value", "expires_at"}}`, good for a minute.
2. `POST https://{region}.realtimeapi-preview.ai.azure.com/v1/realtimertc?model=DEPLOYMENT` with that key as
   the bearer and the raw offer. The region is the resource's.

The voices marin and cedar came with GA, and so did `idle_timeout_ms`. Deprecated since 2026-04-30.
Source: Microsoft's realtime-audio-webrtc how-to of 2025-06-07; `openai` 1.109.1, `types/beta/realtime`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from voicepilot.backend.failure import Failure
from voicepilot.protocol.dialects import Dialect, session_to_preview
from voicepilot.protocol.readers import Json, as_object
from voicepilot.protocol.session_config import SessionConfig
from voicepilot.settings.endpoint import is_loopback

API_VERSION: Final = "2025-04-01-preview"
_VOICES_OF_GA: Final = frozenset({"marin", "cedar"})
_VOICE: Final = "verse"
_ONLY_GA: Final = frozenset({"idle_timeout_ms"})


def offer_host(base: str, region: str) -> str:
    """Return scheme and host that take offers; "" where that needs a region and there is none.

    A service on this machine takes them itself.
    """
    if is_loopback(urlsplit(base).hostname):
        return base.rstrip("/")
    return f"https://{region}.realtimeapi-preview.ai.azure.com" if region else ""


class Preview:
    """The addresses and bodies at one resource; `base` is its scheme and host."""

    dialect: Final[Dialect] = "preview"

    def __init__(self, base: str, region: str) -> None:
        self._base = base.rstrip("/")
        self._offers = offer_host(base, region)

    @property
    def mint_url(self) -> str:
        """Where a key is minted."""
        return f"{self._base}/openai/realtimeapi/sessions?api-version={API_VERSION}"

    def mint_body(self, session: SessionConfig) -> Json:
        """What a key is minted with: the session, flat, with what the protocol has."""
        flat = session_to_preview(session.to_json())
        if flat.get("voice") in _VOICES_OF_GA:
            flat["voice"] = _VOICE
        detection = flat.get("turn_detection")
        if isinstance(detection, dict):
            flat["turn_detection"] = {n: v for n, v in detection.items() if n not in _ONLY_GA}
        return flat

    def secret(self, minted: Json) -> Json:
        """The object of the reply that has `value` and `expires_at`."""
        return as_object(minted.get("client_secret"))

    def offer_url(self, model: str) -> str:
        """Where the offer goes. Raises Failure where the region is not known."""
        if not self._offers:
            raise Failure("region-missing")
        return f"{self._offers}/v1/realtimertc?model={quote(model, safe='')}"
