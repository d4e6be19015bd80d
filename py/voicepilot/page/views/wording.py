"""Which words does the page use for states, speakers and numbers?

Every state has words of its own, so that colour and motion only repeat what is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class StateWords:
    """A state in words: its name, and what the person can do in it."""

    name: str
    hint: str


STATES: Final = {
    "idle": StateWords("Ready", "Press Talk and speak."),
    "connecting": StateWords("Connecting…", "Opening the microphone and the call."),
    "listening": StateWords("Listening", "Speak whenever you like."),
    "user-speaking": StateWords("You are speaking", "A short pause hands over the word."),
    "thinking": StateWords("Thinking…", "The answer is on its way."),
    "assistant-speaking": StateWords("Assistant speaking", "Speak or press Esc to interrupt."),
    "reconnecting": StateWords("Reconnecting…", "The connection was lost for a moment."),
    "ended": StateWords("Call ended", "The microphone is off. Press Talk for a new call."),
    "failed": StateWords("Call failed", "The microphone is off."),
}
"""The words for each value of `<main data-state>`."""

MUTED_HINT: Final = "Your microphone is muted."

LIVE: Final = frozenset({"listening", "user-speaking", "thinking", "assistant-speaking"})
"""States of a call in which both sides can hear each other."""

ACTIVE: Final = LIVE | {"connecting", "reconnecting"}
"""States in which there is something to stop."""

SPEAKERS: Final = {"user": "You", "assistant": "Assistant", "system": "System"}

UNKNOWN: Final = "\N{EN DASH}"
"""Stands where a number is not known."""

_QUIETEST_DB: Final = -60.0


def state_hint(state: str, *, muted: bool) -> str:
    """What the person can do in `state`."""
    if muted and state in LIVE and state != "assistant-speaking":
        return MUTED_HINT
    return STATES[state].hint


def speaker(role: str) -> str:
    """Who speaks, by the protocol's `role`."""
    return SPEAKERS.get(role, role.capitalize() or "Someone")


def remark(role: str, status: str) -> str:
    """What is said below a turn about how it ended; empty where it needs no word."""
    match status:
        case "interrupted":
            return "Interrupted" if role == "assistant" else "Not finished"
        case "failed":
            return "Failed"
    return ""


def absent_words(role: str, *, awaited: bool) -> str:
    """What stands in the place of a turn's words while they are unknown."""
    if awaited:
        return "Answering…" if role == "assistant" else "Writing down what you said…"
    return "Nothing was heard." if role == "assistant" else "Your words were not written down."


def tool_state(status: str, *, answered: bool) -> str:
    """How far a tool call has come."""
    if answered:
        return "done"
    return {"interrupted": "not finished", "failed": "failed"}.get(status, "running…")


def duration(milliseconds: float) -> str:
    """A duration as people read it: 87 ms, 1.24 s."""
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s"


def start(milliseconds: float, without: str) -> str:
    """How the page started. `without` says what is wrong with Python's memory: "is damaged"."""
    how = f"without its memory, which {without}" if without else "from memory"
    return f"{duration(milliseconds)}, {how}"


def figure(value: float | None, unit: str, *, decimals: int = 0) -> str:
    """A measured number with its unit; a dash where it is unknown."""
    return UNKNOWN if value is None else f"{value:.{decimals}f} {unit}"


def loudness(rms: float) -> float:
    """How far a level meter goes for this root mean square, 0 to 1, even in decibels from -60 to 0."""
    if rms <= 0:
        return 0.0
    return min(1.0, max(0.0, 1.0 - 20 * math.log10(rms) / _QUIETEST_DB))
