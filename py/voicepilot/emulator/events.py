"""What do the service's events look like?

One function for each event that goes to the client, with the fields and their order as recorded from Azure's
GA service in 2026-07. The ``event_id`` is put in where events are sent. Deltas carry an ``obfuscation`` of
random letters, and content parts appear both as ``part`` and as ``content``, because the real ones do.
"""

from __future__ import annotations

import secrets
from typing import Any

from voicepilot.emulator.ids import noise

Event = dict[str, Any]

_OBFUSCATION = (8, 16)


def _padding() -> str:
    least, most = _OBFUSCATION
    return noise(least + secrets.randbelow(most - least + 1))


def error(body: dict[str, Any]) -> Event:
    """Something was refused or went wrong; the session goes on."""
    return {"type": "error", "error": body}


def session_created(session: dict[str, Any]) -> Event:
    """The first event of a session."""
    return {"type": "session.created", "session": session}


def session_updated(session: dict[str, Any]) -> Event:
    """A ``session.update`` was taken."""
    return {"type": "session.updated", "session": session}


def speech_started(item_id: str, audio_start_ms: int) -> Event:
    """The user began to speak."""
    return {
        "type": "input_audio_buffer.speech_started",
        "audio_start_ms": audio_start_ms,
        "item_id": item_id,
    }


def speech_stopped(item_id: str, audio_end_ms: int) -> Event:
    """The user stopped speaking."""
    return {
        "type": "input_audio_buffer.speech_stopped",
        "audio_end_ms": audio_end_ms,
        "item_id": item_id,
    }


def input_committed(item_id: str, previous_item_id: str | None) -> Event:
    """The user's audio became an item."""
    return {
        "type": "input_audio_buffer.committed",
        "previous_item_id": previous_item_id,
        "item_id": item_id,
    }


def input_cleared() -> Event:
    """The user's audio was thrown away."""
    return {"type": "input_audio_buffer.cleared"}


def input_timed_out(item_id: str, audio_start_ms: int, audio_end_ms: int) -> Event:
    """The user said nothing for the idle timeout."""
    return {
        "type": "input_audio_buffer.timeout_triggered",
        "audio_start_ms": audio_start_ms,
        "audio_end_ms": audio_end_ms,
        "item_id": item_id,
    }


def item_added(item: dict[str, Any], previous_item_id: str | None) -> Event:
    """An item stands in the conversation."""
    return {
        "type": "conversation.item.added",
        "previous_item_id": previous_item_id,
        "item": item,
    }


def item_done(item: dict[str, Any], previous_item_id: str | None) -> Event:
    """An item is complete."""
    return {
        "type": "conversation.item.done",
        "previous_item_id": previous_item_id,
        "item": item,
    }


def item_retrieved(item: dict[str, Any]) -> Event:
    """An item, asked for."""
    return {"type": "conversation.item.retrieved", "item": item}


def item_deleted(item_id: str) -> Event:
    """An item is gone."""
    return {"type": "conversation.item.deleted", "item_id": item_id}


def item_truncated(item_id: str, audio_end_ms: int) -> Event:
    """The assistant's item ends where it was heard last."""
    return {
        "type": "conversation.item.truncated",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": audio_end_ms,
    }


def transcription_delta(item_id: str, delta: str) -> Event:
    """A piece of what the user said."""
    return {
        "type": "conversation.item.input_audio_transcription.delta",
        "item_id": item_id,
        "content_index": 0,
        "delta": delta,
        "obfuscation": _padding(),
    }


def transcription_completed(item_id: str, transcript: str, usage: dict[str, Any]) -> Event:
    """All of what the user said."""
    return {
        "type": "conversation.item.input_audio_transcription.completed",
        "item_id": item_id,
        "content_index": 0,
        "transcript": transcript,
        "usage": usage,
    }


