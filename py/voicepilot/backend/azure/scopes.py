"""For which audience does a service take tokens, and who remembers it?

Microsoft's error guide (2026-09-20) names `https://ai.azure.com/.default`, its WebRTC sample (2026-01)
`https://cognitiveservices.azure.com/.default`; resources differ. The first is tried first. Which one
worked is remembered by host, in memory and in a small file of the user's cache, so that the next start
asks for the right one at once. The file holds nothing secret; one that is lost or broken costs one try.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final

import platformdirs

from voicepilot.backend import files
from voicepilot.protocol.json_text import parse_json

_log = logging.getLogger(__name__)

SCOPES: Final = ("https://ai.azure.com/.default", "https://cognitiveservices.azure.com/.default")
_MOST_HOSTS: Final = 100
_LARGEST_FILE: Final = 64 * 1024


def other_scope(scope: str) -> str:
    """The scope to try where this one is not taken."""
    return SCOPES[1] if scope == SCOPES[0] else SCOPES[0]


class ScopeMemory:
    """Remembers the scope by host. `file` None remembers for this run only."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._scopes: dict[str, str] = _read(file) if file else {}

    @classmethod
    def of_user(cls) -> ScopeMemory:
        """The memory in the cache folder of the user."""
        return cls(platformdirs.user_cache_path("voicepilot", appauthor=False) / "scopes.json")

    def scope(self, host: str) -> str:
        """The scope to try first."""
        return self._scopes.get(host, SCOPES[0])

    def remember(self, host: str, scope: str) -> None:
        """Try this scope first from now on."""
        if self.scope(host) == scope:
            return
        self._scopes.pop(host, None)
        if scope != SCOPES[0]:
            self._scopes[host] = scope
        for oldest in list(self._scopes)[:-_MOST_HOSTS]:
            del self._scopes[oldest]
        if self._file is not None:
            _write(self._file, self._scopes)


def _read(file: Path) -> dict[str, str]:
    try:
        with file.open("rb") as content:
            found = parse_json(content.read(_LARGEST_FILE))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {host: scope for host, scope in found.items() if scope in SCOPES}


def _write(file: Path, scopes: dict[str, str]) -> None:
    """Replace the file in one step; a cache that cannot be written is only slower."""
    try:
        files.replace(file, json.dumps(scopes, indent=1).encode())
    except OSError as error:
        _log.info("the scope of a service is not kept: %s", error.strerror)
