"""Which numbers are in these words?

Whisper writes the same number as "12", "twelve" or "1,200"; all of them are read here.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen
""".split()  # noqa: SIM905 - a word a line would read worse
_TENS = """
    twenty thirty forty fifty sixty seventy eighty ninety
""".split()  # noqa: SIM905 - a word a line would read worse
_SMALL = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * (tens + 2) for tens, word in enumerate(_TENS)
}
_LARGE = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

_TOKEN = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?|[a-z']+|[+*/=\u00d7\u00f7\u2212\u2013-]")
_DIGITS = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")
_MOST_DIGITS = 15


def tokens(text: str) -> list[str]:
    """The numbers, words and signs of ``text``, in lower case, without punctuation."""
    plain = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower().replace("\u2019", "'"))
    return _TOKEN.findall(plain)


def read(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    """The number that begins at ``words[start]`` and where it ends; None if none does.

    Understands digits, number words up to billions, "a hundred", "three point one four". Numbers of
    more than 15 digits are not taken for numbers.
    """
    if start >= len(words):
        return None
    if _DIGITS.fullmatch(words[start]):
        return _from_digits(words, start)
    return _from_words(words, start)


def _from_digits(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    plain = words[start].replace(",", "")
    if len(plain) > _MOST_DIGITS:
        return None
    value, end = Fraction(plain), start + 1
    while end < len(words) and words[end] in _LARGE:  # "2 million"
        value *= _LARGE[words[end]]
        end += 1
        if value >= 10**_MOST_DIGITS:
            return None
    return value, end


def _from_words(words: Sequence[str], start: int) -> tuple[Fraction, int] | None:
    total = group = 0
    last: int | None = None  # the small number just read: only a digit may follow a ten
    end = start
    found = False
    while end < len(words):
        word = words[end]
        if word in _SMALL:
            value = _SMALL[word]
            if last is not None and not (last >= 20 and 0 < value < 10):
                break
            group += value
            last = value
        elif (
            word in ("a", "an")
            and not found
            and words[end + 1 : end + 2]
            in (
                ["hundred"],
                ["thousand"],
                ["million"],
            )
        ):
            group = 1
        elif word == "hundred" and 0 < group < 100:
            group *= 100
            last = None
        elif word in _LARGE and 0 < group < 1000:
            total += group * _LARGE[word]
            group, last = 0, None
        elif word == "and" and found and last is None and _is_small(words, end + 1):
            pass
        else:
            break
        found = True
        end += 1
    if not found:
        return None
    whole = Fraction(total + group)
    return _with_decimals(words, end, whole)


def _with_decimals(words: Sequence[str], end: int, whole: Fraction) -> tuple[Fraction, int]:
    if words[end : end + 1] != ["point"]:
        return whole, end
    digits = ""
    position = end + 1
    while position < len(words) and _SMALL.get(words[position], 10) < 10:
        digits += str(_SMALL[words[position]])
        position += 1
    if not digits or len(digits) > _MOST_DIGITS:
        return whole, end
    return whole + Fraction(int(digits), 10 ** len(digits)), position


def _is_small(words: Sequence[str], position: int) -> bool:
    return position < len(words) and words[position] in _SMALL


def whole_numbers(text: str) -> list[int]:
    """Every whole number in ``text``, in order."""
    words = tokens(text)
    found = []
    position = 0
    while position < len(words):
        number = read(words, position)
        if number is None:
            position += 1
            continue
        value, position = number
        if value.denominator == 1:
            found.append(int(value))
    return found
