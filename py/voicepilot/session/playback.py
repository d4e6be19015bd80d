"""What of the assistant's sound was heard, where it comes over WebSocket and is played here?

Over WebRTC the service plays the sound out and says when that begins and ends. Over WebSocket the sound
comes faster than it is heard, and only this side knows how much was. So this module makes the events that
the service would send (`output_audio_buffer.*`), and the ones that tell it what was heard.

Rules
- Sounds are heard in the order in which they came; one response sounds at a time.
- A response begins to sound with its first piece (or when the one before it has ended), and ends when the
  response is done and the player has played everything that came of it.
- At an interruption what was heard of a sound, clamped to what was received, is told by
  `conversation.item.truncate`. A sound of which nothing was heard is deleted: the service refuses a cut to
  nothing, and what was never heard was never said. What was heard to its end stays.
- What still comes of an interrupted response, or of one that has ended, is not played.

Source: the published behaviour of other WebSocket clients of the service (livekit/agents #6158,
openai-agents-python #4122).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from ..protocol.client_events import ClientEvent, DeleteItem, TruncateItem
from ..protocol.server_events import (
    AudioDelta,
    AudioDone,
    PlayoutCleared,
    PlayoutStarted,
    PlayoutStopped,
    ResponseDone,
    ServerEvent,
)

PlayoutEvent: TypeAlias = PlayoutStarted | PlayoutStopped | PlayoutCleared

_ROUNDING_MS: Final = 1.0
"""Player and core count in whole samples, but of different pieces."""


@dataclass(slots=True)
class _Sound:
    """One content part of one item. Milliseconds."""

    response_id: str
    item_id: str
    content_index: int
    received: float = 0.0
    played: float = 0.0
    whole: bool = False

    @property
    def heard(self) -> bool:
        """Whether everything that came was heard."""
        return self.played >= self.received - _ROUNDING_MS

    def cut(self) -> ClientEvent | None:
        """What the service must be told when the sound ends here; None where nothing is lost."""
        if self.whole and self.heard:
            return None
        heard = int(min(self.played, self.received))
        if heard <= 0:
            return DeleteItem(item_id=self.item_id)
        return TruncateItem(
            item_id=self.item_id, content_index=self.content_index, audio_end_ms=heard
        )


class Playback:
    """The sounds of one call that were received and not heard to their end."""

    def __init__(self) -> None:
        self._sounds: list[_Sound] = []
        self._done: set[str] = set()  # responses of which nothing more comes
        self._dropped: set[str] = set()  # responses that are over
        self._sounding = ""  # the response that is heard

    def take(self, event: ServerEvent, bytes_per_ms: int) -> bool:
        """Take in an event of the service; return whether it brings sound that is to be played."""
        match event:
            case AudioDelta() if event.item_id and event.response_id not in self._dropped:
                octets = len(event.delta) // 4 * 3 - event.delta[-2:].count("=")
                sound = self._find(event.item_id, event.content_index)
                if sound is None:
                    sound = _Sound(event.response_id, event.item_id, event.content_index)
                    self._sounds.append(sound)
                sound.received += octets / bytes_per_ms
                return octets > 0
            case AudioDone():
                sound = self._find(event.item_id, event.content_index)
                if sound is not None:
                    sound.whole = True
            case ResponseDone() if event.response.id not in self._dropped:
                self._done.add(event.response.id)
        return False

    def played(self, item_id: str, content_index: int, milliseconds: float) -> None:
        """The player has played so much of a sound, from its beginning."""
        sound = self._find(item_id, content_index)
        if sound is not None:
            sound.played = max(sound.played, milliseconds)

    def news(self) -> list[PlayoutEvent]:
        """Return what has begun or ended since the last time."""
        events: list[PlayoutEvent] = []
        while True:
            if not self._sounding:
                if not self._sounds:
                    return events
                self._sounding = self._sounds[0].response_id
                events.append(PlayoutStarted(response_id=self._sounding))
            mine = [sound for sound in self._sounds if sound.response_id == self._sounding]
            if self._sounding not in self._done or not all(sound.heard for sound in mine):
                return events
            self._sounds = [each for each in self._sounds if each not in mine]
            self._done.discard(self._sounding)
            self._dropped.add(self._sounding)  # what came now would come after its end
            events.append(PlayoutStopped(response_id=self._sounding))
            self._sounding = ""

    def cut(self, making: str) -> tuple[list[ClientEvent], list[PlayoutEvent]]:
        """Everything ends here: what to tell the service, and what it would have said.

        `making` is the response that is being made, "" for none: no more of it is played.
        """
        told = [event for sound in self._sounds if (event := sound.cut()) is not None]
        self._dropped |= {making, self._sounding, *(each.response_id for each in self._sounds)}
        self._dropped.discard("")
        cleared: list[PlayoutEvent] = []
        if self._sounding:
            cleared = [PlayoutCleared(response_id=self._sounding)]
        self._sounds, self._done, self._sounding = [], set(), ""
        return told, cleared

    def _find(self, item_id: str, content_index: int) -> _Sound | None:
        for sound in self._sounds:
            if (sound.item_id, sound.content_index) == (item_id, content_index):
                return sound
        return None
