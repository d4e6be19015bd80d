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
class Send:
    """Send `text`, which is `event` in the call's dialect, over the data channel."""

    attempt: int
    event: ClientEvent
    text: str


@dataclass(frozen=True, slots=True)
class SilenceReply:
    """Let nothing of the assistant's sound be heard from this moment on."""

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
    | Send
    | SilenceReply
    | LetReplySound
    | SetMicrophone
    | CallTool
    | CloseCall
)
