"""Where do the models live, and on which threads do they run?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import numpy as np
    from numpy.typing import NDArray

    from voicepilot.emulator.hearing import Hearing, TurnDetection
    from voicepilot.emulator.recognition import Recogniser
    from voicepilot.emulator.speech import Utterance, Voice


class Models:
    """The models of one process, loaded once and shared by all its calls."""

    recogniser: Recogniser
    voice: Voice

    @classmethod
    async def load(cls) -> Models:
        """Load and warm every model, at the same time in threads."""
        raise NotImplementedError

    async def hearing(self, detection: TurnDetection) -> Hearing:
        """A new stream's hearing, made off the event loop because that takes 60 ms."""
        raise NotImplementedError

    async def transcribe(self, samples: NDArray[np.float32]) -> str:
        """Write down what is said in ``samples`` (16 kHz mono)."""
        raise NotImplementedError

    def speak(self, text: str, speed: float = 1.0) -> AsyncIterator[Utterance]:
        """Speak ``text`` piece by piece without blocking the event loop."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the threads."""
        raise NotImplementedError
