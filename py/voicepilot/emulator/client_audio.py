"""Which sound did the client put into a typed message?"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import numpy as np

from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.hearing import INPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLIENT_AUDIO_RATE = 24_000


def client_audio(body: dict[str, Any]) -> NDArray[np.float32]:
    """The audio inside a message (base64, PCM16, 24 kHz), at 16 kHz; empty if there is none.

    Raises:
        Rejected: it is not base64 of whole samples.
    """
    parts = [part["audio"] for part in body.get("content", ()) if part["type"] == "input_audio"]
    try:
        raw = b"".join(base64.b64decode(part, validate=True) for part in parts)
        samples: NDArray[np.float32] = np.frombuffer(raw, "<i2").astype(np.float32) / np.float32(
            32768
        )
    except (binascii.Error, ValueError) as error:
        raise Rejected(
            "invalid_value", "Invalid audio: expected base64 of 16-bit samples.", "item.content"
        ) from error
    if not len(samples):
        return samples
    # Two of three samples, each the mean of what it stands for: speech is understood well enough.
    places = np.arange(len(samples) * INPUT_RATE // _CLIENT_AUDIO_RATE)
    at = places * (_CLIENT_AUDIO_RATE / INPUT_RATE)
    resampled: NDArray[np.float32] = np.interp(at, np.arange(len(samples)), samples).astype(
        np.float32
    )
    return resampled
