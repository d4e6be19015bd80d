"""Who has the word? The states of taking turns, moved by what the service reports.

The service leads: it hears the user begin and end, makes the answer, plays it. Its reports can be late,
missing or doubled, so a report that the present state has no use for changes nothing.

- Who speaks has the word: the user over everything, the assistant while its sound is played.
- Between the user's last word and the first sound of the answer the assistant is thinking.
- An answer that ends without sound (text, a function call) gives the word back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Floor(StrEnum):
    """Who has the word. The values are those of `<main data-state>` in a live call."""

    LISTENING = "listening"
    USER_SPEAKING = "user-speaking"
    THINKING = "thinking"
    ASSISTANT_SPEAKING = "assistant-speaking"


class Report(StrEnum):
    """What can be reported of a turn."""

    USER_BEGINS = "user begins"
    USER_ENDS = "user ends"
    ANSWER_AWAITED = "answer awaited"
    ANSWER_ENDS = "answer ends"
    SOUND_BEGINS = "sound begins"
    SOUND_ENDS = "sound ends"


_F, _R = Floor, Report

_TURNS: Final[dict[Floor, dict[Report, Floor]]] = {
    _F.LISTENING: {
        _R.USER_BEGINS: _F.USER_SPEAKING,
        _R.ANSWER_AWAITED: _F.THINKING,
        _R.SOUND_BEGINS: _F.ASSISTANT_SPEAKING,
    },
    _F.USER_SPEAKING: {
        _R.USER_ENDS: _F.LISTENING,
    },
    _F.THINKING: {
        _R.USER_BEGINS: _F.USER_SPEAKING,
        _R.SOUND_BEGINS: _F.ASSISTANT_SPEAKING,
        _R.ANSWER_ENDS: _F.LISTENING,
    },
    _F.ASSISTANT_SPEAKING: {
        _R.USER_BEGINS: _F.USER_SPEAKING,
        _R.SOUND_ENDS: _F.LISTENING,
    },
}


class TurnTaking:
    """The present holder of the word."""

    def __init__(self) -> None:
        self.floor = Floor.LISTENING

    def apply(self, report: Report) -> None:
        """Take in a report; one that is not in the table changes nothing."""
        self.floor = _TURNS[self.floor].get(report, self.floor)
