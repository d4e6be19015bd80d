"""What went wrong, and what can the person do about it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from voicepilot.page import seam
from voicepilot.page.scope import Scope
from voicepilot.page.views.intents import Intents
from voicepilot.protocol.problems import Problem

if TYPE_CHECKING:
    from voicepilot.page.seam import Element, HTMLButtonElement

SOUND_BLOCKED: Final = "sound-blocked"


class NoticesView:
    """One alert for each problem, announced when it appears, gone when it is over."""

    def __init__(self, scope: Scope, intents: Intents) -> None:
        self._place: Element = seam.find("notices")
        self._shown: dict[Problem, Element] = {}
        # One button for the page's life, moved into the notice that needs it.
        self._enable: HTMLButtonElement = seam.create("button", "small", "Enable sound")
        seam.listen(scope, self._enable, "click", lambda _event: intents.enable_sound())

    def draw(self, problems: Iterable[Problem]) -> None:
        """Show exactly these problems."""
        wanted = list(dict.fromkeys(problems))
        for problem in [shown for shown in self._shown if shown not in wanted]:
            self._shown.pop(problem).remove()
        for problem in wanted:
            if problem not in self._shown:
                self._shown[problem] = self._show(problem)

    def _show(self, problem: Problem) -> Element:
        notice: Element = seam.create("div", "notice fatal" if problem.fatal else "notice")
        notice.setAttribute("role", "alert")
        notice.dataset.code = problem.code
        self._place.append(notice)  # first the alert, then its words: so they are announced
        notice.append(
            seam.create("p", "says", problem.says), seam.create("p", "next", problem.next_step)
        )
        if problem.code == SOUND_BLOCKED:
            notice.append(self._enable)
        return notice
