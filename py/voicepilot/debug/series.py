"""How did a figure run over the last minute? Values with their times, and the line that draws them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 60.0
"""Seconds that are kept and drawn."""

_GAP: Final = 3.0
"""Seconds without a value after which the line is interrupted."""

_TOPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True, slots=True)
class Sample:
    """A value and its time, in seconds."""

    at: float
    value: float


class Series:
    """The values of one figure over the last minute, oldest first."""

    def __init__(self, unit: str, window: float = WINDOW) -> None:
        self.unit = unit
        self._window = window
        self._samples: deque[Sample] = deque()

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def last(self) -> float | None:
        """The newest value."""
        return self._samples[-1].value if self._samples else None

    @property
    def largest(self) -> float:
        """The largest value that is kept; 0 where there is none."""
        return max((sample.value for sample in self._samples), default=0.0)

    def add(self, value: float | None, now: float) -> None:
        """Keep a value; None (not known) only makes time pass."""
        if value is not None:
            self._samples.append(Sample(now, value))
        while self._samples and self._samples[0].at < now - self._window:
            self._samples.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._samples.clear()

    def lines(self, now: float, width: float, height: float, top: float) -> list[str]:
        """The values as points of SVG polylines, interrupted where nothing was known for a while.

        Now is at the right edge, `top` at the upper one; larger values are cut off there.
        """
        lines: list[list[str]] = []
        before: Sample | None = None
        for sample in self._samples:
            if before is None or sample.at - before.at > _GAP:
                lines.append([])
            x = width * (1 - (now - sample.at) / self._window)
            y = height * (1 - min(1.0, max(0.0, sample.value / top)))
            if x >= 0:
                lines[-1].append(f"{x:.1f},{y:.1f}")
            before = sample
        return [" ".join(line) for line in lines if line]


def scale_for(series: Sequence[Series], least: float) -> float:
    """A round number that the largest of these values, and `least`, fit under."""
    largest = max([least, *(each.largest for each in series)])
    return next((float(top) for top in _TOPS if top >= largest), largest)
