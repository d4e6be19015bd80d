"""The rehearsal goes through a whole call, so that nothing of its path is new when it matters."""

from __future__ import annotations

from voicepilot.page.rehearsal import rehearse
from voicepilot.session import Phase


def test_it_is_a_whole_call() -> None:
    call = rehearse()
    assert call.phase is Phase.ENDED
    assert call.problem is None
    assert call.record.malformed == 0
    assert not call.record.unknown
    assert [turn.text for turn in call.conversation.turns if turn.role == "assistant"] == [
        "word " * 10
    ]
