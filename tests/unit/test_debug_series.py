"""A figure over the last minute."""

import pytest

from voicepilot.debug.series import Series, scale_for


def test_a_value_older_than_the_window_goes():
    series = Series("ms", window=10)
    for at in range(20):
        series.add(float(at), float(at))
    assert len(series) == 11
    assert (series.last, series.largest) == (19.0, 19.0)


def test_time_passes_without_a_value_too():
    series = Series("ms", window=10)
    series.add(3.0, 0.0)
    series.add(None, 30.0)
    assert len(series) == 0
    assert series.last is None


def test_now_is_at_the_right_edge_and_the_top_at_the_upper():
    series = Series("ms", window=60)
    series.add(50.0, 58.0)
    series.add(100.0, 60.0)
    assert series.lines(60.0, 300, 60, 100) == ["290.0,30.0 300.0,0.0"]


def test_a_gap_interrupts_the_line_and_nothing_leaves_the_picture():
    series = Series("ms", window=60)
    for at, value in ((0.0, 1.0), (1.0, 500.0), (20.0, -5.0)):
        series.add(value, at)
    first, second = series.lines(20.0, 60, 10, 100)
    assert first.split(" ")[1] == "41.0,0.0"
    assert second == "60.0,10.0"


@pytest.mark.parametrize(
    ("values", "top"), [([], 5), ([3.0], 5), ([7.0], 10), ([180.0], 200), ([99_999.0], 99_999.0)]
)
def test_the_scale_is_round_and_holds_the_largest(values, top):
    series = Series("ms")
    for value in values:
        series.add(value, 0.0)
    assert scale_for([series], 5) == top
