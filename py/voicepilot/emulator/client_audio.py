"""Which sound did the client put into its events?

Base64 of 16-bit samples, mono, at 24 kHz: in a typed message as a whole, or appended piece by piece to the
stream that a session over WebSocket hears.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import numpy as np

from voicepilot.emulator.ear import Third
from voicepilot.emulator.errors import Rejected

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_APPEND = 15 * 1024 * 1024
"""The documented limit for one append event: 15 MiB."""


class AppendedAudio:
    """Makes one stream at 16 kHz of what is appended at 24 kHz."""

    def __init__(self) -> None:
        self._third = Third()

    def samples(self, audio: Any) -> NDArray[np.float32]:
        """The next samples of the stream, in [-1, 1].

        Raises:
            Rejected: it is not base64 of whole samples, or too long; the stream goes on without it.
        """
        if audio is None:
            raise Rejected(
                "missing_required_parameter", "Missing required parameter: 'audio'.", "audio"
            )
        if isinstance(audio, str) and len(audio) > LONGEST_APPEND:
            raise Rejected(
                "string_above_max_length",
                f"Invalid 'audio': string too long. Expected at most {LONGEST_APPEND} characters, "
                f"but got {len(audio)}.",
                "audio",
            )
        return self._third.reduce(_doubled(_decoded(audio, "audio")))


def client_audio(body: dict[str, Any]) -> NDArray[np.float32]:
    """The audio inside a message, at 16 kHz; empty if there is none.

    Raises:
        Rejected: it is not base64 of whole samples.
    """
    parts = [part["audio"] for part in body.get("content", ()) if part["type"] == "input_audio"]
    samples = [_decoded(part, "item.content") for part in parts]
    if not samples:
        return np.empty(0, np.float32)
    return Third().reduce(_doubled(np.concatenate(samples)))


def _decoded(audio: Any, path: str) -> NDArray[np.float32]:
    try:
        raw = base64.b64decode(audio, validate=True)
        samples = np.frombuffer(raw, "<i2").astype(np.float32)
    except (TypeError, binascii.Error, ValueError) as error:
        raise Rejected(
            "invalid_value", "Invalid audio: expected base64 of 16-bit samples.", path
        ) from error
    return samples / np.float32(32768)


def _doubled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """At 48 kHz, with a mirror image above 12 kHz that the reduction to 16 kHz takes away."""
    doubled = np.zeros(2 * len(samples), np.float32)
    doubled[::2] = 2 * samples
    return doubled
