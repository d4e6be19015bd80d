"""The wheels in the developer's folder, each with Install."""

from __future__ import annotations

from typing import Any

from voicepilot.bridge.debug_messages import Wheels
from voicepilot.debug import browser
from voicepilot.debug.backend import DebugBackend
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope


class WheelsView:
    """A list of wheels; the folder is looked at when the list is opened and at Look again."""

    def __init__(self, scope: Scope, backend: DebugBackend) -> None:
        self._scope = scope
        self._backend = backend
        self._list: Any = browser.find("wheels")
        self._said: Any = browser.find("wheels-said")
        self._installed: dict[str, str] = {}

        @browser.when("click", "#wheels-again")
        def again(_event: object) -> None:
            self._scope.start(self.refresh(), "looking for wheels")

        @browser.when("click", "#wheels")
        def pressed(event: Any) -> None:
            wheel = str(getattr(event.target.dataset, "wheel", ""))
            if wheel:
                event.target.disabled = True
                self._scope.start(self._install(wheel), "installing a wheel")

    async def refresh(self) -> None:
        """Ask the backend."""
        try:
            self._draw(await self._backend.wheels())
        except Trouble as trouble:
            self._said.textContent = f"{trouble.problem.says} {trouble.problem.next_step}"

    async def _install(self, wheel: str) -> None:
        # Imported when it is wanted: micropip takes a noticeable while, and most visits need none.
        from voicepilot.debug.packages import InstallError, install

        try:
            names = await install(wheel)
        except InstallError as error:
            self._installed[wheel] = str(error)
        else:
            self._installed[wheel] = "Installed. In the console: " + "; ".join(
                f"import {name}" for name in names
            )
        await self.refresh()

    def _draw(self, wheels: Wheels) -> None:
        rows = []
        for wheel in wheels.wheels:
            row = browser.element("li")
            button = browser.element("button", "small", "Install", type="button")
            button.dataset.wheel = wheel
            button.setAttribute("aria-label", f"Install {wheel}")
            row.append(browser.element("span", "name", wheel), button)
            if wheel in self._installed:
                row.append(browser.element("span", "quiet", self._installed[wheel]))
            rows.append(row)
        self._list.replaceChildren(*rows)
        if not wheels.folder:
            words = "Start `voicepilot demo` with --wheels DIR, and wheels from there can be tried."
        elif not wheels.wheels:
            words = f"There is no wheel in {wheels.folder} yet."
        else:
            words = f"In {wheels.folder}:"
        self._said.textContent = words
