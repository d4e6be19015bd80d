"""Tokens that a response cost, as `response.done` tells them.

Source: `openai.types.realtime.realtime_response_usage`. Transcription is billed apart and not in here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from . import readers as read
from .readers import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts; zero where the service did not say. Adding two gives their sum."""

    input_tokens: int = read.whole_number()
    output_tokens: int = read.whole_number()
    total_tokens: int = read.whole_number()
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    cached_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0

    @classmethod
    def read(cls, raw: object) -> Usage:
        """Read usage from foreign JSON; never raises."""
        source = read.as_object(raw)
        spent_in = read.as_object(source.get("input_token_details"))
        spent_out = read.as_object(source.get("output_token_details"))
        return cls(
            **read.read_fields(cls, source),
            input_text_tokens=read.as_int(spent_in.get("text_tokens")),
            input_audio_tokens=read.as_int(spent_in.get("audio_tokens")),
            cached_tokens=read.as_int(spent_in.get("cached_tokens")),
            output_text_tokens=read.as_int(spent_out.get("text_tokens")),
            output_audio_tokens=read.as_int(spent_out.get("audio_tokens")),
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{n: getattr(self, n) + getattr(other, n) for n in _COUNTS})

    def to_json(self) -> Json:
        """Return the three totals by the names of the protocol."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
        }


_COUNTS = tuple(f.name for f in fields(Usage))
