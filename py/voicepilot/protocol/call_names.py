"""What does the service call a call that it has just opened?"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit


def call_name(location: str) -> str:
    """Return the call's id from a Location header, "" where there is none.

    Azure answers `/v1/realtime/calls/rtc_...`; `?call_id=rtc_...` is understood too.
    """
    parts = urlsplit(location)
    asked = parse_qs(parts.query).get("call_id")
    return asked[0] if asked else parts.path.rstrip("/").rpartition("/")[2]
