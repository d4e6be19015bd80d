"""How long an answer took, and where the time went."""

from voicepilot.session.latency import LatencyLedger


def test_the_parts_add_up_to_the_time_from_the_last_word_to_the_first_sound():
    ledger = LatencyLedger()
    ledger.turn_ended(10.0, silence_ms=200)
    ledger.words_came(10.25)
    ledger.sound_sent(10.5)
    assert ledger.sound_heard(10.625)
    assert ledger.last.parts == (
        ("end of turn", 200),
        ("answer", 250),
        ("voice", 250),
        ("way to you", 125),
    )
    assert ledger.last.total == 825


def test_sound_that_is_heard_before_any_event_is_read_is_not_all_its_way():
    """Seen in the time line of /debug on a busy machine: heard at 5796 ms, its events at 6088 ms."""
    ledger = LatencyLedger()
    ledger.turn_ended(10.0)
    assert ledger.sound_heard(15.75)
    ledger.words_came(16.0)
    assert ledger.last.parts == (("answer", 5750),)


def test_a_second_sound_of_the_same_answer_measures_nothing():
    ledger = LatencyLedger()
    ledger.turn_ended(10.0)
    ledger.sound_heard(11.0)
    assert not ledger.sound_heard(12.0)
    assert len(ledger.turns) == 1
