"""Which words were spoken?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Recogniser:
    """English speech to text, offline."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def transcribe(self, samples: NDArray[np.float32]) -> str:
        """Write down what is said in ``samples`` (16 kHz mono); "" where nobody speaks."""
        raise NotImplementedError
