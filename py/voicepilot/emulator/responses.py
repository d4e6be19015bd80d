"""How does one response go from its order to its end?

    created -> (item added, content) -> item done -> done: completed
       |              |                                    incomplete   the longest output is reached
       |              |                                    cancelled    the user spoke, or the client asked
       +--------------+--------------------------------->  failed       the models are not to be had

The end happens once, at once and in one place, :meth:`Response.end`: it closes whatever is open in the order
that the real service closes it, so that a client never waits for a ``done`` of something that began.

Sound is made a few seconds ahead of what is heard, no more: a long answer is still being made while the user
hears it, so an interruption can cancel it, as with the real service.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from voicepilot.emulator import events, usage
from voicepilot.emulator.conversation import Conversation, Item, Spoken
from voicepilot.emulator.ids import identifier, noise
from voicepilot.emulator.mind import Say, ToolOutcome, UseTool
from voicepilot.emulator.speech import OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from voicepilot.emulator.configuration import Order
    from voicepilot.emulator.mind import Mind
    from voicepilot.emulator.models import Models
    from voicepilot.emulator.reply import Outlet, Reply

logger = logging.getLogger(__name__)

_WORDS = re.compile(r"\s*\S+(?:\s+$)?")
_ARGUMENTS = re.compile(r".{1,12}", re.DOTALL)


class Response:
    """One response. :meth:`run` makes it, :meth:`end` ends it from outside."""

    def __init__(
        self,
        order: Order,
        *,
        conversation: Conversation,
        conversation_id: str,
        context: Sequence[Item],
        outlet: Outlet,
        announce: Callable[[events.Event], None],
    ) -> None:
        self.id = identifier("resp")
        self.order = order
        self.over = False
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._context = context
        self._outlet = outlet
        self._announce = announce
        self._status = "in_progress"
        self._details: dict[str, Any] | None = None
        self._usage: dict[str, Any] | None = None
        self._item: Item | None = None
        self._before: str | None = None
        self._text = ""
        self._spoken = Spoken()
        self._reply: Reply | None = None

    def begin(self) -> None:
        """Announce it."""
        self._announce(events.response_created(self._shown()))

    async def run(
        self,
        models: Callable[[], Awaitable[Models]],
        mind: Mind,
        understood: Callable[[Sequence[Item]], Awaitable[None]],
    ) -> None:
        """Make it, from thinking to the last sound made.

        Args:
            models: gives the models once they are loaded.
            mind: decides what to say.
            understood: returns when what the user said in these items is known.
        """
        try:
            await understood(self._context)
            thought = self._think(mind)
            if isinstance(thought, UseTool):
                self._call(thought)
                self.end("completed")
            elif self.order.modality == "text":
                self.end(*self._write(thought.text))
            else:
                self.end(*await self._speak(thought.text, await models()))
        except Exception as error:
            # Not the whole of it: a message may quote what was to be said.
            logger.error("A response could not be made (%s).", type(error).__name__)
            body = {
                "type": "server_error",
                "code": "server_error",
                "message": "The server had an error while making the response.",
            }
            self.end("failed", {"type": "failed", "error": body})

    def end(self, status: str, details: dict[str, Any] | None = None) -> None:
        """Close it and all of it that is open. Does nothing once it is over."""
        if self.over:
            return
        self.over = True
        self._status, self._details = status, details
        item_is_open = self._item is not None and self._item.body["status"] == "in_progress"
        if item_is_open:
            self._close_item("completed" if status == "completed" else "incomplete")
        if self._reply is not None:
            self._reply.finished = True
        spoken = self._spoken.duration_ms
        words = self._text or (self._item.body.get("arguments", "") if self._item else "")
        self._usage = usage.response_usage(
            usage.context_tokens(self._context, self.order.instructions, self.order.tools),
            usage.text_tokens(words),
            usage.assistant_audio_tokens(spoken),
        )
        self._announce(events.response_done(self._shown()))

    def _think(self, mind: Mind) -> Say | UseTool:
        said, outcomes = what_is_asked(self._context)
        tools, forced = _tools_to_use(self.order)
        thought = mind.answer(
            said=said,
            tools=tools,
            outcomes=outcomes,
            instructions=self.order.instructions,
            now=datetime.now().astimezone(),
        )
        if forced is not None and isinstance(thought, Say) and not outcomes:
            return UseTool(forced, "{}")
        return thought

    def _call(self, use: UseTool) -> None:
        call_id = f"call_{noise(16)}"
        body = {
            "id": identifier("item"),
            "type": "function_call",
            "status": "in_progress",
            "name": use.name,
            "call_id": call_id,
            "arguments": "",
        }
        item = self._open_item(body)
        for piece in _ARGUMENTS.findall(use.arguments):
            self._announce(events.function_arguments_delta(self.id, item.id, call_id, piece))
        self._announce(
            events.function_arguments_done(self.id, item.id, call_id, use.name, use.arguments)
        )
        body["arguments"] = use.arguments
        self._finish_item("completed")

    def _write(self, text: str) -> tuple[str, dict[str, Any] | None]:
        item = self._open_message()
        for word in _WORDS.findall(text):
            if not self._affords(word, 0.0):
                return _TOO_LONG
            self._text += word
            self._announce(events.words_delta(self.id, item.id, "text", word))
        return "completed", None

    async def _speak(self, text: str, models: Models) -> tuple[str, dict[str, Any] | None]:
        item: Item | None = None
        async for utterance in models.speak(text, self.order.speed):
            if self.over:
                break
            duration = len(utterance.samples) * 1000 / OUTPUT_RATE
            if item is None:
                item = self._open_message()
                self._reply = self._outlet.open(self.id, item.id)
            if not self._affords(utterance.text, duration):
                return _TOO_LONG
            assert self._reply is not None  # noqa: S101 -- opened with the item
            self._spoken.pieces.append((utterance.text, duration))
            self._outlet.feed(self._reply, utterance.samples)
            for word in _WORDS.findall(utterance.text):
                self._text += word
                self._announce(events.words_delta(self.id, item.id, "audio", word))
            await self._outlet.ready(self._reply)
        return "completed", None

    def _affords(self, text: str, duration_ms: float) -> bool:
        limit = self.order.max_output_tokens
        if isinstance(limit, str):
            return True
        sound = usage.assistant_audio_tokens(self._spoken.duration_ms + duration_ms)
        return usage.text_tokens(self._text + text) + sound <= limit

    def _open_message(self) -> Item:
        item = self._open_item(
            {
                "id": identifier("item"),
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [],
            }
        )
        self._announce(events.content_part_added(self.id, item.id, self.order.modality))
        return item

    def _open_item(self, body: dict[str, Any]) -> Item:
        item = self._item = Item(body)
        self._announce(events.output_item_added(self.id, item.shown()))
        if self.order.in_conversation:
            self._before = self._conversation.insert(item)
            self._announce(events.item_added(item.shown(), self._before))
        return item

    def _close_item(self, status: str) -> None:
        item, modality = self._item, self.order.modality
        assert item is not None  # noqa: S101 -- called for an open item only
        if modality == "audio":
            item.spoken = self._spoken
            item.body["content"] = [{"type": "output_audio", "transcript": self._text}]
            self._announce(events.output_audio_done(self.id, item.id))
        else:
            item.body["content"] = [{"type": "output_text", "text": self._text}]
        self._announce(events.words_done(self.id, item.id, modality, self._text))
        self._announce(events.content_part_done(self.id, item.id, modality, self._text))
        self._finish_item(status)

    def _finish_item(self, status: str) -> None:
        item = self._item
        assert item is not None  # noqa: S101 -- called for an open item only
        item.body["status"] = status
        if self.order.in_conversation:
            self._announce(events.item_done(item.shown(), self._before))
        self._announce(events.output_item_done(self.id, item.shown()))

    def _shown(self) -> dict[str, Any]:
        order = self.order
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self._status,
            "status_details": self._details,
            "output": [self._item.shown()] if self._item is not None and self.over else [],
            "conversation_id": self._conversation_id if order.in_conversation else None,
            "output_modalities": [order.modality],
            "max_output_tokens": order.max_output_tokens,
            "audio": {"output": {"format": order.format, "voice": order.voice}},
            "usage": self._usage,
            "metadata": order.metadata,
        }


_TOO_LONG = ("incomplete", {"type": "incomplete", "reason": "max_output_tokens"})


def cancelled(reason: str) -> tuple[str, dict[str, Any]]:
    """The end of a response that ``turn_detected`` or ``client_cancelled`` cut short."""
    return "cancelled", {"type": "cancelled", "reason": reason}


def what_is_asked(context: Sequence[Item]) -> tuple[str, list[ToolOutcome]]:
    """The user's words since the assistant last spoke, and what tools gave back since then.

    Words, not a turn: who pauses in the middle of a sentence makes two turns of it. Only who speaks: what is
    typed is whole, and a question that was left unanswered may be typed again.
    """
    names = {i.body.get("call_id"): i.body["name"] for i in context if i.kind == "function_call"}
    said: list[str] = []
    outcomes: list[ToolOutcome] = []
    for item in reversed(context):
        if item.kind == "assistant" or (said and item.kind not in ("user", "system")):
            break
        if item.kind == "user" and item.said:
            if _is_typed(item):
                said = said or [item.said]
                break
            said.insert(0, item.said)
        if item.kind == "function_call_output":
            name = str(names.get(item.body["call_id"], "the tool"))
            outcomes.insert(0, ToolOutcome(name, str(item.body["output"])))
    # What the user has said after the tools' results is a new question.
    newest = next((item.kind for item in reversed(context) if item.kind != "system"), None)
    return " ".join(said), [] if newest == "user" else outcomes


def _is_typed(item: Item) -> bool:
    return any(part["type"] == "input_text" for part in item.body.get("content", ()))


def _tools_to_use(order: Order) -> tuple[list[dict[str, Any]], str | None]:
    """The tools that may be called, and the one that must be if the mind would rather speak."""
    choice = order.tool_choice
    if choice == "none" or not order.tools:
        return [], None
    if isinstance(choice, dict):
        named = [tool for tool in order.tools if tool["name"] == choice["name"]]
        return named, choice["name"] if named else None
    return order.tools, order.tools[0]["name"] if choice == "required" else None
