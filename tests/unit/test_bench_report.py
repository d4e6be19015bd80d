"""The benchmark's arithmetic, its JSON, its table and its document."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.bench.calls import end_of_question, first_sound, silent_after
from tests.bench.echo import round_trips
from tests.bench.report import Result, table, write
from tests.bench.rows import BY_NAME, MEASURES, STOCK, Row, Samples, percentile

NAMES = [
    *("ready_cold", "ready_warm", "ready_cold_js", "ready_warm_js"),
    *("connect", "event_p50_us", "event_p99_us", "event_first100_us"),
    *("echo_round_trip", "reply", "barge_in", "mic_release"),
    *("page_memory_mb", "bytes_cold", "emulator_calls"),
]


def result() -> Result:
    """A whole result: every run of ours 30, 10, 20, every baseline twice that."""
    samples = [Samples([30, 10, 20], [60, 20, 40] if m.baseline else ()) for m in MEASURES]
    return Result([Row(m, s) for m, s in zip(MEASURES, samples, strict=True)], 0.1, 1.2, 60.0)


def test_a_row_is_the_median_and_what_does_not_apply_is_null() -> None:
    rows = json.loads(json.dumps(result().to_json()))["rows"]
    assert [row["name"] for row in rows] == NAMES
    assert rows[0] == {
        "name": "ready_cold",
        "unit": "ms",
        "runs": 3,
        "ours": 20,
        "baseline": 40,
        "baseline_name": STOCK,
        "ratio": 0.5,
        "p99": None,
    }
    assert rows[-1]["baseline"] is rows[-1]["baseline_name"] is rows[-1]["ratio"] is None


def test_nothing_is_divided_by_zero() -> None:
    assert Row(BY_NAME["barge_in"], Samples([3], [0])).ratio is None


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_one_of_the_values(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_aims_are_judged() -> None:
    assert Row(BY_NAME["ready_cold"], Samples([21], [100])).goal == (
        "at most 0.22 of stock Pyodide",
        True,
    )
    assert Row(BY_NAME["ready_cold"], Samples([23], [100])).goal[1] is False
    assert Row(BY_NAME["barge_in"], Samples([50])).goal == ("under 50 ms", False)
    assert Row(BY_NAME["emulator_calls"], Samples([10])).goal == ("at least 10", True)
    assert Row(BY_NAME["mic_release"], Samples([1])).goal is None


def test_the_document_has_every_row_and_its_charts_are_drawings(tmp_path: Path) -> None:
    page = write(result(), tmp_path).read_text("utf-8")
    for name in NAMES:
        assert f"| `{name}`, " in page
    assert "10 to 30" in page
    charts = re.findall(r"\((benchmarks/\w+\.svg)\)", page)
    assert len(charts) == 3
    for chart in charts:
        drawing = ElementTree.parse(tmp_path / chart).getroot()
        assert len(drawing.findall("{http://www.w3.org/2000/svg}rect")) >= 6
    assert all(name in table(result()) for name in NAMES)


def sound(*spans: tuple[int, int], until: int = 8000) -> list[tuple[float, float]]:
    """Loudness every 5 ms: 0.1 within the spans, else silence."""
    return [
        (at, 0.1 if any(start <= at < end for start, end in spans) else 0.0)
        for at in range(0, until, 5)
    ]


def test_what_is_read_from_loudness() -> None:
    asked = end_of_question(sound((1000, 1500), (1600, 2000), (4000, 5000)))
    assert asked == 1995
    reply = sound((2500, 4120))
    assert first_sound(reply, asked) == 2500
    assert silent_after(reply, 4100) == 15
    assert silent_after(reply, 4400) == 0  # between two words
    assert silent_after(reply, 4450) is None  # it was silent already
    with pytest.raises(AssertionError, match="not both heard"):
        end_of_question(sound((1000, 1500)))
    with pytest.raises(AssertionError, match="no reply"):
        first_sound(sound(), asked)


def test_a_beep_that_is_lost_counts_for_nothing() -> None:
    sent = sound((1000, 1040), (1400, 1440), (1800, 1840))
    back = sound((1080, 1120), (1890, 1930))
    assert round_trips(sent, back) == [80, 90]
