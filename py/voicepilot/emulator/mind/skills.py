"""What can the demo do by itself?

A skill is a line of a table: a function that gives an answer to a request or None. Adding one means
writing the function and its line, and naming it in :data:`ABILITIES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicepilot.emulator.mind import numerals, sums
from voicepilot.emulator.mind.replies import Say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

ABILITIES = (
    "tell the time and the date, do sums, repeat what you say, spell a word, "
    "and count to one hundred"
)
"""What follows "I can"."""

_HIGHEST = 100
_MOST_LETTERS = 40

_POLITE = re.compile(
    r"(?:(?:hi|hello|hey|ok|okay|please|now|so|well|um|uh|and|then|(?:can|could|would|will) you|"
    r"i (?:want|would like) you to)[\s,.!]+)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What was said, white space tidied, and when (in the local time of the demo)."""

    said: str
    now: datetime

    @property
    def core(self) -> str:
        """What was said, without "hello, could you please"."""
        polite = _POLITE.match(self.said)
        return self.said[polite.end() :] if polite else self.said


def first_answer(skills: Sequence[Callable[[Request], str | None]], request: Request) -> Say | None:
    """The answer of the first of ``skills`` that has one."""
    for skill in skills:
        text = skill(request)
        if text:
            return Say(text)
    return None


def _repeat(request: Request) -> str | None:
    match = re.match(
        r"(?:repeat after me|repeat|say after me|say)\b[\s,.:;-]*(.*)", request.core, re.IGNORECASE
    )
    if not match:
        return None
    words = match[1].strip().strip('"\u201c\u201d')
    if not any(character.isalnum() for character in words):
        return "Say repeat after me, and then the words I should say."
    return words[0].upper() + words[1:]


def _spell(request: Request) -> str | None:
    match = re.match(
        r"(?:how (?:do|would) you )?spell (?:out )?(?:the )?(?:word |name )?[\"\u201c]?([\w'-]+)",
        request.core,
        re.IGNORECASE,
    ) or re.match(r"how is (?:the word )?([\w'-]+) (?:spelled|spelt)", request.core, re.IGNORECASE)
    if not match:
        return None
    letters = [letter.upper() for letter in match[1] if letter.isalnum()][:_MOST_LETTERS]
    # As initials: with a comma after it, a spoken A is easily taken for another letter.
    return " ".join(f"{letter}." for letter in letters) or None


def _count(request: Request) -> str | None:
    match = re.match(r"(?:let's )?count\b(.*)", request.core, re.IGNORECASE)
    if not match:
        return None
    numbers = numerals.whole_numbers(match[1])
    down = re.search(r"\b(?:down|backwards)\b", match[1], re.IGNORECASE) is not None
    if not numbers:
        return "Tell me how far to count, for example: count to ten."
    first, last = (numbers[0], numbers[1]) if len(numbers) > 1 else (1, numbers[0])
    if down and first < last:
        first, last = last, first
    if max(first, last) > _HIGHEST:
        return "I can count to one hundred at most."
    step = 1 if first <= last else -1
    return ", ".join(str(number) for number in range(first, last + step, step)) + "."


def _sum(request: Request) -> str | None:
    return sums.answer(request.core)


_ASKS_TIME = re.compile(
    r"\bwhat time (?:is it|do we have|do you have)|\bwhat(?:'s| is) the (?:current )?time\b(?! of)|"
    r"\b(?:tell|give) me the (?:current )?time\b|^the time\b|\bwhat does the clock say|"
    r"\bwhat the time is\b|\bwhat time it is\b",
    re.IGNORECASE,
)
_ASKS_DATE = re.compile(
    r"\bwhat(?:'s| is) (?:the|today's) (?:current )?date\b|\bwhat (?:day|date) (?:is it|is today)|"
    r"\b(?:tell|give) me (?:the|today's) date\b|^(?:the|today's) date\b|\bwhat day of the week",
    re.IGNORECASE,
)


def _time(request: Request) -> str | None:
    said = request.core.replace("\u2019", "'")
    date = f"{request.now:%A}, {request.now:%B} {request.now.day}, {request.now.year}"
    hour = request.now.hour % 12 or 12
    time = f"{hour}:{request.now:%M} {'PM' if request.now.hour >= 12 else 'AM'}"
    wants_time, wants_date = bool(_ASKS_TIME.search(said)), bool(_ASKS_DATE.search(said))
    if wants_time:
        return f"It is {time} on {date}." if wants_date else f"It is {time}."
    return f"Today is {date}." if wants_date else None


def _abilities(request: Request) -> str | None:
    if re.search(
        r"\b(?:what can (?:you|i|we) (?:do|say|ask)|who are you|what are you|help me\b|^help)",
        request.core,
        re.IGNORECASE,
    ):
        return f"I am the offline demo of VoicePilot. I can {ABILITIES}."
    return None


def _greeting(request: Request) -> str | None:
    words = numerals.tokens(request.said)
    text = " ".join(words)
    if text in ("thank you", "thanks", "thank you very much", "thanks a lot"):
        return "You are welcome."
    if text in ("goodbye", "good bye", "bye", "bye bye", "see you"):
        return "Goodbye."
    if re.match(r"(?:hello|hi|hey|good (?:morning|afternoon|evening))\b", text) and len(words) <= 4:
        return f"Hello! I am the offline demo. I can {ABILITIES}."
    return None


QUOTING: tuple[Callable[[Request], str | None], ...] = (_repeat, _spell, _count)
"""Skills whose request holds words that are not meant as a request."""

PLAIN: tuple[Callable[[Request], str | None], ...] = (_sum, _time, _abilities, _greeting)
"""The others, asked after the session's tools: a declared calculator or clock goes before ours."""
