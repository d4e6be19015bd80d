"""What does the service hear when no sound arrives at all?

Silence, from a second after the last packet on. Who speaks and is cut off in the middle, by a page that stops
sending or a broken network, has then finished the turn; without packets nothing would ever end it. Before the
first packet there is no stream that could be silent.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from voicepilot.emulator.hearing import INPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

AFTER_S = 1.0
"""How long nothing may come."""

_STEP_S = 0.25


class Dropout:
    """Passes a stream on, and silence where it has stopped. ``on_samples`` takes 16 kHz mono."""

    def __init__(self, on_samples: Callable[[NDArray[np.float32]], None]) -> None:
        self._on_samples = on_samples
        self._loop = asyncio.get_running_loop()
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def hear(self, samples: NDArray[np.float32]) -> None:
        """The next samples of the stream."""
        self._last = self._loop.time()
        if self._timer is None and not self._closed:
            self._timer = self._loop.call_later(_STEP_S, self._look)
        self._on_samples(samples)

    def close(self) -> None:
        """Pass nothing more on by itself."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        # One timer for the call, not one for each packet: packets come fifty times a second.
        self._timer = self._loop.call_later(_STEP_S, self._look)
        if self._loop.time() - self._last >= AFTER_S:
            self._on_samples(np.zeros(round(_STEP_S * INPUT_RATE), np.float32))
