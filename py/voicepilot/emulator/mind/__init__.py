"""What does the offline demo answer?

There is no language model here, and the answers do not pretend that there is. What was said goes down
this list; the first that has an answer gives it:

1. outcomes of tools called in this turn are told (:mod:`.retelling`);
2. nothing was said: ask again;
3. a skill that quotes the person (repeat, spell, count): their words must not be mistaken for a
   request (:mod:`.skills`);
4. a tool that the session declared and that the request is about (:mod:`.tools`);
5. any other skill (sums, time, date, greetings);
6. say what was understood, and what this demo can do.

All of it is pure: the same question at the same time has the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voicepilot.emulator.mind import retelling, skills
from voicepilot.emulator.mind import tools as declared
from voicepilot.emulator.mind.replies import Say, ToolOutcome, UseTool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["Mind", "Say", "ToolOutcome", "UseTool"]

_LONGEST_ECHO = 200
_LONGEST_REQUEST = 2000
"""Characters; what is typed can be longer, and then its beginning is judged."""


class Mind:
    """Answers by a few plain skills and the tools that a session declares."""

    def answer(
        self,
        *,
        said: str,
        tools: Sequence[Mapping[str, Any]],
        outcomes: Sequence[ToolOutcome] = (),
        instructions: str = "",
        now: datetime,
    ) -> Say | UseTool:
        """Answer what was said, or call a tool for it; with ``outcomes``, tell their result.

        ``tools`` are the session's, as the client declared them; kinds other than ``function`` and
        malformed ones are passed over. ``instructions`` are accepted and change nothing: following
        them takes a language model. Never raises, and a :class:`Say` always has something to say.
        """
        del instructions
        if outcomes:
            return Say(" ".join(retelling.told(outcome) for outcome in outcomes))
        said = " ".join(said[:_LONGEST_REQUEST].split())
        if not any(character.isalnum() for character in said):
            return Say("I did not catch that. Please say it again.")
        request = skills.Request(said, now)
        functions = declared.functions(tools)
        return (
            skills.first_answer(skills.QUOTING, request)
            or declared.use(said, functions)
            or skills.first_answer(skills.PLAIN, request)
            or Say(_what_i_can_do(said, functions))
        )


def _what_i_can_do(said: str, functions: Sequence[declared.Function]) -> str:
    echo = said if len(said) <= _LONGEST_ECHO else said[:_LONGEST_ECHO].rsplit(" ", 1)[0] + "…"
    echo = echo.rstrip(".!,;: ")
    abilities = f"I can {skills.ABILITIES}."
    if functions:
        names = [function.spoken_name for function in functions[:4]]
        abilities += f" I can also use these tools: {', '.join(names)}."
    mark = "" if echo.endswith(("?", "…")) else "."
    return (
        f"I understood: {echo}{mark} I am the offline demo, so I have no real answer to that. "
        f"{abilities}"
    )
