"""Words for telling a call as a story: what the service says, one short call an event.

Events are those of a real session with what the core does not read left out.
"""

from __future__ import annotations

import json
from typing import Any

from voicepilot.session import Call, Command
from voicepilot.session.commands import Send


def event(kind: str, **fields: Any) -> str:
    """Return the event `kind` as the text on the data channel."""
    return json.dumps({"type": kind, **fields})


def user_message(item_id: str, words: str | None = None) -> dict[str, Any]:
    """Return a spoken user item, as the service adds it before it is transcribed."""
    part = {"type": "input_audio", "transcript": words}
    return {
        "id": item_id,
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [part],
    }


def answer(item_id: str, words: str = "", status: str = "in_progress") -> dict[str, Any]:
    """Return a spoken assistant item."""
    content = [{"type": "output_audio", "transcript": words}] if words else []
    return {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def function_call(item_id: str, call_id: str, name: str, arguments: str = "") -> dict[str, Any]:
    """Return a function call item."""
    return {
        "id": item_id,
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": "completed" if arguments else "in_progress",
    }


SESSION = {
    "id": "sess_1",
    "model": "demo",
    "expires_at": 4_000_000_000,
    "audio": {
        "input": {
            "turn_detection": {
                "type": "server_vad",
                "silence_duration_ms": 200,
                "create_response": True,
                "interrupt_response": True,
            },
            "transcription": {"model": "demo"},
        }
    },
}


class Story:
    """A call and its clock. Each method tells the core one thing and returns what it asks for."""

    def __init__(self) -> None:
        self.call = Call()
        self.now = 100.0

    def wait(self, milliseconds: float) -> list[Command]:
        self.now += milliseconds / 1000
        return self.call.tick(self.now)

    def hears(self, kind: str, **fields: Any) -> list[Command]:
        return self.call.receive(self.call.attempt, event(kind, **fields), self.now)

    def goes_live(self) -> int:
        self.call.talk(self.now)
        attempt = self.call.attempt
        self.call.microphone_opened(attempt, self.now)
        self.call.answered(attempt, "rtc_1", self.now)
        self.call.channel_opened(attempt, self.now)
        self.hears("session.created", session=SESSION)
        return attempt

    def user_begins(self, item_id: str) -> list[Command]:
        return self.hears("input_audio_buffer.speech_started", item_id=item_id, audio_start_ms=0)

    def user_ends(self, item_id: str, previous: str | None) -> list[Command]:
        commands = self.hears("input_audio_buffer.speech_stopped", item_id=item_id, audio_end_ms=9)
        commands += self.hears(
            "input_audio_buffer.committed", item_id=item_id, previous_item_id=previous
        )
        for kind in ("conversation.item.added", "conversation.item.done"):
            commands += self.hears(kind, item=user_message(item_id), previous_item_id=previous)
        return commands

    def transcribed(self, item_id: str, words: str) -> list[Command]:
        return self.hears(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=words,
        )

    def answer_begins(self, response_id: str, item_id: str, previous: str) -> list[Command]:
        commands = self.hears("response.created", response={"id": response_id})
        commands += self.hears(
            "response.output_item.added", response_id=response_id, item=answer(item_id)
        )
        commands += self.hears(
            "conversation.item.added", item=answer(item_id), previous_item_id=previous
        )
        return commands

    def words(self, response_id: str, item_id: str, words: str) -> list[Command]:
        return self.hears(
            "response.output_audio_transcript.delta",
            response_id=response_id,
            item_id=item_id,
            content_index=0,
            delta=words,
        )

    def sound_begins(self, response_id: str) -> list[Command]:
        return self.hears("output_audio_buffer.started", response_id=response_id)

    def sound_ends(self, response_id: str) -> list[Command]:
        return self.hears("output_audio_buffer.stopped", response_id=response_id)

    def answer_done(
        self, response_id: str, *items: dict[str, Any], status: str = "completed", **more: Any
    ) -> list[Command]:
        response = {"id": response_id, "status": status, "output": list(items), **more}
        return self.hears("response.done", response=response)

    def answers(self, response_id: str, item_id: str, previous: str, words: str) -> list[Command]:
        """A whole spoken answer, heard to its end."""
        commands = self.answer_begins(response_id, item_id, previous)
        commands += self.words(response_id, item_id, words)
        commands += self.sound_begins(response_id)
        commands += self.answer_done(response_id, answer(item_id, words, "completed"))
        self.wait(len(words) / 15 * 1000)
        return commands + self.sound_ends(response_id)


def sent_types(commands: list[Command]) -> list[str]:
    """Return the types of the events that `commands` send, in order."""
    return [command.event.TYPE for command in commands if isinstance(command, Send)]
