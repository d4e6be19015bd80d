"""How is a call opened in the protocol that is generally available (GA)?

1. `POST {base}/openai/v1/realtime/client_secrets` with the standing credential and
   `{"session": {...}}`, the whole configuration: later changes over the data channel are reported to be
   ignored. 200 `{"value": "ek_...", "expires_at": N, "session": {...}}`.
2. `POST {base}/openai/v1/realtime/calls` with that key as the bearer and the raw offer; any other
   credential is refused here. 201, the answer SDP, `Location: /v1/realtime/calls/rtc_...`.

No `api-version` on these paths. `expires_after` is left out: no recording shows Azure accepting it.
Source: Microsoft's realtime-audio-webrtc how-to of 2026-01-29; recordings of the service of 2026-07.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from voicepilot.protocol.dialects import Dialect
from voicepilot.protocol.readers import Json
from voicepilot.protocol.session_config import SessionConfig

_ROOT: Final = "/openai/v1/realtime"


class Ga:
    """The addresses and bodies at one resource; `base` is its scheme and host."""

    dialect: Final[Dialect] = "ga"

    def __init__(self, base: str) -> None:
        self._root = base.rstrip("/") + _ROOT

    @property
    def mint_url(self) -> str:
        """Where a key is minted."""
        return f"{self._root}/client_secrets"

    def mint_body(self, session: SessionConfig) -> Json:
        """What a key is minted with."""
        return {"session": session.to_json()}

    def secret(self, minted: Json) -> Json:
        """The object of the reply that has `value` and `expires_at`."""
        return minted

    def offer_url(self, model: str) -> str:
        """Where the offer goes; the key knows the model."""
        return f"{self._root}/calls"

    def hangup_url(self, call_id: str) -> str:
        """Where a call is ended. OpenAI documents it; whether Azure has it is not established."""
        return f"{self._root}/calls/{quote(call_id, safe='')}/hangup"
