"""What is measured, in which unit, and against what?

A row's value is the median of its runs. Runs of ours and of the baseline alternate, so that both see
the same machine.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STOCK: Final = "stock Pyodide"
TWIN: Final = "JavaScript twin"


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured. `goal` is the limit for ours, `goal_ratio` for ours / baseline."""

    name: str
    unit: str
    baseline: str | None
    says: str
    goal: float | None = None
    goal_ratio: float | None = None


MEASURES: Final = (
    Measure(
        "ready_cold", "ms", STOCK, "first visit, new browser profile, until Python runs", None, 0.22
    ),
    Measure(
        "ready_warm", "ms", STOCK, "later visit, new browser process, same profile", None, 0.30
    ),
    Measure("ready_cold_js", "ms", TWIN, "as ready_cold, against a page without Python"),
    Measure("ready_warm_js", "ms", TWIN, "as ready_warm, against a page without Python"),
    Measure(
        "connect", "ms", TWIN, "press of Talk to data channel open, a page's first call", None, 1.15
    ),
    Measure("event_p50_us", "µs", TWIN, "one event, handler and its share of drawing", None, 5.0),
    Measure("event_p99_us", "µs", TWIN, "the same, slowest of a hundred", 1000),
    Measure("event_first100_us", "µs", TWIN, "mean of a page's first hundred events"),
    Measure("echo_round_trip", "ms", TWIN, "microphone to service and back, as sound", 100),
    Measure("reply", "ms", TWIN, "end of speech to first sound of the reply", 550),
    Measure("barge_in", "ms", TWIN, "speech_started in the page to silence", 50),
    Measure("mic_release", "ms", TWIN, "press of Stop to every track of the microphone ended"),
    Measure("page_memory_mb", "MB", TWIN, "heap, buffers and WebAssembly after 50 calls"),
    Measure("bytes_cold", "bytes", STOCK, "on the wire at the first visit, uncompressed loopback"),
    Measure("emulator_calls", "calls", None, "at once, reply packets at most 30 ms apart in p99"),
)
BY_NAME: Final = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Samples:
    """What the runs gave, one value a run (for a `_p99` measure the run's p99).

    `p99` is over all single values of ours, where a run consists of many; `note` is a sentence for
    people about what the number alone does not say.
    """

    ours: Sequence[float]
    baseline: Sequence[float] = ()
    p99: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result."""

    measure: Measure
    samples: Samples

    @property
    def runs(self) -> int:
        """How many runs of ours there were."""
        return len(self.samples.ours)

    @property
    def ours(self) -> float:
        """The median of our runs."""
        return statistics.median(self.samples.ours)

    @property
    def baseline(self) -> float | None:
        """The median of the baseline's runs."""
        return statistics.median(self.samples.baseline) if self.samples.baseline else None

    @property
    def ratio(self) -> float | None:
        """Ours through the baseline; None where the baseline is too near to zero to divide by."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def goal(self) -> tuple[str, bool] | None:
        """Where it should land, in words, and whether it did."""
        limit, share = self.measure.goal, self.measure.goal_ratio
        if self.measure.name == "emulator_calls":
            return "at least 10", self.ours >= 10
        if share is not None and self.ratio is not None:
            return f"at most {share:.2f} of {self.measure.baseline}", self.ratio <= share
        if limit is not None:
            return f"under {limit:.0f} {self.measure.unit}", self.ours < limit
        return None

    def to_json(self) -> dict[str, object]:
        """As a machine reads it; what does not apply is null."""
        return {
            "name": self.measure.name,
            "unit": self.measure.unit,
            "runs": self.runs,
            "ours": rounded(self.ours),
            "baseline": rounded(self.baseline),
            "baseline_name": self.measure.baseline,
            "ratio": rounded(self.ratio),
            "p99": rounded(self.samples.p99),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed, by nearest rank."""
    if not values:
        raise ValueError("there are no values")
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def rounded(value: float | None) -> float | None:
    """Four digits are more than any measure here repeats."""
    return None if value is None else float(f"{value:.4g}") if abs(value) < 1e4 else round(value)
