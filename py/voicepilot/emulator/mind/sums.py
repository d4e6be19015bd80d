"""What is twelve times seven?

    sum     =  product (("plus" | "minus") product)*
    product =  signed (("times" | "divided by") signed)*
    signed  =  ["minus"] number

Exact fractions, so that 0.1 plus 0.2 is 0.3. The whole request must be a sum, apart from words of
asking around it: "from 9 to 5" or a date must not be answered with a difference.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from voicepilot.emulator.mind import numerals

if TYPE_CHECKING:
    from collections.abc import Sequence

_ASKING = frozenset(
    """
    what what's whats is are does do how much many calculate compute solve work out please can
    could would you tell me so and okay ok hey hello the sum of result equal equals = make now
    know i want to it us
    """.split()  # noqa: SIM905 - a word a line would read worse
)
_SIGNS = {
    ("plus",): "+",
    ("+",): "+",
    ("minus",): "-",
    ("-",): "-",
    ("\u2212",): "-",
    ("\u2013",): "-",
    ("times",): "*",
    ("x",): "*",
    ("*",): "*",
    ("\u00d7",): "*",
    ("multiplied", "by"): "*",
    ("/",): "/",
    ("\u00f7",): "/",
    ("over",): "/",
    ("divided", "by"): "/",
}
_SPOKEN = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_LARGEST = 10**15
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")


def answer(said: str) -> str | None:
    """The answer in a sentence if ``said`` asks for a sum, else None."""
    if _DATE.search(said):
        return None
    words = numerals.tokens(said)
    while words and words[0] in _ASKING:
        del words[0]
    while words and words[-1] in _ASKING:
        del words[-1]
    parts = _parts(words)
    if parts is None:
        return None
    question = " ".join(_SPOKEN[part] if isinstance(part, str) else _spoken(part) for part in parts)
    try:
        value = _value(parts)
    except ZeroDivisionError:
        return "I cannot divide by zero, and nobody else can."
    if abs(value) >= _LARGEST:
        return "That is too large a number for me to say."
    exactly = (value * 10_000).denominator == 1
    question = question[0].upper() + question[1:]
    return f"{question} is {'' if exactly else 'about '}{_spoken(value)}."


def _parts(words: Sequence[str]) -> list[Fraction | str] | None:
    """Numbers and signs by turns, at least one sign; None if ``words`` are anything else."""
    parts: list[Fraction | str] = []
    position = 0
    while position < len(words):
        if parts and not isinstance(parts[-1], str):
            found = _sign(words, position)
            if found is None:
                return None
            sign, position = found
            parts.append(sign)
            continue
        negative = words[position] in ("minus", "negative", "-")
        number = numerals.read(words, position + negative)
        if number is None:
            return None
        value, position = number
        parts.append(-value if negative else value)
    return parts if len(parts) >= 3 and len(parts) % 2 else None


def _sign(words: Sequence[str], position: int) -> tuple[str, int] | None:
    for length in (1, 2):
        sign = _SIGNS.get(tuple(words[position : position + length]))
        if sign is not None:
            return sign, position + length
    return None


def _value(parts: Sequence[Fraction | str]) -> Fraction:
    total = Fraction(0)
    product, sign = _number(parts[0]), 1
    for operation, part in zip(parts[1::2], parts[2::2], strict=True):
        value = _number(part)
        if operation == "*":
            product *= value
        elif operation == "/":
            product /= value
        else:
            total += sign * product
            product, sign = value, 1 if operation == "+" else -1
    return total + sign * product


def _number(part: Fraction | str) -> Fraction:
    assert isinstance(part, Fraction)  # noqa: S101 - _parts alternates
    return part


def _spoken(value: Fraction) -> str:
    digits = f"{abs(float(value)):.4f}".rstrip("0").rstrip(".")
    whole = str(abs(value.numerator)) if value.denominator == 1 else digits
    return f"minus {whole}" if value < 0 else whole
