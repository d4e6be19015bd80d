"""What is set? One value for every row of the table, each of them possible, and possible together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from .refusal import SettingError
from .table import BY_NAME, DEFAULTS, Value

_DEFAULT: Final[dict[str, Any]] = dict(DEFAULTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set but secrets; `table.TABLE` says what each one means.

    Values are normalised (the endpoint to scheme and host). Raises SettingError for one that cannot be.
    An empty endpoint or deployment is allowed here: not every command needs one.
    """

    endpoint: str = _DEFAULT["endpoint"]
    deployment: str = _DEFAULT["deployment"]
    transcription_deployment: str = _DEFAULT["transcription_deployment"]
    tenant: str = _DEFAULT["tenant"]
    client_id: str = _DEFAULT["client_id"]
    credential: Literal[
        "auto",
        "default",
        "browser",
        "device-code",
        "managed-identity",
        "workload-identity",
        "api-key",
        "host",
    ] = _DEFAULT["credential"]
    dialect: Literal["auto", "ga", "preview"] = _DEFAULT["dialect"]
    preview_region: str = _DEFAULT["preview_region"]
    signalling: Literal["relay", "direct"] = _DEFAULT["signalling"]
    transport: Literal["auto", "webrtc", "websocket"] = _DEFAULT["transport"]
    key_policy: Literal["just-in-time", "standby"] = _DEFAULT["key_policy"]
    sideband: bool = _DEFAULT["sideband"]
    voice: str = _DEFAULT["voice"]
    speed: float = _DEFAULT["speed"]
    instructions: str = _DEFAULT["instructions"]
    instructions_file: str = _DEFAULT["instructions_file"]
    language: str = _DEFAULT["language"]
    modality: Literal["audio", "text"] = _DEFAULT["modality"]
    turn_detection: Literal["server_vad", "semantic_vad", "push-to-talk"] = _DEFAULT[
        "turn_detection"
    ]
    hold_form: Literal["hold", "toggle"] = _DEFAULT["hold_form"]
    vad_threshold: float = _DEFAULT["vad_threshold"]
    prefix_padding_ms: int = _DEFAULT["prefix_padding_ms"]
    silence_duration_ms: int = _DEFAULT["silence_duration_ms"]
    eagerness: Literal["auto", "low", "medium", "high"] = _DEFAULT["eagerness"]
    noise_reduction: Literal["near_field", "far_field", "off"] = _DEFAULT["noise_reduction"]
    transcripts: bool = _DEFAULT["transcripts"]
    port: int = _DEFAULT["port"]

    def __post_init__(self) -> None:
        for each in fields(self):
            value = BY_NAME[each.name].taken(getattr(self, each.name))
            object.__setattr__(self, each.name, value)  # frozen for others, not yet for us
        if self.dialect == "preview" and not self.preview_region:
            raise SettingError(
                "preview_region",
                "preview_region is needed by dialect preview: the region of the resource, "
                "such as eastus2.",
            )

    def values(self) -> dict[str, Value]:
        """Every value by its setting's name, in the order of the table."""
        return {name: getattr(self, name) for name in BY_NAME}
