"""What is set for this call and the next, and how does a person change it?

The drawer makes one field of each setting that the backend lists: by its kind, with its label, description,
range and unit. Fields that belong to another way of finding the end of a turn are hidden. What is written
goes to the backend when the field is left or Enter is pressed; a refusal stands at its field, which keeps
what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from voicepilot.bridge.settings_messages import SettingInfo
from voicepilot.page import seam
from voicepilot.page.call_settings import meant
from voicepilot.page.scope import Scope
from voicepilot.page.views import wording
from voicepilot.page.views.intents import Intents

if TYPE_CHECKING:
    from voicepilot.page.seam import Element, Event, HTMLDetailsElement, HTMLInputElement

_GROUPS: Final = (
    ("Assistant", ("voice", "speed", "modality", "language", "instructions")),
    (
        "Your turns",
        (
            *("turn_detection", "silence_duration_ms", "vad_threshold", "prefix_padding_ms"),
            *("eagerness", "hold_form"),
        ),
    ),
)
_LAST_GROUP: Final = "Sound and connection"
_LONG_TEXTS: Final = frozenset({"instructions"})
_OF_DETECTION: Final = {
    "silence_duration_ms": "server_vad",
    "vad_threshold": "server_vad",
    "prefix_padding_ms": "server_vad",
    "eagerness": "semantic_vad",
    "hold_form": "push-to-talk",
}
"""Settings that mean something with one kind of turn detection only."""


class SettingsView:
    """The drawer's fields. It is drawn while it is open, and remembers nothing itself."""

    def __init__(self, scope: Scope, intents: Intents) -> None:
        self._intents = intents
        self._drawer: HTMLDetailsElement = seam.find("settings")
        self._place: Element = seam.find("settings-fields")
        self._fields: dict[str, _Field] = {}
        seam.listen(scope, self._place, "change", self._changed)

    @property
    def open(self) -> bool:
        """Whether somebody can see it."""
        return self._drawer.open

    def draw(self, settings: tuple[SettingInfo, ...], refusals: Mapping[str, str]) -> None:
        """Show the settings, and at their fields the reasons why something was refused."""
        if not self._drawer.open or not settings:
            return
        if self._fields.keys() != {each.name for each in settings}:
            self._make(settings)
        detection = next((each.value for each in settings if each.name == "turn_detection"), None)
        for each in settings:
            field = self._fields[each.name]
            field.hide(_OF_DETECTION.get(each.name, detection) != detection)
            field.draw(each, refusals.get(each.name, ""))

    def _make(self, settings: tuple[SettingInfo, ...]) -> None:
        self._fields = {each.name: _Field(each) for each in settings}
        grouped = {name for _, names in _GROUPS for name in names}
        rest = tuple(each.name for each in settings if each.name not in grouped)
        groups = []
        for number, (title, names) in enumerate((*_GROUPS, (_LAST_GROUP, rest))):
            heading: Element = seam.create("h2", text=title)
            heading.id = f"settings-group-{number}"
            group: Element = seam.create("section", "settings-group")
            group.setAttribute("aria-labelledby", heading.id)
            group.append(
                heading, *(self._fields[name].row for name in names if name in self._fields)
            )
            groups.append(group)
        self._place.replaceChildren(*groups)

    def _changed(self, event: Event) -> None:
        control: HTMLInputElement = event.target
        field = self._fields.get(control.dataset.setting)
        if field is not None:
            self._intents.change_setting(field.name, meant(field.kind, control.value))


class _Field:
    """One setting: its label, what it means, its control, and why its newest value was refused."""

    def __init__(self, info: SettingInfo) -> None:
        self.name = info.name
        self.kind = info.kind
        self._control = _control(info)
        self._refusal: Element = seam.create("p", "refusal")
        self._drawn: tuple[SettingInfo, str] | None = None
        self._source: Element = seam.create("span")
        control_id = self._control.id
        label = seam.create("label", text=info.label)
        label.htmlFor = control_id
        about: Element = seam.create("p", "quiet", wording.about_setting(info))
        about.append(self._source)
        about.id, self._refusal.id = f"{control_id}-about", f"{control_id}-refusal"
        self._refusal.setAttribute("role", "alert")
        self._control.setAttribute("aria-describedby", f"{about.id} {self._refusal.id}")
        line: Element = seam.create("div", "setting-line")
        line.append(self._control)
        if info.unit:
            line.append(seam.create("span", "quiet", info.unit))
        self.row: Element = seam.create("div", "setting")
        self.row.append(label, line, self._refusal, about)

    def hide(self, hidden: bool) -> None:
        """Show or hide the field."""
        if self.row.hidden != hidden:
            self.row.hidden = hidden

    def draw(self, info: SettingInfo, refusal: str) -> None:
        """Show the value that counts; beside a refusal, what was written stays."""
        if self._drawn == (info, refusal):
            return
        self._drawn = (info, refusal)
        self._refusal.textContent = refusal
        self._refusal.hidden = not refusal
        self._source.textContent = wording.setting_source(info.source)
        if refusal:
            self._control.setAttribute("aria-invalid", "true")
            self._refusal.scrollIntoView(seam.options({"block": "nearest"}))
            return
        self._control.removeAttribute("aria-invalid")
        if info.kind == "choice" or info.choices:
            self._offer(info)
        self._control.value = wording.setting_value(info.value)

    def _offer(self, info: SettingInfo) -> None:
        # A value that is none of the suggestions (a voice that the service has since) is offered too.
        value = str(info.value)
        values = info.choices if value in info.choices else (*info.choices, value)
        if len(tuple(self._control.children)) == len(values):
            return
        lines = []
        for each in values:
            line = seam.create("option", text=wording.choice(each))
            line.value = each
            lines.append(line)
        self._control.replaceChildren(*lines)


def _control(info: SettingInfo) -> HTMLInputElement:
    if info.choices:
        control: HTMLInputElement = seam.create("select")
    elif info.name in _LONG_TEXTS:
        control = seam.create("textarea")
        control.setAttribute("rows", "5")
    else:
        control = seam.create("input")
        control.setAttribute("autocomplete", "off")
        if info.kind in ("number", "whole"):
            # Not type=number: it swallows what it does not understand, and nobody could say why.
            control.setAttribute("inputmode", "decimal" if info.kind == "number" else "numeric")
    control.id = f"setting-{info.name.replace('_', '-')}"
    control.dataset.setting = info.name
    return control
