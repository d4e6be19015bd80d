"""What does the service call a call that it has just opened?"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

_NAME: Final = re.compile(r"rtc_\w{1,100}", re.ASCII)


def call_name(location: str) -> str:
    """Return the call's id from a Location header, "" where there is none.

    Azure answers `/v1/realtime/calls/rtc_...`; `?call_id=rtc_...` is understood too.
    """
    parts = urlsplit(location)
    asked = parse_qs(parts.query).get("call_id")
    return asked[0] if asked else parts.path.rstrip("/").rpartition("/")[2]


def is_call_name(text: str) -> bool:
    """Whether this is what the service calls a call, and nothing else."""
    return _NAME.fullmatch(text) is not None
