"""The Python console: what is typed, what it says, and the way back through what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voicepilot.debug import browser
from voicepilot.debug.interpreter import Interpreter
from voicepilot.debug.typing_in import History, common_start, is_whole
from voicepilot.page.scope import Scope

_MOST_ROWS: Final = 500
_MOST_SHOWN: Final = 60


class ConsoleView:
    """The console. `names` are the objects at hand."""

    def __init__(self, scope: Scope, names: Mapping[str, object]) -> None:
        self._scope = scope
        self._interpreter = Interpreter(names, self._write)
        self._history = History()
        self._leaving = False
        self._printing: Any = None
        self._printed = ""
        self._output: Any = browser.find("console-output")
        self._input: Any = browser.find("console-input")
        self._input.disabled = False

        @browser.when("keydown", "#console-input")
        def key(event: Any) -> None:
            self._key(event)

        @browser.when("click", "#console-clear")
        def clear(_event: object) -> None:
            self._output.replaceChildren()

    def _key(self, event: Any) -> None:
        typed = str(self._input.value)
        leaving, self._leaving = self._leaving, False
        if event.isComposing:
            return
        match event.key:
            case "Enter" if not event.shiftKey and is_whole(typed):
                event.preventDefault()
                self._run(typed)
            case "Tab" if not event.shiftKey and not leaving and typed.strip():
                event.preventDefault()
                self._complete(typed)
            case "Escape":
                # For those who move by keyboard: Tab after it leaves, as everywhere else.
                self._leaving = True
                event.preventDefault()
            case "ArrowUp" if "\n" not in typed[: self._input.selectionStart]:
                event.preventDefault()
                self._input.value = self._history.earlier(typed)
            case "ArrowDown" if "\n" not in typed[self._input.selectionEnd :]:
                event.preventDefault()
                self._input.value = self._history.later(typed)

    def _run(self, source: str) -> None:
        if not source.strip():
            return
        self._history.add(source)
        self._input.value = ""
        first, *rest = source.rstrip().split("\n")
        self._write("input", "\n".join([f">>> {first}", *(f"... {line}" for line in rest)]))
        self._scope.start(self._interpreter.run(source), "the console")

    def _complete(self, typed: str) -> None:
        place = int(self._input.selectionStart)
        before, after = typed[:place], typed[place:]
        if not before.split("\n")[-1].strip():
            self._input.setRangeText("    ", place, place, "end")
            return
        found, start = self._interpreter.completions(before)
        if not found:
            return
        common = common_start(found)
        if len(common) > len(before) - start:
            self._input.value = before[:start] + common + after
            end = start + len(common)
            self._input.setSelectionRange(end, end)
        elif len(found) > 1:
            names = [each.rpartition(".")[2] for each in found]
            more = f"  and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
            self._write("output", "  ".join(names[:_MOST_SHOWN]) + more)

    def _write(self, kind: str, text: str) -> None:
        output = self._output
        if kind == "output" and self._printing is not None:
            # print writes its line's end separately
            self._printed += text
            self._printing.textContent = self._printed.removesuffix("\n")
        else:
            row = browser.element("pre", kind, text.removesuffix("\n"))
            self._printing, self._printed = (row, text) if kind == "output" else (None, "")
            output.append(row)
        while output.childElementCount > _MOST_ROWS:
            output.firstElementChild.remove()
        output.scrollTop = output.scrollHeight
