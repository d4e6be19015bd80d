"""Conversation items: messages, function calls and their outputs, as the service describes them.

Source: `openai.types.realtime.conversation_item` (PyPI openai 3.54.0) and recordings of Azure's service,
where `status` may be missing and a function call's output comes without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from . import readers as read
from .readers import Json

TYPED_PARTS: Final = frozenset({"input_text", "output_text", "text"})
"""Content parts whose words are in `text`. The preview protocol says `text` for `output_text`."""

SPOKEN_PARTS: Final = frozenset({"input_audio", "output_audio", "audio"})
"""Content parts whose words are in `transcript`. The preview protocol says `audio` for `output_audio`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPart:
    """One part of a message: typed words, or audio with the words that were heard in it."""

    type: str = read.text()
    text: str | None = read.text_or_none()
    transcript: str | None = read.text_or_none()

    @property
    def words(self) -> str | None:
        """The words of this part, None where none are known."""
        if self.type in TYPED_PARTS:
            return self.text
        if self.type in SPOKEN_PARTS:
            return self.transcript
        return None

    @classmethod
    def read(cls, raw: object) -> ContentPart:
        """Read one part from foreign JSON; never raises."""
        return cls(**read.read_fields(cls, read.as_object(raw)))


def _content(value: object) -> tuple[ContentPart, ...]:
    return tuple(ContentPart.read(raw) for raw in read.as_objects(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of the conversation.

    `type` is `message`, `function_call`, `function_call_output` or one of the `mcp_*` types; only the
    fields of that type mean something. `arguments` and `output` are texts exactly as they came.
    """

    id: str = read.text()
    type: str = read.text()
    status: str = read.text()
    role: str = read.text()
    content: tuple[ContentPart, ...] = read.read_with(_content)
    name: str = read.text()
    call_id: str = read.text()
    arguments: str | None = read.text_or_none()
    output: str | None = read.text_or_none()
    phase: str = read.text()

    @classmethod
    def read(cls, raw: object) -> Item:
        """Read an item from foreign JSON; never raises."""
        return cls(**read.read_fields(cls, read.as_object(raw)))

    def to_json(self) -> Json:
        """Write the item as `conversation.item.create` takes it, without what is empty."""
        out: dict[str, Any] = {"type": self.type}
        if self.id:
            out["id"] = self.id
        match self.type:
            case "message":
                out["role"] = self.role
                out["content"] = [
                    {"type": part.type, "text": part.text or ""} for part in self.content
                ]
            case "function_call":
                out |= {
                    "name": self.name,
                    "call_id": self.call_id,
                    "arguments": self.arguments or "",
                }
            case "function_call_output":
                out |= {"call_id": self.call_id, "output": self.output or ""}
        return out


def typed_message(role: str, text: str, item_id: str = "") -> Item:
    """Return the message `text` of `role` (user, assistant or system), as a client writes it."""
    kind = "output_text" if role == "assistant" else "input_text"
    return Item(id=item_id, type="message", role=role, content=(ContentPart(type=kind, text=text),))


def function_output(call_id: str, output: str, item_id: str = "") -> Item:
    """Return the item that answers function call `call_id` with the text `output`."""
    return Item(id=item_id, type="function_call_output", call_id=call_id, output=output)
