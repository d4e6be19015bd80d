"""How is a call measured from end to end? By sound that comes straight back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from voicepilot.emulator.hearing import INPUT_RATE
from voicepilot.emulator.speech import OUTPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicepilot.emulator.reply import Reply

MOST_WAITING_MS: Final = 40
"""What would wait longer is left out: an echo is late once, not for the rest of the call."""


class Echo:
    """Gives what the microphone hears to a reply that never ends and that nobody announces."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def hear(self, samples: NDArray[np.float32]) -> None:
        """What the microphone heard: 16 kHz mono."""
        if self._reply.waiting_ms >= MOST_WAITING_MS:
            return
        places = np.arange(len(samples) * OUTPUT_RATE // INPUT_RATE) * (INPUT_RATE / OUTPUT_RATE)
        resampled = np.interp(places, np.arange(len(samples)), samples)
        self._reply.feed((resampled * 32767).astype(np.int16))
