"""When is a request worth repeating, and after how long?

Rules
- What the service would answer the same way again is final at once: every 4xx but 429, and the 5xx that
  are about the request itself.
- 429 and the passing 5xx are repeated: after the time that the service asks for, else after a pause that
  doubles from try to try. The pause is shortened by chance, so that many clients do not come back at the
  same moment.
- A connection that failed before the request could leave is repeated likewise. One that failed later is
  repeated only where doing it twice does no harm: a second key is worth nothing to anybody, a second call
  would be held with nobody.
- No pause may end later than `within_s` after the first try, since a person waits, and no later try may
  still be connecting then; a service that asks for more time than is left has its answer shown at once.

Source for 429 and its headers: Microsoft's Azure OpenAI error guide of 2026-09-20.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_PASSING: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Trouble:
    """How one try went wrong.

    `status` is the answer's, None where none came. `wait_s` is how long the service asks to wait.
    `may_have_acted` is whether the service can have done what was asked though no answer came.
    """

    status: int | None = None
    wait_s: float | None = None
    may_have_acted: bool = False


@dataclass(frozen=True, slots=True)
class Retries:
    """The pauses between tries, in seconds: the first, the longest, how many, and when it is over."""

    first_s: float = 0.4
    longest_s: float = 3.0
    most: int = 3
    within_s: float = 10.0

    def pause(
        self, trouble: Trouble, tries: int, spent_s: float, chance: float, *, harmless: bool
    ) -> float | None:
        """Return how long to wait before the next try, None where the trouble is final.

        `tries` counts those made, from 1; `spent_s` is the time since the first began; `chance` lies in
        [0, 1) and is drawn anew each time; `harmless` says that doing it twice does no harm.
        """
        if tries > self.most or not _passes(trouble, harmless=harmless):
            return None
        if trouble.wait_s is not None:
            pause = trouble.wait_s
        else:
            pause = min(self.longest_s, self.first_s * 2.0 ** (tries - 1)) * (1 - chance / 2)
        return pause if spent_s + pause < self.within_s else None


def _passes(trouble: Trouble, *, harmless: bool) -> bool:
    if trouble.status is not None:
        return trouble.status in _PASSING
    return harmless or not trouble.may_have_acted
