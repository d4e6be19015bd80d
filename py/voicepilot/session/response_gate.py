"""When may `response.create` be sent? Never while a response is being made.

The service makes one response at a time in a conversation and refuses a second one with
`conversation_already_has_active_response`. It also starts responses by itself, when the user stopped
speaking. So every wish for a response goes through this gate:

- at rest a wish is granted at once, otherwise it waits for the end of the response, and several wishes
  become one;
- after the user's turn the service's own response is expected, and nothing is sent before it came (or has
  not come for `EXPECT_SECONDS`);
- a response that called functions is followed by one response, when it is done and all outputs are sent;
  one that was cancelled is followed by none;
- a create that was refused because another response was faster is a wish again; one that was refused for
  another reason is dropped; one that nobody answered for `ASK_SECONDS` no longer holds up the next.

The gate also notices that nobody answers: no response for `EXPECT_SECONDS` or `ASK_SECONDS`, or one that
began and of which nothing came for `STALL_SECONDS`. The latter is still being made for all this side knows,
so nothing is granted over it; the user can interrupt it.

Responses outside the conversation do not count here. The gate has no clock: `now` is passed in.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ASK_SECONDS: Final = 5.0
EXPECT_SECONDS: Final = 5.0
STALL_SECONDS: Final = 10.0
"""More than it takes a slow model to think and a sentence to be spoken into the stream."""
RETRY_SECONDS: Final = 2.0
"""After a refusal the other response's end is awaited, but no longer than this if its start was missed."""

_MOST_REFUSALS: Final = 5  # in a row, before a wish is given up


class Stage(StrEnum):
    """What the service is doing about responses, as far as this side knows."""

    RESTING = "resting"
    ASKED = "asked"
    EXPECTED = "expected"
    ACTIVE = "active"


class ResponseGate:
    """Grants wishes for a response one at a time."""

    def __init__(self) -> None:
        self.stage = Stage.RESTING
        self.response_id = ""
        self.deadline: float | None = None
        self._wished = False
        self._open_calls: dict[str, str] = {}  # call id -> response id
        self._refusals = 0
        self._wait = 0.0
        self._heard_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether an answer is being made, is expected, or will be asked for."""
        return self.stage is not Stage.RESTING or self._wished or bool(self._open_calls)

    # --- wishes -------------------------------------------------------------------------------------

    @property
    def wished(self) -> bool:
        """Whether a wish waits."""
        return self._wished

    def wish(self) -> None:
        """A response is wanted."""
        self._wished = True

    def grant(self, now: float) -> bool:
        """Return whether `response.create` is to be sent now; the caller must then send it."""
        if not self._wished or self.stage is not Stage.RESTING or self._open_calls:
            return False
        self._wished = False
        self._enter(Stage.ASKED, now, ASK_SECONDS)
        return True

    def withdraw(self) -> bool:
        """The last wish is taken back; return whether it has been granted, so that its answer may come."""
        if self._wished:
            self._wished = False
            return False
        return self.stage is Stage.ASKED

    # --- function calls -----------------------------------------------------------------------------

    def called(self, call_id: str, response_id: str) -> None:
        """A response called a function; its output is awaited before the next response."""
        self._open_calls[call_id] = response_id

    def answered(self, call_id: str) -> None:
        """The output of a function call was sent."""
        response_id = self._open_calls.pop(call_id, None)
        if response_id is not None:
            self._wished = True

    # --- what the service reports -------------------------------------------------------------------

    def user_turn_ended(self, now: float) -> None:
        """The user's turn ended and the service will answer it by itself."""
        if self.stage in (Stage.RESTING, Stage.EXPECTED):
            self._enter(Stage.EXPECTED, now, EXPECT_SECONDS)

    def created(self, response_id: str, now: float) -> None:
        """A response began, asked for by this side or not."""
        self._refusals = 0
        self._heard_at = now
        self._enter(Stage.ACTIVE, now, STALL_SECONDS, response_id)

    def heard(self, response_id: str, now: float) -> None:
        """Something of this response came, or is being heard."""
        if self.stage is Stage.ACTIVE and response_id and response_id == self.response_id:
            self._heard_at = now
            if self.deadline is None:
                self.deadline = now + STALL_SECONDS

    def done(self, response_id: str, *, cancelled: bool = False) -> None:
        """A response ended. After a cancelled one its functions want no answer."""
        if cancelled:
            for call_id, of in list(self._open_calls.items()):
                if of == response_id:
                    del self._open_calls[call_id]
        if self.stage is Stage.ACTIVE and self.response_id in ("", response_id):
            self._rest()

    def refused(self, now: float, *, other_active: bool) -> bool:
        """The service refused the create that was sent last; return whether the wish is given up."""
        self._refusals += 1
        if other_active and self._refusals <= _MOST_REFUSALS:
            self._wished = True
            if self.stage is not Stage.ACTIVE:
                self._enter(Stage.ACTIVE, now, RETRY_SECONDS)
            return False
        if self.stage is Stage.ASKED:
            self._rest()
        return other_active

    def tick(self, now: float) -> float | None:
        """Stop waiting for what did not come; return for how many seconds nobody answered.

        None where nothing was due; 0.0 where only the end of another's response was awaited.
        """
        if self.deadline is None or now < self.deadline:
            return None
        if self.stage is Stage.ACTIVE and self.response_id:
            # The deadline is not moved with each event, only here: events come by the hundred.
            since = self._heard_at + STALL_SECONDS
            self.deadline = since if now < since else None
            return None if now < since else STALL_SECONDS
        waited = 0.0 if self.stage is Stage.ACTIVE else self._wait
        self._rest()
        return waited

    def _enter(self, stage: Stage, now: float, seconds: float, response_id: str = "") -> None:
        self.stage, self.response_id = stage, response_id
        self.deadline, self._wait = now + seconds, seconds

    def _rest(self) -> None:
        self.stage, self.response_id, self.deadline = Stage.RESTING, "", None
