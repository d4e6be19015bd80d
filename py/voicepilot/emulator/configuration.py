"""How is a session configured?

The defaults are those of Azure's GA service as recorded in 2026-07 (``silence_duration_ms`` is 200 there,
not the 500 of the general documentation). A change names only what it changes; what is refused changes
nothing.

The service honours turn detection, transcription on or off, output modality, speed, tools, tool choice,
instructions and the longest output. The rest (voice, noise reduction, formats, truncation, tracing,
reasoning) is checked, kept and echoed, and has no effect here: there is one voice, and the sound is
Opus whatever the formats say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voicepilot.emulator.errors import Rejected
from voicepilot.emulator.hearing import TurnDetection
from voicepilot.emulator.items import ITEM_OR_REFERENCE
from voicepilot.emulator.schema import (
    Anything,
    Choice,
    Either,
    Flag,
    Items,
    Nullable,
    Number,
    Record,
    Tagged,
    Text,
)

DEFAULT_MODEL = "gpt-realtime"
DEFAULT_INSTRUCTIONS = "You are a helpful voice assistant. Answer briefly and plainly."

VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)

_PCM = {"type": "audio/pcm", "rate": 24000}
_TELEPHONE = Record({"type": Anything()})
_FORMAT = Tagged(
    {
        "audio/pcm": Record(
            {"type": Anything(), "rate": Number(24000, 24000, whole=True)},
            defaults={"rate": 24000},
        ),
        "audio/pcmu": _TELEPHONE,
        "audio/pcma": _TELEPHONE,
    }
)

_SERVER_VAD_DEFAULTS: dict[str, Any] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SERVER_VAD = Record(
    {
        "type": Anything(),
        "threshold": Number(0, 1),
        "prefix_padding_ms": Number(0, 10_000, whole=True),
        "silence_duration_ms": Number(0, 10_000, whole=True),
        "idle_timeout_ms": Nullable(Number(5_000, 30_000, whole=True)),
        "create_response": Flag(),
        "interrupt_response": Flag(),
    },
    defaults=_SERVER_VAD_DEFAULTS,
)
_SEMANTIC_VAD = Record(
    {
        "type": Anything(),
        "eagerness": Choice(("low", "medium", "high", "auto")),
        "create_response": Flag(),
        "interrupt_response": Flag(),
    },
    defaults={"eagerness": "auto", "create_response": True, "interrupt_response": True},
)
_TURN_DETECTION = Tagged({"server_vad": _SERVER_VAD, "semantic_vad": _SEMANTIC_VAD})
_PLAIN_VAD_DEFAULTS = {
    name: _SERVER_VAD_DEFAULTS[name]
    for name in ("type", "threshold", "prefix_padding_ms", "silence_duration_ms")
}

_TRANSCRIPTION = Record(
    {
        "model": Text(),
        "language": Nullable(Text()),
        "prompt": Nullable(Text()),
        "languages": Nullable(Items(Text())),
        "keywords": Nullable(Items(Text())),
        "delay": Anything(),
    },
    defaults={"model": "whisper-1", "language": None, "prompt": None},
)
_NOISE_REDUCTION = Record(
    {"type": Choice(("near_field", "far_field")), "strength": Anything()}, required=("type",)
)
_VOICE = Either((Record({"id": Text()}, required=("id",)), Choice(VOICES)))

_FUNCTION = Record(
    {
        "type": Anything(),
        "name": Text(longest=64),
        "description": Text(),
        "parameters": Anything(),
        "strict": Anything(),
    },
    required=("name",),
)
_TOOLS = Items(Tagged({"function": _FUNCTION}))
_TOOL_CHOICE = Either(
    (
        Record({"type": Choice(("function",)), "name": Text()}, required=("type", "name")),
        Choice(("none", "auto", "required")),
    )
)
_OUTPUT_TOKENS = Either((Number(1, 4096, whole=True), Choice(("inf",))))
_ONE_MODALITY = Items(Choice(("audio", "text")), least=1)

_SESSION = Record(
    {
        "type": Choice(("realtime",)),
        "model": Text(),
        "output_modalities": _ONE_MODALITY,
        "instructions": Text(),
        "audio": Record(
            {
                "input": Record(
                    {
                        "format": _FORMAT,
                        "transcription": Nullable(_TRANSCRIPTION),
                        "noise_reduction": Nullable(_NOISE_REDUCTION),
                        "turn_detection": Nullable(_TURN_DETECTION),
                    }
                ),
                "output": Record(
                    {"format": _FORMAT, "voice": _VOICE, "speed": Number(0.25, 1.5)},
                ),
            }
        ),
        "tools": _TOOLS,
        "tool_choice": _TOOL_CHOICE,
        "max_output_tokens": _OUTPUT_TOKENS,
        "truncation": Anything(),
        "tracing": Anything(),
        "prompt": Anything(),
        "include": Nullable(Items(Text())),
        "reasoning": Anything(),
        "parallel_tool_calls": Nullable(Flag()),
    },
    required=("type",),
)

_TRANSCRIPTION_SESSION = Record(
    {
        "type": Choice(("transcription",)),
        "audio": Record(
            {
                "input": Record(
                    {
                        "format": _FORMAT,
                        "transcription": Nullable(_TRANSCRIPTION),
                        "noise_reduction": Nullable(_NOISE_REDUCTION),
                        "turn_detection": Nullable(
                            Tagged(
                                {
                                    "server_vad": Record(
                                        _SERVER_VAD.fields, defaults=_PLAIN_VAD_DEFAULTS
                                    ),
                                    "semantic_vad": Record(
                                        _SEMANTIC_VAD.fields, defaults={"eagerness": "auto"}
                                    ),
                                }
                            )
                        ),
                    }
                )
            }
        ),
        "include": Nullable(Items(Text())),
    },
    required=("type",),
)

_RESPONSE = Record(
    {
        "conversation": Choice(("auto", "none")),
        "input": Items(ITEM_OR_REFERENCE),
        "instructions": Text(),
        "output_modalities": _ONE_MODALITY,
        "audio": Record({"output": Record({"format": _FORMAT, "voice": _VOICE})}),
        "tools": _TOOLS,
        "tool_choice": _TOOL_CHOICE,
        "max_output_tokens": _OUTPUT_TOKENS,
        "metadata": Nullable(Anything()),
        "prompt": Anything(),
        "reasoning": Anything(),
        "parallel_tool_calls": Nullable(Flag()),
    }
)


def _defaults() -> dict[str, Any]:
    return {
        "type": "realtime",
        "model": DEFAULT_MODEL,
        "output_modalities": ["audio"],
        "instructions": DEFAULT_INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(_SERVER_VAD_DEFAULTS),
            },
            "output": {"format": dict(_PCM), "voice": "alloy", "speed": 1.0},
        },
        "include": None,
    }


def _transcription_defaults() -> dict[str, Any]:
    return {
        "type": "transcription",
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(_PLAIN_VAD_DEFAULTS),
            }
        },
        "include": None,
    }


@dataclass(frozen=True, slots=True)
class Configuration:
    """A session's configuration. Never changed: :meth:`updated` makes a new one.

    ``fields`` is the session object of the protocol without ``id``, ``object`` and ``expires_at``.
    """

    fields: dict[str, Any]

    @classmethod
    def minted(cls, session: Any) -> Configuration:
        """The configuration that a client asks for when it mints a key; ``None`` asks for the defaults.

        Raises:
            Rejected: it is no session as the protocol has it.
        """
        asked = {"type": "realtime"} if session is None else session
        if isinstance(asked, dict) and asked.get("type") == "transcription":
            return cls(_TRANSCRIPTION_SESSION.read(asked, "session", _transcription_defaults()))
        return cls(_checked(_SESSION.read(asked, "session", _defaults())))

    def updated(self, session: Any, *, has_spoken: bool) -> Configuration:
        """This configuration with the changes of a ``session.update``.

        Args:
            session: the event's ``session`` object.
            has_spoken: whether the assistant's voice was heard already; then it stays the same.

        Raises:
            Rejected: something in it is not allowed.
        """
        self._check_kind(session)
        if not self.responds:
            return Configuration(_TRANSCRIPTION_SESSION.read(session, "session", self.fields))
        fields = _checked(_SESSION.read(session, "session", self.fields))
        if fields["model"] != self.fields["model"]:
            raise Rejected(
                "invalid_value", "The model of a session cannot be changed.", "session.model"
            )
        voice, before = (each["audio"]["output"]["voice"] for each in (fields, self.fields))
        if has_spoken and voice != before:
            raise Rejected(
                "cannot_update_voice",
                "Cannot update a conversation's voice if assistant audio is present.",
                "session.audio.output.voice",
            )
        return Configuration(fields)

    def echoed(self, session_id: str, expires_at: int) -> dict[str, Any]:
        """The full session object, as the service shows it to the client."""
        return {
            "object": "realtime.session" if self.responds else "realtime.transcription_session",
            "id": session_id,
            "expires_at": expires_at,
            **self.fields,
        }

    def _check_kind(self, session: Any) -> None:
        given = session.get("type") if isinstance(session, dict) else None
        kinds = ("realtime", "transcription")
        if given in kinds and given != self.fields["type"]:
            raise Rejected(
                "invalid_value",
                f"Passing a {given} session update event to a {self.fields['type']} session is "
                "not allowed.",
                "session.type",
            )

    @property
    def responds(self) -> bool:
        """Whether responses are made; a transcription session only writes down what is said."""
        return bool(self.fields["type"] == "realtime")

    @property
    def model(self) -> str | None:
        """The deployment that speaks, ``None`` where nobody does."""
        model: str | None = self.fields.get("model")
        return model

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        """The turn detection object, or ``None`` where the client commits its turns itself."""
        detection: dict[str, Any] | None = self.fields["audio"]["input"]["turn_detection"]
        return detection

    @property
    def transcription(self) -> dict[str, Any] | None:
        """The transcription object, or ``None`` where the client wants no transcripts."""
        transcription: dict[str, Any] | None = self.fields["audio"]["input"]["transcription"]
        return transcription

    @property
    def speed(self) -> float:
        """How fast the assistant speaks; 1 is normal."""
        return float(self.fields["audio"]["output"]["speed"])

    def hearing(self) -> TurnDetection:
        """The rules for hearing the end of a turn. Without turn detection they are the defaults."""
        detection = self.turn_detection or _SERVER_VAD_DEFAULTS
        if detection["type"] == "semantic_vad":
            return TurnDetection("semantic_vad", eagerness=detection["eagerness"])
        return TurnDetection(
            "server_vad",
            threshold=detection["threshold"],
            prefix_padding_ms=detection["prefix_padding_ms"],
            silence_duration_ms=detection["silence_duration_ms"],
        )

    def ordered(self, response: Any = None) -> Order:
        """What one response is to be: this configuration with ``response.create``'s own wishes.

        Raises:
            Rejected: something in ``response`` is not allowed.
        """
        wishes = (
            {} if response is None else _checked(_RESPONSE.read(response, "response"), "response")
        )
        output = self.fields["audio"]["output"]
        wished = wishes.get("audio", {}).get("output", {})
        return Order(
            in_conversation=wishes.get("conversation", "auto") == "auto",
            input=wishes.get("input"),
            instructions=wishes.get("instructions", self.fields["instructions"]),
            modality=wishes.get("output_modalities", self.fields["output_modalities"])[0],
            tools=wishes.get("tools", self.fields["tools"]),
            tool_choice=wishes.get("tool_choice", self.fields["tool_choice"]),
            max_output_tokens=wishes.get("max_output_tokens", self.fields["max_output_tokens"]),
            metadata=wishes.get("metadata"),
            voice=wished.get("voice", output["voice"]),
            format=wished.get("format", output["format"]),
            speed=self.speed,
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What one response is to be. ``input``, if there is one, is its context instead of the conversation."""

    in_conversation: bool
    input: list[dict[str, Any]] | None
    instructions: str
    modality: str
    tools: list[dict[str, Any]]
    tool_choice: str | dict[str, Any]
    max_output_tokens: int | str
    metadata: Any
    voice: Any
    format: dict[str, Any]
    speed: float


def _checked(fields: dict[str, Any], path: str = "session") -> dict[str, Any]:
    if len(fields.get("output_modalities", ["audio"])) != 1:
        raise Rejected(
            "invalid_value",
            "Invalid modalities: ['text', 'audio']. Supported combinations are: ['text'] and ['audio'].",
            f"{path}.output_modalities",
        )
    return fields
