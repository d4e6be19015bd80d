"""How is a value refused? With the setting's name and a sentence that never repeats a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_SHORT: Final = 80
_SECRET: Final = re.compile(
    r"[0-9a-fA-F]{32}"  # a key of Azure's older form
    r"|[A-Za-z0-9]{40,}={0,2}"  # the newer form (84 letters), and what else is as long as a secret
    r"|\b(?:sk|ek)[-_][A-Za-z0-9]"  # keys of OpenAI, standing and ephemeral
    r"|\beyJ[A-Za-z0-9_-]{8}"  # a token
)
_MASKED: Final = re.compile(rf"(?:{_SECRET.pattern})[\w.=~+/-]*")
_KEY: Final = re.compile(r"(?:(?:sk|ek)[-_])?(?:[0-9a-fA-F]{32}|[A-Za-z0-9]{40,}={0,2})")
_KEY_LINE: Final = re.compile(r"(?i)api[-_ ]?key[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9]{20}")


class SettingError(ValueError):
    """A value that a setting cannot have.

    `name` is the setting's, `says` one sentence with the reason, `place` where the value stands ("" where
    that is not known).
    """

    def __init__(self, name: str, says: str, place: str = "") -> None:
        """Take the setting's name, the sentence and the place; none may hold a secret."""
        super().__init__(f"{place}: {says}" if place else says)
        self.name = name
        self.says = says
        self.place = place

    def at(self, place: str) -> SettingError:
        """The same refusal of a value that stands at this place."""
        return SettingError(self.name, self.says, place)


class SettingsError(ValueError):
    """Every value that was refused; at least one."""

    def __init__(self, errors: Iterable[SettingError]) -> None:
        """Take the refusals in the order in which a person shall read them."""
        self.errors: Final = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


def looks_secret(text: str) -> bool:
    """Whether something in the text has the form of a key or a token."""
    return _SECRET.search(text) is not None


def is_key(text: str) -> bool:
    """Whether the text is a key as a whole, even where something else could be called so."""
    return _KEY.fullmatch(text) is not None


def names_a_key(text: str) -> bool:
    """Whether some line of the text gives an API key."""
    return _KEY_LINE.search(text) is not None


def masked(text: str) -> str:
    """The text, and in the place of what may be a key or a token the remark that it is not shown."""
    return _MASKED.sub("(not shown)", text)


def quoted(value: object) -> str:
    """The value as a sentence may repeat it: short, on one line, and nothing that may be a secret."""
    text = str(value)
    if looks_secret(text):
        return "something that looks like a secret (not shown)"
    line = " ".join(text.split())
    return f"“{line if len(line) <= _SHORT else line[: _SHORT - 1] + '…'}”"