def transcription_failed(item_id: str, code: str = "server_error") -> Event:
    """What the user said could not be written down."""
    return {
        "type": "conversation.item.input_audio_transcription.failed",
        "item_id": item_id,
        "content_index": 0,
        "error": {
            "type": "server_error",
            "code": code,
            "message": f"Input transcription failed for item '{item_id}'.",
            "param": None,
        },
    }


def response_created(response: dict[str, Any]) -> Event:
    """A response is being made."""
    return {"type": "response.created", "response": response}


def response_done(response: dict[str, Any]) -> Event:
    """A response is over, in whatever way."""
    return {"type": "response.done", "response": response}


def output_item_added(response_id: str, item: dict[str, Any]) -> Event:
    """A response has an item. Responses have one here."""
    return {
        "type": "response.output_item.added",
        "response_id": response_id,
        "output_index": 0,
        "item": item,
    }


def output_item_done(response_id: str, item: dict[str, Any]) -> Event:
    """A response's item is complete."""
    return {
        "type": "response.output_item.done",
        "response_id": response_id,
        "output_index": 0,
        "item": item,
    }


def _in_content(kind: str, response_id: str, item_id: str, **fields: Any) -> Event:
    return {
        "type": kind,
        "response_id": response_id,
        "item_id": item_id,
        "output_index": 0,
        "content_index": 0,
        **fields,
    }


def _part(modality: str, text: str) -> dict[str, Any]:
    words = {"transcript": text} if modality == "audio" else {"text": text}
    return {"type": modality, **words}


def content_part_added(response_id: str, item_id: str, modality: str) -> Event:
    """The item's content begins."""
    part = _part(modality, "")
    return _in_content(
        "response.content_part.added", response_id, item_id, part=part, content=dict(part)
    )


def content_part_done(response_id: str, item_id: str, modality: str, text: str) -> Event:
    """The item's content is complete."""
    part = _part(modality, text)
    return _in_content(
        "response.content_part.done", response_id, item_id, part=part, content=dict(part)
    )


_WORDS = {"audio": "response.output_audio_transcript", "text": "response.output_text"}


def words_delta(response_id: str, item_id: str, modality: str, delta: str) -> Event:
    """A piece of what the assistant says or writes."""
    return _in_content(
        f"{_WORDS[modality]}.delta", response_id, item_id, delta=delta, obfuscation=_padding()
    )


def words_done(response_id: str, item_id: str, modality: str, text: str) -> Event:
    """All of what the assistant says or writes."""
    field = {"audio": "transcript", "text": "text"}[modality]
    return _in_content(f"{_WORDS[modality]}.done", response_id, item_id, **{field: text})


def output_audio_delta(response_id: str, item_id: str, delta: str) -> Event:
    """A piece of the item's sound, base64 of PCM16 at 24 kHz; where no track carries it."""
    return _in_content("response.output_audio.delta", response_id, item_id, delta=delta)


def output_audio_done(response_id: str, item_id: str) -> Event:
    """All sound of the item is made."""
    return _in_content("response.output_audio.done", response_id, item_id)


def function_arguments_delta(response_id: str, item_id: str, call_id: str, delta: str) -> Event:
    """A piece of a function call's arguments."""
    return {
        "type": "response.function_call_arguments.delta",
        "response_id": response_id,
        "item_id": item_id,
        "output_index": 0,
        "call_id": call_id,
        "delta": delta,
        "obfuscation": _padding(),
    }


def function_arguments_done(
    response_id: str, item_id: str, call_id: str, name: str, arguments: str
) -> Event:
    """All of a function call's arguments."""
    return {
        "type": "response.function_call_arguments.done",
        "response_id": response_id,
        "item_id": item_id,
        "output_index": 0,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def output_buffer(what: str, response_id: str) -> Event:
    """The sound of a response has ``started``, ``stopped`` or been ``cleared`` on its way to the page."""
    return {"type": f"output_audio_buffer.{what}", "response_id": response_id}
