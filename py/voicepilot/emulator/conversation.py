"""What was said so far, in which order, and how much of it was heard?

A conversation is a list of items with unique ids. An item is the protocol's JSON object together with what
the service alone knows of it: how much audio it stands for, and for the assistant's words which of them
sound when. Everything here is plain data; recognition and speech happen elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from voicepilot.emulator.errors import Rejected

ROOT = "root"
"""As ``previous_item_id``: before all items."""


@dataclass(slots=True)
class Spoken:
    """The assistant's words and the sound made of them, piece by piece, in order."""

    pieces: list[tuple[str, float]] = field(default_factory=list)
    """Text and duration in ms of each piece."""

    @property
    def text(self) -> str:
        """All words."""
        return "".join(text for text, _ in self.pieces)

    @property
    def duration_ms(self) -> int:
        """How long it all sounds."""
        return round(sum(duration for _, duration in self.pieces))

    def heard(self, until_ms: float) -> Spoken:
        """What of it sounds in the first ``until_ms``: whole words, counted by their letters."""
        heard = Spoken()
        left = until_ms
        for text, duration in self.pieces:
            if duration <= left:
                heard.pieces.append((text, duration))
                left -= duration
                continue
            if left > 0:
                heard.pieces.append((_words_within(text, left / duration), left))
            break
        return heard


def _words_within(text: str, share: float) -> str:
    limit = len(text) * share
    end = 0
    for index, character in enumerate(text):
        if index > limit:
            break
        if character.isspace():
            end = index
    return text[:end]


@dataclass(slots=True)
class Item:
    """One item. ``body`` is the protocol's object, kept up to date."""

    body: dict[str, Any]
    audio_ms: int = 0
    """How much of the user's audio it stands for."""
    said: str | None = None
    """The user's words, typed or recognised; ``None`` while they are not known."""
    spoken: Spoken | None = None
    """Set where the assistant spoke it aloud."""

    @property
    def id(self) -> str:
        """Unique in the conversation."""
        return str(self.body["id"])

    @property
    def kind(self) -> str:
        """``user``, ``assistant`` or ``system`` for messages, else the item's type."""
        return str(self.body["role"] if self.body["type"] == "message" else self.body["type"])

    def shown(self) -> dict[str, Any]:
        """The object for an event: a copy, without the audio that the client sent in."""
        body = dict(self.body)
        if "content" in body:
            body["content"] = [
                {key: value for key, value in part.items() if key != "audio"}
                for part in body["content"]
            ]
        return body


def typed(body: dict[str, Any]) -> Item:
    """An item that the client made; ``body`` as read by :data:`~.items.ITEM`, with its id."""
    item = Item(body)
    if item.kind == "user":
        texts = [part["text"] for part in body["content"] if part["type"] == "input_text"]
        item.said = " ".join(texts) if texts else None
    return item


class Conversation:
    """The items of one session, in order."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def __iter__(self) -> Any:
        return iter(tuple(self._items))

    def __len__(self) -> int:
        return len(self._items)

    @property
    def last_id(self) -> str | None:
        """The id of the last item, if there is one."""
        return self._items[-1].id if self._items else None

    def find(self, item_id: Any) -> Item | None:
        """The item of this id, if there is one."""
        return next((item for item in self._items if item.id == item_id), None)

    def before(self, item_id: str) -> str | None:
        """The id of the item that stands before this one."""
        index = self._index(item_id)
        return self._items[index - 1].id if index > 0 else None

    def insert(self, item: Item, after: str | None = None) -> str | None:
        """Put an item in, by default at the end; returns the id of the one before it.

        Raises:
            Rejected: the id is taken, or there is no item ``after``.
        """
        if self.find(item.id) is not None:
            raise Rejected(
                "item_create_duplicate_id",
                f"Error adding item: an item with id '{item.id}' already exists.",
                "item.id",
            )
        if after is None:
            self._items.append(item)
        elif after == ROOT:
            self._items.insert(0, item)
        elif self.find(after) is not None:
            self._items.insert(self._index(after) + 1, item)
        else:
            raise Rejected(
                "item_create_invalid_previous_item_id",
                f"Error adding item: the previous item with id '{after}' does not exist.",
                "previous_item_id",
            )
        return self.before(item.id)

    def delete(self, item_id: Any) -> None:
        """Take an item out.

        Raises:
            Rejected: there is none of this id.
        """
        self._items.remove(self.expect(item_id, "delete"))

    def expect(self, item_id: Any, purpose: str) -> Item:
        """The item of this id, for a client event of this purpose (``retrieve``, ``delete``, ``truncate``).

        Raises:
            Rejected: there is none.
        """
        item = self.find(item_id)
        if item is None:
            raise Rejected(
                f"item_{purpose}_invalid_item_id",
                f"Error with item {purpose}: the item with id '{item_id}' does not exist.",
                "item_id",
            )
        return item

    def truncate(self, item_id: Any, audio_end_ms: int) -> Item:
        """Forget what the assistant said after ``audio_end_ms``, its words too.

        Raises:
            Rejected: not an item that was spoken, or shorter than that already.
        """
        item = self.expect(item_id, "truncate")
        if item.spoken is None:
            raise Rejected(
                "unsupported_content_type",
                "Only model output audio messages can be truncated.",
                "item_id",
            )
        if audio_end_ms > item.spoken.duration_ms:
            raise Rejected(
                "invalid_value",
                f"Audio content of {item.spoken.duration_ms}ms is already shorter than "
                f"{audio_end_ms}ms.",
                "audio_end_ms",
            )
        item.spoken = item.spoken.heard(audio_end_ms)
        item.body["content"] = [{"type": "output_audio", "transcript": item.spoken.text}]
        return item

    def _index(self, item_id: str) -> int:
        return next(index for index, item in enumerate(self._items) if item.id == item_id)
