"""When does a turn begin and end where the person's finger decides, and not the service's ear?

With turn detection off (`turn_detection: null`) the service waits for a commit, and the call stays open, its
microphone closed in between. Rules

- A press begins a turn: what was heard before it is thrown away, the microphone opens.
- Letting go ends it, but the microphone stays open for `DRAIN_SECONDS`: people let go with their last word,
  and the browser still holds some of it. Then the turn is committed and an answer wished for.
- A press during the drain goes on with the same turn.
- A press shorter than `SHORTEST_SECONDS` is a slip of the finger: no turn, and what was heard is thrown away.
- A turn in which the service heard too little is none either, and wants no answer.
- Whether turns are taken so is what the service last said of the session; before it has said anything, what
  the call is opened with.

The states: UP -press-> HELD -release-> DRAINING -time-> UP, DRAINING -press-> HELD, HELD -slip-> UP. What
has no use in the present state changes nothing. No clock here: `now` is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from ..protocol.client_events import CancelResponse, ClearInput, ClientEvent, CommitAudio
from ..protocol.server_events import ErrorDetail
from ..protocol.service_errors import COMMIT_EMPTY
from .commands import Command, Send
from .latency import LatencyLedger
from .response_gate import ResponseGate, Stage
from .turn_taking import Report, TurnTaking

DRAIN_SECONDS: Final = 0.5
SHORTEST_SECONDS: Final = 0.1
"""The service itself refuses to commit less than 100 ms of sound."""


class Button(StrEnum):
    """Where the button is, and what it has set going."""

    UP = "up"
    HELD = "held"
    DRAINING = "draining"


class PushToTalk:
    """The turns of one call that are taken by hand, if they are (`chosen`)."""

    def __init__(
        self,
        gate: ResponseGate,
        turns: TurnTaking,
        latency: LatencyLedger,
        send: Callable[[ClientEvent, float], Send],
        *,
        chosen: bool,
    ) -> None:
        self.chosen = chosen
        self.deadline: float | None = None
        self._gate = gate
        self._turns = turns
        self._latency = latency
        self._send = send
        self._button = Button.UP
        self._pressed_at = self._released_at = 0.0
        self._commit_id = ""

    @property
    def held(self) -> bool:
        """Whether the button is down."""
        return self._button is Button.HELD

    @property
    def speaking(self) -> bool:
        """Whether a turn is being spoken, from the press to the end of the drain."""
        return self._button is not Button.UP

    @property
    def opens_microphone(self) -> bool:
        """Whether the microphone's sound is wanted: always, or only while a turn is being spoken."""
        return self.speaking or not self.chosen

    def choose(self, chosen: bool) -> None:
        """Take turns by hand, or no longer. A change lifts the button."""
        if chosen != self.chosen:
            self.chosen = chosen
            self._button, self.deadline = Button.UP, None
            # Who was speaking is not known by the new rules; whoever speaks on is heard anew.
            self._turns.apply(Report.USER_ENDS)

    def begins_with(self, now: float) -> bool:
        """The button goes down; return whether a turn begins with it."""
        if not self.chosen or self.held:
            return False
        begins = self._button is Button.UP
        if begins:
            self._pressed_at = now
        self._button, self.deadline = Button.HELD, None
        return begins

    def begin(self, now: float) -> list[Command]:
        """A turn begins."""
        self._turns.apply(Report.USER_BEGINS)
        return [self._send(ClearInput(), now)]

    def release(self, now: float) -> list[Command]:
        """The button comes up."""
        if not self.held:
            return []
        if now - self._pressed_at >= SHORTEST_SECONDS:
            self._button, self._released_at = Button.DRAINING, now
            self.deadline = now + DRAIN_SECONDS
            return []
        self._button = Button.UP
        self._turns.apply(Report.USER_ENDS)
        if self._gate.busy:
            self._turns.apply(Report.ANSWER_AWAITED)
        return [self._send(ClearInput(), now)]

    def tick(self, now: float) -> list[Command]:
        """Once the drain is over, end the turn and wish for its answer."""
        if self.deadline is None or now < self.deadline:
            return []
        self._button, self.deadline = Button.UP, None
        commit = self._send(CommitAudio(), now)
        self._turns.apply(Report.USER_ENDS)
        self._turns.apply(Report.ANSWER_AWAITED)
        waited_ms = (now - self._released_at) * 1000
        self._latency.turn_ended(now, waited_ms, busy=self._gate.stage is Stage.ACTIVE)
        # With an older wish the answer is wanted even if this turn turns out to be none.
        self._commit_id = "" if self._gate.wished else commit.event.event_id
        self._gate.wish()
        return [commit]

    def failed(self, error: ErrorDetail, now: float) -> list[Command]:
        """The service refused something. If that was the turn, take its wish back: it may be on its way."""
        of_turn = error.code == COMMIT_EMPTY or error.event_id == self._commit_id
        if not self._commit_id or not of_turn:
            return []
        self._commit_id = ""
        self._latency.drop()
        granted = self._gate.withdraw()
        if not self._gate.busy:
            self._turns.apply(Report.ANSWER_ENDS)
        return [self._send(CancelResponse(), now)] if granted else []
