"""What the core asks its shell to do. Each command carries the attempt it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..protocol.client_events import ClientEvent


@dataclass(frozen=True, slots=True)
class OpenMicrophone:
    """Ask for the microphone; report `microphone_opened` or `failed`."""

    attempt: int


@dataclass(frozen=True, slots=True)
class OpenPeer:
    """Make the peer connection and its data channel, exchange SDP; report `answered`,
    `channel_opened`, `link_changed`, `receive` or `failed`.
    """

    attempt: int


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """Close the peer, if there is one, and open the call's WebSocket at the backend; report
    `socket_opened`, `receive`, `socket_closed` or `failed`. `fell_back`: because WebRTC does not get through.
    """

    attempt: int
    fell_back: bool


@dataclass(frozen=True, slots=True)
class PlayAudio:
    """Play a piece of the assistant's sound after those before it (WebSocket); report `played` about twenty
    times a second and at the end of each item. `audio` is base64 of 16-bit samples, mono, at 24 kHz.
    """

    attempt: int
    item_id: str
    content_index: int
    audio: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send `text`, which is `event` in the call's dialect, over the data channel or the WebSocket."""

    attempt: int
    event: ClientEvent
    text: str


@dataclass(frozen=True, slots=True)
class SilenceReply:
    """Let nothing of the assistant's sound be heard from this moment on; what waits to be played is lost."""

    attempt: int


@dataclass(frozen=True, slots=True)
class LetReplySound:
    """The assistant may be heard again."""

    attempt: int


@dataclass(frozen=True, slots=True)
class SetMicrophone:
    """Let the microphone's sound through (`enabled`), or send silence."""

    attempt: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class CallTool:
    """Have function `name` run with `arguments` (JSON text as it came); report `tool_returned`."""

    attempt: int
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CloseCall:
    """Release the microphone, the peer and everything else of this attempt, at once."""

    attempt: int


Command: TypeAlias = (
    OpenMicrophone
    | OpenPeer
    | OpenSocket
    | PlayAudio
    | Send
    | SilenceReply
    | LetReplySound
    | SetMicrophone
    | CallTool
    | CloseCall
)
