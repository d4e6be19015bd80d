"""What do a call's events look like to a page? Turns of spoken question and spoken answer, as they come."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.unit.service_story import answer, user_message

_QUESTION = "What did the committee decide about the new library on Tuesday?"
_ANSWER = (
    "The committee decided to open the library in spring. It will have two reading rooms, a small "
    "garden, and a desk where visitors can borrow a laptop for the day. The budget was approved."
)


def events(count: int) -> list[str]:
    """The first `count` events of an endless call, as texts on the data channel."""
    return list(itertools.islice(_call(), count))


def _call() -> Iterator[str]:
    numbers = itertools.count(1)
    last: str | None = None
    for turn in itertools.count(1):
        for kind, fields in _turn(turn, last):
            yield json.dumps(
                {"type": kind, "event_id": f"event_bench_{next(numbers):08}", **fields}
            )
        last = f"item_answer_{turn:06}"


def _turn(number: int, last: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    asked, said = f"item_question_{number:06}", f"item_answer_{number:06}"
    response_id = f"resp_bench_{number:06}"
    part = {"response_id": response_id, "item_id": said, "output_index": 0, "content_index": 0}
    transcription = "conversation.item.input_audio_transcription"

    yield "input_audio_buffer.speech_started", {"item_id": asked, "audio_start_ms": number * 9000}
    yield (
        "input_audio_buffer.speech_stopped",
        {"item_id": asked, "audio_end_ms": number * 9000 + 3000},
    )
    yield "input_audio_buffer.committed", {"item_id": asked, "previous_item_id": last}
    for step in ("added", "done"):
        yield (
            f"conversation.item.{step}",
            {"item": user_message(asked), "previous_item_id": last},
        )
    response = {
        "id": response_id,
        "object": "realtime.response",
        "conversation_id": "conv_bench",
        "output_modalities": ["audio"],
    }
    yield "response.created", {"response": {**response, "status": "in_progress", "output": []}}
    for word in _QUESTION.split():
        yield f"{transcription}.delta", {"item_id": asked, "content_index": 0, "delta": f" {word}"}
    yield (
        f"{transcription}.completed",
        {"item_id": asked, "content_index": 0, "transcript": _QUESTION},
    )
    yield (
        "response.output_item.added",
        {"response_id": response_id, "output_index": 0, "item": answer(said)},
    )
    yield "conversation.item.added", {"item": answer(said), "previous_item_id": asked}
    yield "response.content_part.added", {**part, "part": {"type": "audio", "transcript": ""}}
    for place, word in enumerate(_ANSWER.split()):
        if place == 5:
            yield "output_audio_buffer.started", {"response_id": response_id}
        yield "response.output_audio_transcript.delta", {**part, "delta": f"{word} "}
    yield "response.output_audio.done", part
    yield "response.output_audio_transcript.done", {**part, "transcript": _ANSWER}
    yield (
        "response.content_part.done",
        {**part, "part": {"type": "audio", "transcript": _ANSWER}},
    )
    whole = answer(said, _ANSWER, "completed")
    yield (
        "response.output_item.done",
        {"response_id": response_id, "output_index": 0, "item": whole},
    )
    yield "conversation.item.done", {"item": whole, "previous_item_id": asked}
    usage = {
        "total_tokens": 320,
        "input_tokens": 120,
        "output_tokens": 200,
        "input_token_details": {"text_tokens": 40, "audio_tokens": 80, "cached_tokens": 0},
        "output_token_details": {"text_tokens": 50, "audio_tokens": 150},
    }
    yield (
        "response.done",
        {"response": {**response, "status": "completed", "output": [whole], "usage": usage}},
    )
    yield "rate_limits.updated", {"rate_limits": [{"name": "tokens", "limit": 1, "remaining": 1}]}
    yield "output_audio_buffer.stopped", {"response_id": response_id}
