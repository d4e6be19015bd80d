"""What may the page's settings drawer show and change?

The drawer shows what can change before or during a call; the rest is for the settings file and the command
line. A change counts at once for every call that begins; where a running call can take it too, the answer
carries the `session.update` for it. Whether the change is kept is the configuration's matter: `serve` keeps
it in the settings file, `demo` forgets it with the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from voicepilot.backend.configuration import Configuration, ConfigurationError
from voicepilot.backend.failure import Failure
from voicepilot.bridge.settings_messages import SetSetting, SettingInfo, SettingsShown
from voicepilot.settings import SettingError, SettingsError
from voicepilot.settings.session import changes
from voicepilot.settings.table import setting

IN_DRAWER: Final = (
    *("voice", "speed", "modality", "language", "instructions"),
    *("turn_detection", "silence_duration_ms", "vad_threshold", "prefix_padding_ms"),
    *("eagerness", "hold_form", "noise_reduction", "transport"),
)
"""The settings of the drawer in the order in which it shows them."""


class SettingsDesk:
    """Answers the drawer from one configuration.

    `update` hears of each `session.update` too, to say it where the page may not be heard.
    """

    def __init__(
        self,
        configuration: Configuration,
        update: Callable[[Mapping[str, object]], None] | None = None,
    ) -> None:
        self._configuration = configuration
        self._update = update

    def shown(self) -> SettingsShown:
        """The settings as they are now."""
        values, places = self._configuration.settings.values(), self._configuration.places
        return SettingsShown(
            tuple(
                SettingInfo(
                    name=row.name,
                    label=row.label,
                    description=row.description,
                    kind=row.kind,
                    value=values[row.name],
                    choices=row.choices,
                    least=row.least,
                    most=row.most,
                    step=row.step,
                    unit=row.unit,
                    applies=row.applies,
                    source=places[row.name],
                )
                for row in map(setting, IN_DRAWER)
            )
        )

    def change(self, wish: SetSetting) -> SettingsShown:
        """Let a setting have another value. Raises Failure with the reason, and nothing has changed."""
        if wish.name not in IN_DRAWER:
            raise Failure("setting-refused", detail=f"{wish.name} cannot be changed in the page.")
        configuration = self._configuration
        before, values = configuration.settings, {wish.name: wish.value}
        try:
            after = configuration.changed(values)
            update = changes(before, after)
            if update is not None and "instructions" in update:
                # Before the change is kept, since the file may refuse to be read.
                update["instructions"] = configuration.instructed(after).instructions
            configuration.change(values)
        except SettingsError as error:
            raise Failure("setting-refused", detail=_sentence(error.errors[0])) from error
        except ConfigurationError as error:
            raise Failure("setting-refused", detail=error) from error
        if update is not None and self._update is not None:
            self._update(update)
        return SettingsShown(self.shown().settings, update)


def _sentence(error: SettingError) -> str:
    """The reason with the setting's label in the place of its name, which the drawer does not show."""
    name = error.name
    return (
        error.says.replace(name, setting(name).label, 1)
        if error.says.startswith(name)
        else error.says
    )
