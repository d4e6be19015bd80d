"""Which problem is it when the browser says no?

The names are those of `DOMException` (https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia).
"""

from __future__ import annotations

from typing import Final

from voicepilot.protocol.problems import Problem, problem

_MICROPHONE: Final = {
    "NotAllowedError": "microphone-permission",
    "PermissionDismissedError": "microphone-permission",
    "SecurityError": "microphone-policy",
    "NotFoundError": "microphone-missing",
    # The chosen device is gone; the browser knows others, but the person chose this one.
    "OverconstrainedError": "microphone-missing",
    "NotReadableError": "microphone-busy",
    "AbortError": "microphone-busy",
}

AUTOPLAY_REFUSED: Final = "NotAllowedError"
"""The name with which `play()` refuses before the person has touched the page."""


class Trouble(Exception):  # noqa: N818 (it carries a Problem; it is not one)
    """A step failed for a reason that a person can read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def microphone_problem(name: str) -> Problem:
    """The problem behind getUserMedia's refusal of this `name`."""
    code = _MICROPHONE.get(name)
    if code is None:
        return problem("internal", detail=f"opening the microphone gave {name}")
    return problem(code)
