"""What do the settings make of a call's configuration, and of a call that is already running?

Field names: `session` of `client_secrets` and `session.update` (see `protocol.session_config`). An update
changes only the fields it has, so it carries what differs and nothing else. The voice cannot change once
the assistant has spoken, and the model never (both per the Realtime API's reference), so neither is in it.
"""

from __future__ import annotations

from typing import Any

from ..protocol.session_config import (
    FunctionTool,
    SemanticVad,
    ServerVad,
    SessionConfig,
    TurnDetection,
)
from .settings import Settings


def session_config(settings: Settings, tools: tuple[FunctionTool, ...] = ()) -> SessionConfig:
    """The configuration of the next call. Raises ValueError where no deployment is set."""
    return SessionConfig(
        model=settings.deployment,
        instructions=settings.instructions,
        voice=settings.voice,
        speed=settings.speed,
        output_modality=settings.modality,
        transcription_model=settings.transcription_deployment or None,
        transcription_language=settings.language or None,
        noise_reduction=None if settings.noise_reduction == "off" else settings.noise_reduction,
        turn_detection=turn_detection(settings),
        tools=tools,
    )


def turn_detection(settings: Settings) -> TurnDetection:
    """How the end of the user's turn is found; None is push-to-talk."""
    match settings.turn_detection:
        case "push-to-talk":
            return None
        case "semantic_vad":
            return SemanticVad(eagerness=settings.eagerness)
        case "server_vad":
            return ServerVad(
                threshold=settings.vad_threshold,
                prefix_padding_ms=settings.prefix_padding_ms,
                silence_duration_ms=settings.silence_duration_ms,
            )


def changes(before: Settings, after: Settings) -> dict[str, Any] | None:
    """The `session` of the `session.update` that takes a running call from one to the other (GA names).

    None where nothing differs that a running call can take.
    """
    old, new = _changeable(before), _changeable(after)
    differing = _differing(old, new)
    return {"type": "realtime", **differing} if differing else None


def _changeable(settings: Settings) -> dict[str, Any]:
    """The part of the session object that may change during a call."""
    session = session_config(settings).to_json()
    return {
        "instructions": settings.instructions,  # "" clears them; the session object leaves it out
        "output_modalities": session["output_modalities"],
        "audio": {
            "input": session["audio"]["input"],
            "output": {"speed": settings.speed},
        },
    }


def _differing(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What `new` has that `old` has not; `audio` and its halves are merged by the service, no deeper."""
    result: dict[str, Any] = {}
    for name, value in new.items():
        if name in ("audio", "input", "output"):
            inner = _differing(old[name], value)
            if inner:
                result[name] = inner
        elif value != old[name]:
            result[name] = value
    return result
