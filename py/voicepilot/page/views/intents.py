"""What can a person want from the page?"""

from __future__ import annotations

from typing import Protocol

from voicepilot.bridge.settings_messages import Value


class Intents(Protocol):
    """What the views ask for when a person presses, chooses or writes something."""

    def talk(self) -> None:
        """Begin a call. Called while the press is handled, so that sound may begin."""

    def stop(self) -> None:
        """End the call and release the microphone."""

    def mute(self, muted: bool) -> None:
        """Let nothing of the microphone through, or let it through again."""

    def interrupt(self) -> None:
        """Stop the assistant's answer."""

    def hold(self) -> None:
        """Begin a turn by push-to-talk."""

    def release(self) -> None:
        """End that turn."""

    def say(self, text: str) -> bool:
        """Say something in writing; False where no call runs that could take it."""

    def choose_microphone(self, choice: str) -> None:
        """Use another microphone, now and from now on."""

    def enable_sound(self) -> None:
        """Sound was withheld by the browser; this press allows it."""

    def change_setting(self, name: str, value: Value) -> None:
        """Let a setting have another value, for the running call too where that can be."""
