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

Responses outside the conversation do not count here. The gate has no clock: `now` is passed in.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ASK_SECONDS: Final = 5.0
EXPECT_SECONDS: Final = 5.0
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

    @property
    def busy(self) -> bool:
        """Whether an answer is being made, is expected, or will be asked for."""
        return self.stage is not Stage.RESTING or self._wished or bool(self._open_calls)

    # --- wishes -------------------------------------------------------------------------------------

    def wish(self) -> None:
        """A response is wanted."""
        self._wished = True

    def grant(self, now: float) -> bool:
        """Return whether `response.create` is to be sent now; the caller must then send it."""
        if not self._wished or self.stage is not Stage.RESTING or self._open_calls:
            return False
        self._wished = False
        self._enter(Stage.ASKED, now + ASK_SECONDS)
        return True

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
        if self.stage is Stage.RESTING:
            self._enter(Stage.EXPECTED, now + EXPECT_SECONDS)

    def created(self, response_id: str) -> None:
        """A response began, asked for by this side or not."""
        self._refusals = 0
        self._enter(Stage.ACTIVE, None, response_id)

    def done(self, response_id: str, *, cancelled: bool = False) -> None:
        """A response ended. After a cancelled one its functions want no answer."""
        if cancelled:
            for call_id, of in list(self._open_calls.items()):
                if of == response_id:
                    del self._open_calls[call_id]
        if self.stage is Stage.ACTIVE and self.response_id in ("", response_id):
            self._enter(Stage.RESTING, None)

    def refused(self, now: float, *, other_active: bool) -> None:
        """The service refused the create that was sent last."""
        self._refusals += 1
        if other_active and self._refusals <= _MOST_REFUSALS:
            self._wished = True
            if self.stage is not Stage.ACTIVE:
                self._enter(Stage.ACTIVE, now + RETRY_SECONDS)
        elif self.stage is Stage.ASKED:
            self._enter(Stage.RESTING, None)

    def tick(self, now: float) -> bool:
        """Stop waiting for what did not come; return whether that was so."""
        if self.deadline is None or now < self.deadline:
            return False
        self._enter(Stage.RESTING, None)
        return True

    def _enter(self, stage: Stage, deadline: float | None, response_id: str = "") -> None:
        self.stage, self.deadline, self.response_id = stage, deadline, response_id
