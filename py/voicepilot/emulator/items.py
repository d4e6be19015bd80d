"""What may a client put into a conversation?

The shapes of ``conversation.item.create``. Assistant audio cannot be put in, and items of remote tool servers
(MCP) are not served here.
"""

from __future__ import annotations

from voicepilot.emulator.schema import (
    Anything,
    Choice,
    Items,
    Nullable,
    Record,
    Shape,
    Tagged,
    Text,
)

_NAME = Text(longest=32)
_STATUS = Choice(("completed", "incomplete", "in_progress"))

_INPUT_TEXT = Record({"type": Anything(), "text": Text()}, required=("text",))
_INPUT_AUDIO = Record(
    {"type": Anything(), "audio": Text(), "transcript": Nullable(Text())},
    required=("audio",),
    defaults={"transcript": None},
)
_INPUT_IMAGE = Record(
    {"type": Anything(), "image_url": Text(), "detail": Choice(("auto", "low", "high"))},
    required=("image_url",),
    defaults={"detail": "auto"},
)
_OUTPUT_TEXT = Record({"type": Anything(), "text": Text()}, required=("text",))

_COMMON: dict[str, Shape] = {
    "id": _NAME,
    "type": Anything(),
    "object": Anything(),
    "status": _STATUS,
}


def _message(content: Tagged) -> Record:
    return Record(
        {**_COMMON, "role": Anything(), "content": Items(content, least=1)}, required=("content",)
    )


_MESSAGE = {
    "system": _message(Tagged({"input_text": _INPUT_TEXT})),
    "user": _message(
        Tagged(
            {
                "input_text": _INPUT_TEXT,
                "input_audio": _INPUT_AUDIO,
                "input_image": _INPUT_IMAGE,
            }
        )
    ),
    "assistant": _message(Tagged({"output_text": _OUTPUT_TEXT})),
}

_FUNCTION_CALL = Record(
    {**_COMMON, "name": Text(), "call_id": Text(), "arguments": Text()},
    required=("name", "arguments"),
)
_FUNCTION_CALL_OUTPUT = Record(
    {**_COMMON, "call_id": Text(), "output": Text()}, required=("call_id", "output")
)

ITEM = Tagged(
    {
        "message": Tagged(_MESSAGE, tag="role"),
        "function_call": _FUNCTION_CALL,
        "function_call_output": _FUNCTION_CALL_OUTPUT,
    }
)
"""An item that a client may create."""

ITEM_OR_REFERENCE = Tagged(
    {
        **ITEM.records,
        "item_reference": Record({"type": Anything(), "id": Text()}, required=("id",)),
    }
)
"""An entry of ``response.create``'s own ``input``: an item, or one of the conversation by its id."""
