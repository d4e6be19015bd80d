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
    """Marks of the present turn, and the latency of the last one that was answered."""

    def __init__(self) -> None:
        self.last: TurnLatency | None = None
        self._began: float | None = None
        self._answering = False  # whether what comes belongs to the answer to this turn
        self._silence_ms = 0.0
        self._marks: dict[str, float] = {}

    def turn_ended(self, now: float, silence_ms: float = 0.0, *, busy: bool = False) -> None:
        """The user's turn ended; the silence that showed it lasted `silence_ms`.

        While an earlier answer is still being made or heard (`busy`), what comes is not counted before
        `answer_began`.
        """
        self._began, self._silence_ms, self._marks = now, silence_ms, {}
        self._answering = not busy

    def answer_began(self) -> None:
        """The service begins the answer to this turn."""
        self._answering = True

    def drop(self) -> None:
        """The answer was interrupted or came without sound: this turn has no latency."""
        self._began = None

    def words_came(self, now: float) -> None:
        """First words of the answer."""
        if self._answering:
            self._marks.setdefault("words", now)

    def sound_sent(self, now: float) -> None:
        """The service begins to send the answer's sound."""
        if self._answering:
            self._marks.setdefault("sound", now)

    def sound_heard(self, now: float) -> None:
        """The page hears the answer: the turn is complete."""
        if self._began is None or not self._answering:
            return
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
        self.last = TurnLatency(tuple(parts))
        self._began = None
