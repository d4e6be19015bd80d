"""Packets come late, twice, in the wrong order, or not at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voicepilot.emulator.jitter import Encoded, LowJitterBuffer, opus_duration

TWENTY_MS = bytes([0x78, 1, 2])  # configuration 15: hybrid, 20 ms; one frame
STEP = 960


def packet(number: int) -> tuple[int, int, bytes]:
    return number % 65536, (number * STEP) % 2**32, TWENTY_MS + number.to_bytes(4, "big")


def numbers(released: list[Encoded]) -> list[int]:
    return [int.from_bytes(each.data[3:], "big") for each in released]


def test_in_order_every_packet_goes_out_at_once() -> None:
    buffer = LowJitterBuffer()
    for number in range(100):
        assert numbers(buffer.add(*packet(number), now=number * 0.02)) == [number]
        assert buffer.deadline is None


def test_sequence_numbers_and_timestamps_wrap_around() -> None:
    buffer = LowJitterBuffer()
    first = 2**32 // STEP - 3
    first += (65_534 - first) % 65_536
    for number in range(first, first + 8):
        (released,) = buffer.add(*packet(number), now=0.0)
        assert (int.from_bytes(released.data[3:], "big"), released.missing) == (number, 0)


def test_two_swapped_packets_are_put_right() -> None:
    buffer = LowJitterBuffer()
    assert numbers(buffer.add(*packet(0), now=0.0)) == [0]
    assert buffer.add(*packet(2), now=0.02) == []
    assert numbers(buffer.add(*packet(1), now=0.03)) == [1, 2]
    assert buffer.deadline is None


def test_a_lost_packet_is_waited_for_only_so_long_and_then_is_silence() -> None:
    buffer = LowJitterBuffer(patience_s=0.04)
    buffer.add(*packet(0), now=0.0)
    assert buffer.add(*packet(2), now=0.02) == []
    assert buffer.deadline == 0.06
    assert buffer.overdue(0.05) == []
    (released,) = buffer.overdue(0.06)
    assert (numbers([released]), released.missing) == ([2], STEP)
    assert buffer.add(*packet(1), now=0.07) == []
    assert numbers(buffer.add(*packet(3), now=0.08)) == [3]


def test_a_repeated_packet_is_dropped() -> None:
    buffer = LowJitterBuffer()
    buffer.add(*packet(0), now=0.0)
    assert buffer.add(*packet(0), now=0.01) == []
    assert numbers(buffer.add(*packet(1), now=0.02)) == [1]


def test_another_stream_is_followed_without_a_pause() -> None:
    buffer = LowJitterBuffer()
    buffer.add(*packet(0), now=0.0)
    (released,) = buffer.add(*packet(30_000), now=0.02)
    assert (numbers([released]), released.missing) == ([30_000], 0)
    (back,) = buffer.add(*packet(10_000), now=0.04)
    assert numbers([back]) == [10_000]


@given(
    st.lists(st.booleans(), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_order_holds_and_no_time_is_lost(kept: list[bool], random: object) -> None:
    """Whatever is lost and however packets overtake each other by up to two places."""
    arriving = [number for number, keep in enumerate([True, *kept, True]) if keep]
    shuffled = sorted(arriving, key=lambda number: number + 2 * random.random())  # type: ignore[attr-defined]
    buffer = LowJitterBuffer(patience_s=0.06)
    out: list[Encoded] = []
    for tick, number in enumerate(shuffled):
        now = max(tick, number) * 0.02
        out += buffer.overdue(now) + buffer.add(*packet(number), now=now)
    out += buffer.overdue(1e9)

    given_out = numbers(out)
    assert given_out == sorted(set(given_out))
    span = sum(each.missing for each in out) + STEP * len(out)
    assert span == STEP * (given_out[-1] - given_out[0] + 1)


def test_how_long_an_opus_packet_is() -> None:
    assert opus_duration(TWENTY_MS) == 960
    assert opus_duration(bytes([0x70])) == 480
    assert opus_duration(bytes([0xFC])) == 960
    assert opus_duration(bytes([0xF9])) == 1920
    assert opus_duration(bytes([0x7B, 3])) == 2880
    assert opus_duration(b"") == 960
