"""What does the backend say on a call's own WebSocket before the service's events follow?

Where sound and events go over WebSocket, the page opens `/call` at the page server. The first frame there is
the backend's: `{"opened": {"dialect", "transport"}}` once the service has taken the connection, or
`{"refused": Problem}`, after which it closes. Every later frame, both ways, is the protocol's own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from voicepilot.bridge.messages import TRANSPORTS, Fields, MessageError
from voicepilot.protocol.json_text import parse_json
from voicepilot.protocol.problems import Problem

CALL_PATH: Final = "/call"
TRIED_WEBRTC: Final = "tried-webrtc"
"""The query parameter that says: this call began over WebRTC, which did not get through."""

LARGEST_FRAME: Final = 16 * 1024 * 1024
"""Bytes of one frame: the longest append that the service takes (15 MiB), and what stands around it."""


@dataclass(frozen=True, slots=True)
class SocketOpened:
    """The service is there. `dialect` is what it speaks, `transport` what later calls begin with."""

    dialect: str
    transport: str

    def to_text(self) -> str:
        """As the frame."""
        return json.dumps({"opened": {"dialect": self.dialect, "transport": self.transport}})


def refused(problem: Problem) -> str:
    """The frame that says why there is no call."""
    return json.dumps({"refused": problem.to_json()})


def read_greeting(text: str) -> SocketOpened | Problem:
    """What the first frame says. Raises MessageError."""
    try:
        frame = parse_json(text)
    except ValueError as error:
        raise MessageError("frame", "is not JSON") from error
    if not isinstance(frame, dict):
        raise MessageError("frame", "is not an object")
    if "refused" in frame:
        return Problem.from_json(frame["refused"])
    opened = Fields(frame.get("opened"), "dialect", "transport")
    return SocketOpened(opened.text("dialect"), opened.choice("transport", TRANSPORTS))
