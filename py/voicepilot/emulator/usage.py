"""How many tokens does a response cost?

By the documented rates: the user's audio one token for each 100 ms, the assistant's one for each 50 ms, text
about four characters to a token. Nothing is cached here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voicepilot.emulator.conversation import Item

_CHARACTERS_PER_TOKEN = 4
_USER_MS_PER_TOKEN = 100
_ASSISTANT_MS_PER_TOKEN = 50
_BILLED_BY_TIME = frozenset({"whisper-1", "gpt-realtime-whisper", "gpt-live-transcribe"})


def text_tokens(text: str) -> int:
    """Tokens of written text."""
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def user_audio_tokens(duration_ms: float) -> int:
    """Tokens of the user's sound."""
    return math.ceil(duration_ms / _USER_MS_PER_TOKEN)


def assistant_audio_tokens(duration_ms: float) -> int:
    """Tokens of the assistant's sound."""
    return math.ceil(duration_ms / _ASSISTANT_MS_PER_TOKEN)


def context_tokens(
    items: Iterable[Item], instructions: str, tools: list[dict[str, Any]]
) -> tuple[int, int]:
    """Text and audio tokens of all that a response is made from."""
    text = text_tokens(instructions) + (text_tokens(json.dumps(tools)) if tools else 0)
    audio = 0
    for item in items:
        audio += user_audio_tokens(item.audio_ms)
        if item.spoken is not None:
            audio += assistant_audio_tokens(item.spoken.duration_ms)
        body = item.body
        for part in body.get("content", ()):
            text += text_tokens(part.get("text") or "")
        for name in ("name", "arguments", "output"):
            text += text_tokens(body.get(name) or "")
    return text, audio


def response_usage(context: tuple[int, int], output_text: int, output_audio: int) -> dict[str, Any]:
    """The ``usage`` object of ``response.done``."""
    text, audio = context
    return {
        "total_tokens": text + audio + output_text + output_audio,
        "input_tokens": text + audio,
        "output_tokens": output_text + output_audio,
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": audio,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": output_text, "audio_tokens": output_audio},
    }


def transcription_usage(model: str, transcript: str, duration_ms: float) -> dict[str, Any]:
    """The ``usage`` object of a transcription, by time or by token as the model is billed."""
    if model in _BILLED_BY_TIME:
        return {"type": "duration", "seconds": round(duration_ms / 1000, 1)}
    audio, text = user_audio_tokens(duration_ms), text_tokens(transcript)
    return {
        "type": "tokens",
        "total_tokens": audio + text,
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": text,
    }
