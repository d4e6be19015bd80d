"""What did the checks find? Each `Finding` says what was tried and, where it failed, who can mend it.

Nothing in a report is secret: it is made to be attached to a question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from textwrap import wrap
from typing import Any, Final

from voicepilot import __version__
from voicepilot.protocol.problems import Mender, Problem

_WIDTH: Final = 96


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check tried and found, in sentences; `problem` says who can mend it, and how.

    `seconds` is how long it took, `follows` the failed check because of which it was not tried.
    """

    name: str
    tried: str
    state: State
    found: str
    problem: Problem | None = None
    seconds: float = 0.0
    follows: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as one entry of a report."""
        entry: dict[str, Any] = {
            "name": self.name,
            "tried": self.tried,
            "state": self.state.value,
            "found": self.found,
            "seconds": round(self.seconds, 3),
        }
        if self.problem is not None:
            entry["problem"] = {
                "code": self.problem.code,
                "mender": self.problem.mender.value,
                "next_step": self.problem.next_step,
            }
        return entry


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended, before it has its name: see `ok`, `warned`, `failed`, `skipped`."""

    state: State
    found: str
    problem: Problem | None = None
    follows: str = ""

    def named(self, name: str, tried: str, seconds: float) -> Finding:
        """Return the finding of the check `name`."""
        return Finding(name, tried, self.state, self.found, self.problem, seconds, self.follows)

    def weakened(self) -> Outcome:
        """Return it as a warning: calls are possible all the same."""
        return replace(self, state=State.WARNING) if self.state is State.FAILED else self


def ok(found: str) -> Outcome:
    """It is as it should be."""
    return Outcome(State.OK, found)


def skipped(found: str) -> Outcome:
    """It could not be tried, or need not be."""
    return Outcome(State.SKIPPED, found)


def failed(problem: Problem) -> Outcome:
    """Calls fail on this."""
    return Outcome(State.FAILED, problem.says, problem)


def warned(problem: Problem) -> Outcome:
    """Calls are possible, but less good."""
    return Outcome(State.WARNING, problem.says, problem)


_MENDERS: Final = {
    Mender.USER: "You can mend this",
    Mender.ADMINISTRATOR: "Whoever administers the resource or the network can mend this",
    Mender.SERVICE: "The service has to mend this",
    Mender.US: "This is a fault of VoicePilot",
}


_SIGNS: Final = {State.OK: "✓", State.WARNING: "⚠", State.FAILED: "✗", State.SKIPPED: "·"}


def lines(finding: Finding) -> Iterator[str]:
    """Yield a finding for a person at a terminal."""
    first, *others = finding.found.splitlines() or [""]
    yield f"{finding.state.value:<8} {finding.name}: {first}"
    yield from (f"{'':<9}{line}".rstrip() for line in others)
    if finding.problem is not None:
        yield from _indented(f"{_MENDERS[finding.problem.mender]}: {finding.problem.next_step}")


def verdict(findings: Sequence[Finding]) -> str:
    """Return the last sentence of a report."""
    broken = [each.name for each in findings if each.state is State.FAILED]
    if broken:
        return f"Calls are not possible yet. Mend this first: {broken[0]}."
    weak = [each.name for each in findings if each.state is State.WARNING]
    if weak:
        return f"Calls are possible; they would be better without: {', '.join(weak)}."
    return "Everything that could be tried is in order."


def to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the whole report."""
    return {
        "voicepilot": __version__,
        "good": all(each.state is not State.FAILED for each in findings),
        "verdict": verdict(findings),
        "checks": [each.to_json() for each in findings],
    }


def document(findings: Sequence[Finding]) -> str:
    """Return the whole report as Markdown."""
    parts = [f"# VoicePilot's doctor\n\nVoicePilot {__version__}. **{verdict(findings)}**"]
    for each in findings:
        parts.append(f"## {_SIGNS[each.state]} {each.name}: {each.state.value}")
        # What is tried and found may hold names from elsewhere: it is shown as it is.
        parts.append(f"Tried: {each.tried} ({each.seconds:.1f} s)")
        parts.append(f"```text\n{each.found.replace('```', chr(39) * 3)}\n```")
        if each.problem is not None:
            parts.append(f"{_MENDERS[each.problem.mender]}: {each.problem.next_step}")
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> Iterator[str]:
    for line in wrap(text, _WIDTH - 9, break_long_words=False, break_on_hyphens=False):
        yield f"{'':<9}{line}"
