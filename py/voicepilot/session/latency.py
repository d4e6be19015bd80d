"""How long did the answer take, and where did the time go?

A turn's latency runs from the user's last sound (or the sending of typed words) to the first sound of the
answer in the page. Its parts, in milliseconds:

- `end of turn`: the silence the service waits for before it calls the turn ended; known from the session's
  configuration, since the service reports the end only after it;
- `answer`: until the first words of the answer;
- `voice`: until the service begins to send sound;
- `way to you`: until the page hears it.

A mark that did not come leaves its part out; marks that came out of order count as zero. Sound and events
travel separately: where the page hears the answer before it has read any event of it (a busy browser), all of
the time is `answer`, because nothing tells which share of it was the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_TURNS: Final = 200  # kept for the median

# Mark, and the name of the part that ends with it, in the order of time.
_PARTS: Final = (("words", "answer"), ("sound", "voice"), ("heard", "way to you"))


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """One turn's latency: its parts in order, each (name, milliseconds)."""

    parts: tuple[tuple[str, float], ...]

    @property
    def total(self) -> float:
        """All parts together, in milliseconds."""
        return sum(milliseconds for _, milliseconds in self.parts)


class LatencyLedger:
    """Marks of the present turn and the latencies of those before it."""

    def __init__(self) -> None:
        self.turns: list[TurnLatency] = []
        self._began: float | None = None
        self._silence_ms = 0.0
        self._marks: dict[str, float] = {}

    @property
    def last(self) -> TurnLatency | None:
        """The latency of the newest turn that was answered."""
        return self.turns[-1] if self.turns else None

    def turn_ended(self, now: float, silence_ms: float = 0.0) -> None:
        """The user's turn ended; the silence that showed it lasted `silence_ms`."""
        self._began, self._silence_ms, self._marks = now, silence_ms, {}

    def drop(self) -> None:
        """The answer was interrupted or came without sound: this turn has no latency."""
        self._began = None

    def words_came(self, now: float) -> None:
        """First words of the answer."""
        self._marks.setdefault("words", now)

    def sound_sent(self, now: float) -> None:
        """The service begins to send the answer's sound."""
        self._marks.setdefault("sound", now)

    def sound_heard(self, now: float) -> bool:
        """The page hears the answer: the turn is complete. Return whether one was being measured."""
        if self._began is None:
            return False
        self._marks["heard"] = now
        parts = [("end of turn", self._silence_ms)] if self._silence_ms else []
        before = self._began
        if self._marks.keys() == {"heard"}:
            self._marks = {"words": now}
        for mark, name in _PARTS:
            at = self._marks.get(mark)
            if at is not None:
                parts.append((name, max(0.0, at - before) * 1000))
                before = max(before, at)
        self.turns.append(TurnLatency(tuple(parts)))
        del self.turns[:-_MOST_TURNS]
        self._began = None
        return True
