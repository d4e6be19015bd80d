"""Where do the models live, and on which threads do they run?

The models are loaded once and shared by all calls. Each kind has a thread of its own, so that on two
cores a recognition (about 100 ms of one core) never keeps a sentence waiting that is to be spoken (about
20 ms for each second of it), and neither keeps the event loop from moving audio: both leave Python's
lock while they compute. Calls at once take turns piece by piece: between two pieces of one answer there
is room for the first piece of another.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from voicepilot.emulator.hearing import Hearing, TurnDetection
from voicepilot.emulator.recognition import Recogniser
from voicepilot.emulator.speech import Utterance, Voice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import numpy as np
    from numpy.typing import NDArray


class Models:
    """The models of one process. Made by :meth:`load`, ended by :meth:`close`."""

    def __init__(
        self,
        recogniser: Recogniser,
        voice: Voice,
        recognising: ThreadPoolExecutor,
        speaking: ThreadPoolExecutor,
    ) -> None:
        self.recogniser = recogniser
        self.voice = voice
        self._recognising = recognising
        self._speaking = speaking

    @classmethod
    async def load(cls) -> Models:
        """Load and warm every model, at the same time, in a second or two.

        Raises:
            ModelDamagedError: the recognition model is not the expected one.
        """
        loop = asyncio.get_running_loop()
        recognising = ThreadPoolExecutor(1, "voicepilot-recognition")
        speaking = ThreadPoolExecutor(1, "voicepilot-speech")
        try:
            recogniser, voice = await asyncio.gather(
                loop.run_in_executor(recognising, Recogniser),
                loop.run_in_executor(speaking, Voice),
            )
        except BaseException:
            recognising.shutdown(wait=False)
            speaking.shutdown(wait=False)
            raise
        return cls(recogniser, voice, recognising, speaking)

    async def hearing(self, detection: TurnDetection) -> Hearing:
        """The hearing of a new stream, made off the event loop because that takes 60 ms."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._recognising, Hearing, detection)

    async def transcribe(self, samples: NDArray[np.float32]) -> str:
        """Write down what is said in ``samples`` (16 kHz mono, in [-1, 1]); "" for no words."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._recognising, self.recogniser.transcribe, samples)

    async def speak(self, text: str, speed: float = 1.0) -> AsyncIterator[Utterance]:
        """Speak ``text`` piece by piece, see :meth:`Voice.speak`.

        The next piece is made when it is asked for; who stops asking has paid for no more than that.

        Raises:
            ValueError: the speed is not between 0.25 and 1.5.
        """
        loop = asyncio.get_running_loop()
        pieces = self.voice.speak(text, speed)
        while (piece := await loop.run_in_executor(self._speaking, next, pieces, None)) is not None:
            yield piece

    async def close(self) -> None:
        """End the threads, after what they are at; what still waits in line is cancelled."""
        for pool in (self._recognising, self._speaking):
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
