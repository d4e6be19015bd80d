"""Which words does the page use for states, speakers and numbers?

Every state has words of its own, so that colour and motion only repeat what is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from voicepilot.bridge.settings_messages import SettingInfo


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

_BY_HAND: Final = {
    False: {
        "listening": StateWords("Your turn", "Hold the button or the space bar while you speak."),
        "user-speaking": StateWords("You are speaking", "Let go when you have said it."),
        "assistant-speaking": StateWords(
            "Assistant speaking", "Hold to speak, or press Esc, to interrupt."
        ),
    },
    True: {
        "listening": StateWords("Your turn", "Press the button or the space bar and speak."),
        "user-speaking": StateWords("You are speaking", "Press again when you have said it."),
        "assistant-speaking": StateWords(
            "Assistant speaking", "Press to speak, or press Esc, to interrupt."
        ),
    },
}
"""The words that are others with push-to-talk, by whether its button toggles."""

HOLD_NAMES: Final = {False: "Hold to talk", True: "Press to talk"}
"""What is written on the push-to-talk button, by whether it toggles."""

MUTED_HINT: Final = "Your microphone is muted."

LIVE: Final = frozenset({"listening", "user-speaking", "thinking", "assistant-speaking"})
"""States of a call in which both sides can hear each other."""

ACTIVE: Final = LIVE | {"connecting", "reconnecting"}
"""States in which there is something to stop."""

SPEAKERS: Final = {"user": "You", "assistant": "Assistant", "system": "System"}

UNKNOWN: Final = "\N{EN DASH}"
"""Stands where a number is not known."""

_QUIETEST_DB: Final = -60.0


def state_words(state: str, *, muted: bool, toggles: bool | None = None) -> StateWords:
    """A state in words. `toggles` is whether the push-to-talk button does; None where there is none."""
    words = STATES[state] if toggles is None else _BY_HAND[toggles].get(state, STATES[state])
    if muted and state in LIVE and state != "assistant-speaking":
        return StateWords(words.name, MUTED_HINT)
    return words


def hold_hint(*, toggles: bool, held: bool, muted: bool) -> str:
    """What the push-to-talk button does now."""
    if muted and not held:
        return "Unmute the microphone to speak."
    if held:
        return "The microphone is open."
    how = "The space bar" if toggles else "Holding the space bar"
    return f"The microphone is closed. {how} does the same."


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


_CHOICES: Final = {
    "server_vad": "By silence",
    "semantic_vad": "By what you say",
    "push-to-talk": "Push to talk",
    "near_field": "Headset",
    "far_field": "Laptop or room",
    "audio": "Aloud, with captions",
    "text": "In writing",
    "webrtc": "WebRTC",
    "websocket": "WebSocket",
    "hold": "Hold while speaking",
    "toggle": "Press to begin and to end",
}


def choice(value: str) -> str:
    """A setting's choice as it is offered; the name that files and documents use follows in brackets."""
    words = _CHOICES.get(value)
    return f"{words} ({value})" if words else value or "none"


def setting_value(value: str | bool | int | float) -> str:
    """A setting's value as it stands in its field."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def about_setting(setting: SettingInfo) -> str:
    """What a setting means, within which limits, and when a change counts if that is not at once."""
    parts = [setting.description]
    if setting.least is not None and setting.most is not None:
        parts.append(
            f"From {setting.least:g} to {setting.most:g}{' ' if setting.unit else ''}{setting.unit}."
        )
    if setting.applies != "now":
        parts.append("Counts from the next call.")
    return " ".join(parts)


def setting_source(source: str) -> str:
    """Where a value comes from, as it follows what a setting means; nothing for a default."""
    return "" if source == "default" else f" Set by: {source}."
