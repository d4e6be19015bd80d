"""What a call is configured with, as it is sent when the ephemeral key is minted.

The whole configuration goes into the minting request, since later updates over the data channel are
reported to be ignored by Azure. Field names and ranges: `openai.types.realtime.RealtimeSessionCreateRequest`
(PyPI openai 3.54.0); Azure's default for the silence is 200 ms (recordings of 2026-07).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .readers import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVad:
    """End of turn by silence. Times in milliseconds; `threshold` is a probability of speech."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 200
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError("the threshold of turn detection lies between 0 and 1")
        if self.prefix_padding_ms < 0 or self.silence_duration_ms < 0:
            raise ValueError("times of turn detection are not negative")

    def to_json(self) -> Json:
        """Return the `turn_detection` object."""
        out: dict[str, Any] = {
            "type": "server_vad",
            "threshold": self.threshold,
            "prefix_padding_ms": self.prefix_padding_ms,
            "silence_duration_ms": self.silence_duration_ms,
            "create_response": self.create_response,
            "interrupt_response": self.interrupt_response,
        }
        if self.idle_timeout_ms is not None:
            out["idle_timeout_ms"] = self.idle_timeout_ms
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticVad:
    """End of turn by meaning; `eagerness` says how soon (at most 8, 4 or 2 s for low, medium, high)."""

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True

    def to_json(self) -> Json:
        """Return the `turn_detection` object."""
        return {
            "type": "semantic_vad",
            "eagerness": self.eagerness,
            "create_response": self.create_response,
            "interrupt_response": self.interrupt_response,
        }


TurnDetection: TypeAlias = ServerVad | SemanticVad | None
"""How the end of the user's turn is found; None is push-to-talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTool:
    """A function the assistant may call. `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Json

    def to_json(self) -> Json:
        """Return the tool as the session lists it."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """One call's configuration.

    `model` is the name of the deployment at Azure, and `transcription_model` that of a transcription
    deployment; None leaves what the user says unwritten. `speed` lies between 0.25 and 1.5.
    """

    model: str
    instructions: str = ""
    voice: str = "alloy"
    speed: float = 1.0
    output_modality: Literal["audio", "text"] = "audio"
    transcription_model: str | None = None
    transcription_language: str | None = None
    noise_reduction: Literal["near_field", "far_field"] | None = None
    turn_detection: TurnDetection = field(default_factory=ServerVad)
    tools: tuple[FunctionTool, ...] = ()

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("a session needs the name of a deployment")
        if not 0.25 <= self.speed <= 1.5:
            raise ValueError("the speed of speech lies between 0.25 and 1.5")

    def to_json(self) -> Json:
        """Return the GA session object for `client_secrets` and `session.update`."""
        audio_in: dict[str, Any] = {
            "turn_detection": self.turn_detection.to_json() if self.turn_detection else None,
            "noise_reduction": {"type": self.noise_reduction} if self.noise_reduction else None,
            "transcription": None,
        }
        if self.transcription_model:
            audio_in["transcription"] = {"model": self.transcription_model}
            if self.transcription_language:
                audio_in["transcription"]["language"] = self.transcription_language
        out: dict[str, Any] = {
            "type": "realtime",
            "model": self.model,
            "output_modalities": [self.output_modality],
            "audio": {"input": audio_in, "output": {"voice": self.voice, "speed": self.speed}},
            "tools": [tool.to_json() for tool in self.tools],
            "tool_choice": "auto",
        }
        if self.instructions:
            out["instructions"] = self.instructions
        return out
