"""Which deployments does the resource have?

On Azure the ``model`` of a session and of its transcription are names of deployments, given by whoever made
them. Unless told which there are, the service takes any name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voicepilot.emulator.errors import Refused

WITHOUT_DEPLOYMENT = "whisper-1"
"""A transcription model that works without being deployed, as three projects report (2026)."""


@dataclass(frozen=True, slots=True)
class Deployments:
    """The names of the deployments for speech and for transcription; ``None``: any name will do."""

    speech: frozenset[str] | None = None
    transcription: frozenset[str] | None = None

    @classmethod
    def named(
        cls, speech: Iterable[str] | None, transcription: Iterable[str] | None
    ) -> Deployments:
        """Those of these names; ``None`` for any."""
        return cls(
            None if speech is None else frozenset(speech),
            None if transcription is None else frozenset(transcription),
        )

    def expect(self, name: str) -> None:
        """Make sure that sessions can be held with this deployment.

        Raises:
            Refused: there is none of this name.
        """
        if self.speech is not None and name not in self.speech:
            raise Refused(
                404,
                "DeploymentNotFound",
                "The API deployment for this resource does not exist. If you created the "
                "deployment within the last 5 minutes, please wait a moment and try again.",
            )

    def transcribes(self, name: str) -> bool:
        """Whether there is a transcription deployment of this name.

        A session may name one that is missing: then each of its turns fails to be transcribed.
        """
        if self.transcription is None or name == WITHOUT_DEPLOYMENT:
            return True
        return name in self.transcription
