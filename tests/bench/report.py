"""How is the result shown? JSON for machines, a table for the terminal, a page with charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.bench.chart import Bar, bars
from tests.bench.machine import described
from tests.bench.rows import Row

CHARTS: Final = {
    "ready": ("Time to ready, ms", ("ready_cold", "ready_warm", "ready_cold_js", "ready_warm_js")),
    "call": (
        "A call, ms",
        ("connect", "echo_round_trip", "reply", "barge_in", "mic_release"),
    ),
    "events": ("One event, µs", ("event_p50_us", "event_p99_us", "event_first100_us")),
}
"""Charts by the name of their file: a title, and the rows in them."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run of the benchmark. Loads are 1-minute averages, `seconds` is how long it took."""

    rows: Sequence[Row]
    load_before: float | None
    load_after: float | None
    seconds: float

    def to_json(self) -> dict[str, object]:
        """As a machine reads it; `load` is the one before, which the benchmark did not cause."""
        return {"load": self.load_before, "rows": [row.to_json() for row in self.rows]}

    @property
    def load(self) -> str:
        """The machine's load in words."""
        return (
            f"load {_number(self.load_before)} before, {_number(self.load_after)} after "
            "(1-minute averages; the benchmark itself is part of the second)"
        )


def table(result: Result) -> str:
    """The result as lines for a terminal."""
    head = ("measure", "unit", "runs", "ours", "spread", "p99", "baseline", "spread", "ratio")
    lines = [head, *(_cells(row) for row in result.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    drawn = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    notes = [f"{row.measure.name}: {row.samples.note}" for row in result.rows if row.samples.note]
    closing = f"{result.load}; {result.seconds:.0f} s; {described()}"
    return "\n".join([*(line.rstrip() for line in drawn), "", *notes, closing])


def write(result: Result, docs: Path) -> Path:
    """Write `benchmarks.md` and its charts into `docs`; returns the page's path."""
    charts = docs / "benchmarks"
    charts.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, (title, members) in CHARTS.items():
        rows = [row for row in result.rows if row.measure.name in members]
        if rows:
            (charts / f"{name}.svg").write_text(bars(title, _bars(rows)), "utf-8")
            drawn.append(f"![{title}](benchmarks/{name}.svg)")
    place = docs / "benchmarks.md"
    place.write_text(_page(result, drawn), "utf-8")
    return place


def _bars(rows: Sequence[Row]) -> list[Bar]:
    found: list[Bar] = []
    for row in rows:
        sides = {"ours": row.samples.ours, row.measure.baseline or "": row.samples.baseline}
        found += [
            Bar(f"{row.measure.name}, {name}", median, min(values), max(values), name == "ours")
            for (name, values), median in zip(sides.items(), (row.ours, row.baseline), strict=True)
            if median is not None
        ]
    return found


def _page(result: Result, charts: Sequence[str]) -> str:
    head = ("Measure", "Ours", "Spread", "p99", "Baseline", "Spread", "Ratio", "Aim")
    lines = [_line(head), _line(["---"] * len(head))]
    for row in result.rows:
        name, unit, _runs, ours, spread, p99, baseline, its_spread, ratio = _cells(row)
        against = f"{baseline} ({row.measure.baseline})" if row.measure.baseline else baseline
        aim, reached = row.goal or ("", True)
        aim = f"{aim}: {'reached' if reached else 'missed'}" if aim else ""
        lines.append(
            _line((f"`{name}`, {unit}", ours, spread, p99, against, its_spread, ratio, aim))
        )
    runs = max((row.runs for row in result.rows), default=0)
    meanings = [f"- `{row.measure.name}`: {row.measure.says}." for row in result.rows]
    notes = [
        f"- `{row.measure.name}`: {row.samples.note}" for row in result.rows if row.samples.note
    ]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `python3 build.py bench`; not edited by hand.",
            "",
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {described()}; {result.load}; "
            f"{result.seconds:.0f} s in all.",
            "",
            *lines,
            "",
            *charts,
            "",
            "## What the names mean",
            "",
            *meanings,
            "",
            *(("Beside the numbers:", "", *notes, "") if notes else ()),
            "## How it is measured",
            "",
            f"- {runs} runs where nothing else is said; a value is the median, the spread is the least "
            "and the greatest. Memory and calls at once are measured in one run of many calls.",
            "- Runs of ours and of the baseline alternate, in the same browser, against one process of "
            "the embedded service and one backend.",
            "- The *JavaScript twin* (`tests/bench/twin`) is a page that holds the same call without "
            "Python: same server, same policy, same style sheet, same bridge, same constraints and "
            "order of steps, same meters and captions. It keeps no event log, no statistics and no "
            "inspector, which ours does.",
            "- *Stock Pyodide* (`tests/bench/stock`) is our page as `loadPyodide()` starts it by "
            "default: Pyodide's files as they come, our modules as source in a zip.",
            "- Ready is when the page can be used: `data-boot` becomes `ready`. Cold is a new browser "
            "profile for each visit, warm the same profile in a new browser process. The page is opened "
            "when the browser's own start is over (processors less than 40 % busy): it takes half a "
            "second on all of them.",
            "- Talk is pressed 0.8 s after the page is there and its backend has answered; "
            "each spoken call is its page's first.",
            "- A spoken call's microphone is a recording; the end of speech and the first sound of the "
            "reply are both taken from meters in the page, 5 ms apart, so the recording's own delay "
            "counts nowhere. The service waits for 200 ms of silence.",
            "- An event costs what the page's own listener takes, and its share of the drawing in the "
            "next frame, style and layout included, by a clock of 5 µs (the page is isolated from other "
            "origins for this). The stream is synthetic: turns of question and answer, five events in a "
            "frame.",
            "",
        ]
    )


def _cells(row: Row) -> tuple[str, ...]:
    samples = row.samples
    return (
        row.measure.name,
        row.measure.unit,
        str(row.runs),
        _number(row.ours),
        _spread(samples.ours),
        _number(samples.p99),
        _number(row.baseline),
        _spread(samples.baseline),
        "" if row.ratio is None else f"{row.ratio:.2f}",
    )


def _spread(values: Sequence[float]) -> str:
    return f"{_number(min(values))} to {_number(max(values))}" if len(values) > 1 else ""


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
