"""How does speech get faster without getting higher?

Waveform-similarity overlap-add: windows of 40 ms are taken from the input ``factor`` times further
apart than they are put down in the output. Each is moved by up to 12 ms to where it looks most like
what would have followed the window before, so that the pitch periods of the two fit together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WINDOW_MS = 40
_SEARCH_MS = 12


def hastened(samples: NDArray[np.float32], factor: float, rate: int) -> NDArray[np.float32]:
    """``samples`` (mono, ``rate`` per second) ``factor`` times faster, at the same pitch.

    ``factor`` is best kept between 1 and 1.5. What is left of the last window fades out.
    """
    hop = _WINDOW_MS * rate // 2000
    window = 2 * hop
    search = _SEARCH_MS * rate // 1000
    shape = np.hanning(window + 1)[:-1].astype(np.float32)  # two of them, a hop apart, add to one
    source = np.pad(samples, (search, search + 2 * window))
    count = int(len(samples) / (hop * factor)) + 1
    out = np.zeros((count + 1) * hop, np.float32)
    ones = np.ones(window, np.float32)
    taken = search
    for index in range(count):
        if index:
            begin = min(int(index * hop * factor), len(samples))
            reach = source[begin : begin + window + 2 * search]
            expected = source[taken + hop : taken + hop + window]
            loudness = np.sqrt(np.convolve(reach**2, ones, "valid") + 1e-6)
            likeness = np.correlate(reach, expected, "valid") / loudness
            taken = min(begin + int(np.argmax(likeness)), len(source) - window - hop)
        out[index * hop : index * hop + window] += source[taken : taken + window] * shape
    return out
