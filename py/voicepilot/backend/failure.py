"""How does a problem that a person shall read travel through the backend? As a `Failure`."""

from __future__ import annotations

from voicepilot.protocol.problems import Problem, problem


class Failure(Exception):  # noqa: N818 - it is the failure of a call, not a fault of the program
    """Raised where an operation for the page fails in a way that the catalogue knows."""

    def __init__(self, code: str, **details: object) -> None:
        """Take the code and details of `voicepilot.protocol.problems.problem`."""
        self.problem: Problem = problem(code, **details)
        super().__init__(self.problem.says)
