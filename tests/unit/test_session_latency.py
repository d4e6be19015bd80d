"""How long an answer took, and where the time went."""

from voicepilot.session.latency import LatencyLedger


def test_the_parts_add_up_to_the_time_from_the_last_word_to_the_first_sound():
    ledger = LatencyLedger()
    ledger.turn_ended(10.0, silence_ms=200)
    ledger.words_came(10.25)
    ledger.sound_sent(10.5)
    ledger.sound_heard(10.625)
    assert ledger.last is not None
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
    ledger.sound_heard(15.75)
    ledger.words_came(16.0)
    assert ledger.last is not None
    assert ledger.last.parts == (("answer", 5750),)


def test_a_second_sound_of_the_same_answer_measures_nothing():
    ledger = LatencyLedger()
    ledger.turn_ended(10.0)
    ledger.sound_heard(11.0)
    first = ledger.last
    ledger.sound_heard(12.0)
    assert ledger.last is first


def test_what_still_comes_of_an_earlier_answer_is_not_the_answer_to_this_turn():
    ledger = LatencyLedger()
    ledger.turn_ended(10.0, busy=True)
    ledger.words_came(10.1)
    ledger.sound_heard(10.3)
    assert ledger.last is None
    ledger.answer_began()
    ledger.words_came(12.0)
    ledger.sound_heard(12.5)
    assert ledger.last is not None
    assert ledger.last.parts == (("answer", 2000), ("way to you", 500))
