"""Differences of two reports, in numbers for people."""

from __future__ import annotations

from typing import Any

import pytest

from voicepilot.page.link_statistics import LinkStatistics, Sampler


def report(
    *, delay: float, emitted: int, received: int, lost: int, octets: int
) -> list[dict[str, Any]]:
    return [
        {
            "type": "candidate-pair",
            "id": "CP1",
            "nominated": False,
            "currentRoundTripTime": 9.0,
            "localCandidateId": "L2",
        },
        {
            "type": "candidate-pair",
            "id": "CP2",
            "nominated": True,
            "currentRoundTripTime": 0.042,
            "localCandidateId": "L1",
        },
        {"type": "local-candidate", "id": "L1", "protocol": "udp"},
        {"type": "local-candidate", "id": "L2", "protocol": "tcp"},
        {
            "type": "inbound-rtp",
            "id": "I1",
            "kind": "audio",
            "jitterBufferDelay": delay,
            "jitterBufferEmittedCount": emitted,
            "packetsReceived": received,
            "packetsLost": lost,
            "bytesReceived": octets,
        },
        {"type": "outbound-rtp", "id": "O1", "kind": "audio", "bytesSent": octets // 2},
    ]


def test_the_second_report_tells_of_the_time_since_the_first() -> None:
    sampler = Sampler()
    sampler.take(report(delay=1000.0, emitted=5000, received=100, lost=50, octets=1000), 10.0)
    found = sampler.take(
        report(delay=2920.0, emitted=53_000, received=148, lost=52, octets=9000), 12.0
    )
    assert found.round_trip == pytest.approx(42.0)
    assert found.jitter_buffer == pytest.approx(40.0)
    assert found.loss == pytest.approx(4.0)
    assert found.received_rate == pytest.approx(32.0)
    assert found.sent_rate == pytest.approx(16.0)
    assert found.transport == "UDP"


def test_nothing_is_known_before_anything_came() -> None:
    assert Sampler().take([], 1.0) == LinkStatistics()


def test_a_late_packet_that_turns_a_loss_into_none_is_no_negative_loss() -> None:
    sampler = Sampler()
    sampler.take(report(delay=0, emitted=0, received=100, lost=5, octets=0), 1.0)
    found = sampler.take(report(delay=0, emitted=0, received=150, lost=4, octets=0), 2.0)
    assert found.loss == 0.0
    assert found.jitter_buffer is None


def test_values_that_the_browser_leaves_out_are_unknown() -> None:
    sparse = [
        {"type": "candidate-pair", "id": "P", "nominated": True, "currentRoundTripTime": None}
    ]
    assert Sampler().take(sparse, 1.0).round_trip is None
