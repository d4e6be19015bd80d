"""What do page and backend say to each other over the bridge?

The one schema of the table "The bridge" in ARCHITECTURE.md: a frozen dataclass for the parameters
and the result of each method, `to_params` for the sender, `from_params` for the receiver. Reading
is strict (page and backend come from one build): a missing, unknown or wrongly typed field raises
`MessageError` with the field's name, and no object exists then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

HELLO: Final = "hello"
CALL_OPEN: Final = "call.open"
TOOL_CALL: Final = "tool.call"
CALL_CLOSED: Final = "call.closed"
CALL_FEED: Final = "call.feed"
CALL_KEY: Final = "call.key"
CALL_CONTROL: Final = "call.control"

CONTROLS: Final = ("talk", "stop", "mute", "unmute", "interrupt", "hold", "release")
"""What the person may want of the call from outside its page: by a command of the editor."""

CONTROLS_WITH_VALUE: Final = ("say", "microphone")
"""And by a page that mirrors the call: to say these words, to use the microphone with this id."""

RELAY: Final = "relay"
DIRECT: Final = "direct"
SIGNALLING: Final = (RELAY, DIRECT)

AUTO: Final = "auto"
WEBRTC: Final = "webrtc"
WEBSOCKET: Final = "websocket"
FALLBACK: Final = "fallback"
TRANSPORTS: Final = (AUTO, WEBRTC, WEBSOCKET, FALLBACK)

MAX_SDP: Final = 128 * 1024
"""Longest session description in characters; Chromium's audio-only offer has about 3,000."""


class MessageError(ValueError):
    """A message that breaks the schema; `field` is the name of the field at fault."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Hello:
    """Page to backend, the first message: which build the page was made by."""

    build: str

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"build": self.build}

    @classmethod
    def from_params(cls, params: object) -> Hello:
        """Raises MessageError."""
        fields = Fields(params, "build")
        return cls(build=fields.text("build"))


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """A tool that the session offers to the model, as the page shows it."""

    name: str
    description: str

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"name": self.name, "description": self.description}

    @classmethod
    def from_params(cls, params: object) -> ToolInfo:
        """Raises MessageError."""
        fields = Fields(params, "name", "description")
        return cls(name=fields.text("name"), description=fields.text("description"))


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to `Hello`: what stands behind the backend.

    `service` is a name for people, `dialect` the protocol spoken on the data channel (`ga` or
    `preview`), `build` the build that the page server serves; a page of another build reloads.
    `feed` asks the page for the inputs of its core (`CallFeed`). `signalling` says who posts the
    page's offer: the backend (`relay`, `OpenCall`) or the page itself (`direct`, `CallKey`).
    `transport` is what a call begins with (`session.transport`): `fallback` is WebSocket because WebRTC
    did not get through this network lately.
    """

    service: str
    dialect: str
    tools: tuple[ToolInfo, ...]
    build: str
    feed: bool = False
    signalling: str = RELAY
    transport: str = WEBRTC

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {
            "service": self.service,
            "dialect": self.dialect,
            "tools": [tool.to_params() for tool in self.tools],
            "build": self.build,
            "feed": self.feed,
            "signalling": self.signalling,
            "transport": self.transport,
        }

    @classmethod
    def from_params(cls, params: object) -> Welcome:
        """Raises MessageError."""
        names = ("service", "dialect", "tools", "build", "feed", "signalling", "transport")
        fields = Fields(params, *names)
        return cls(
            service=fields.text("service"),
            dialect=fields.text("dialect"),
            tools=tuple(ToolInfo.from_params(tool) for tool in fields.array("tools")),
            build=fields.text("build"),
            feed=fields.flag("feed"),
            signalling=fields.choice("signalling", SIGNALLING),
            transport=fields.choice("transport", TRANSPORTS),
        )


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Page to backend: open a call with this offer. `attempt` counts the presses of Talk from 1."""

    attempt: int
    sdp: str

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"attempt": self.attempt, "sdp": self.sdp}

    @classmethod
    def from_params(cls, params: object) -> OpenCall:
        """Raises MessageError."""
        fields = Fields(params, "attempt", "sdp")
        return cls(attempt=fields.integer("attempt", least=1), sdp=fields.sdp("sdp"))


@dataclass(frozen=True, slots=True)
class CallOpened:
    """The answer to `OpenCall`: the service's answer SDP and its name for the call.

    `expires_at` is when the key behind the call expires, in Unix seconds; the running call outlives
    it. Where the service did not say, it is None, and `call_id` is "".
    """

    sdp: str
    call_id: str
    expires_at: int | None
    dialect: str

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {
            "sdp": self.sdp,
            "call_id": self.call_id,
            "expires_at": self.expires_at,
            "dialect": self.dialect,
        }

    @classmethod
    def from_params(cls, params: object) -> CallOpened:
        """Raises MessageError."""
        fields = Fields(params, "sdp", "call_id", "expires_at", "dialect")
        return cls(
            sdp=fields.sdp("sdp"),
            call_id=fields.text("call_id", empty=True),
            expires_at=fields.integer_or_none("expires_at"),
            dialect=fields.text("dialect"),
        )


@dataclass(frozen=True, slots=True)
class CallKey:
    """Page to backend: a key for posting the offer of this attempt itself (*direct* signalling).

    `fresh`: the service refused the key that came before.
    """

    attempt: int
    fresh: bool = False

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"attempt": self.attempt, "fresh": self.fresh}

    @classmethod
    def from_params(cls, params: object) -> CallKey:
        """Raises MessageError."""
        fields = Fields(params, "attempt", "fresh")
        return cls(attempt=fields.integer("attempt", least=1), fresh=fields.flag("fresh"))


@dataclass(frozen=True, slots=True)
class KeyGiven:
    """The answer to `CallKey`: where the offer goes, and the short-lived key it goes with.

    `expires_at` and `dialect` as in `CallOpened`. The key never shows in a repr.
    """

    url: str
    key: str = field(repr=False)
    expires_at: int | None
    dialect: str

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {
            "url": self.url,
            "key": self.key,
            "expires_at": self.expires_at,
            "dialect": self.dialect,
        }

    @classmethod
    def from_params(cls, params: object) -> KeyGiven:
        """Raises MessageError."""
        fields = Fields(params, "url", "key", "expires_at", "dialect")
        return cls(
            url=fields.text("url"),
            key=fields.text("key"),
            expires_at=fields.integer_or_none("expires_at"),
            dialect=fields.text("dialect"),
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Page to backend: the model called a tool.

    `call_id` is the function call's, `arguments` the JSON text exactly as it came; the tool, not
    the bridge, judges it.
    """

    call_id: str
    name: str
    arguments: str

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"call_id": self.call_id, "name": self.name, "arguments": self.arguments}

    @classmethod
    def from_params(cls, params: object) -> ToolCall:
        """Raises MessageError."""
        fields = Fields(params, "call_id", "name", "arguments")
        return cls(
            call_id=fields.text("call_id"),
            name=fields.text("name"),
            arguments=fields.text("arguments", empty=True),
        )


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """The answer to `ToolCall`: the text that goes back to the model.

    `answered`: the backend has put it into the conversation itself, over its sideband.
    """

    output: str
    answered: bool = False

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"output": self.output, "answered": self.answered}

    @classmethod
    def from_params(cls, params: object) -> ToolOutput:
        """Raises MessageError."""
        fields = Fields(params, "output", "answered")
        return cls(output=fields.text("output", empty=True), answered=fields.flag("answered"))


@dataclass(frozen=True, slots=True)
class CallClosed:
    """Page to backend, a notification: the page has ended this call (`CallOpened.call_id`)."""

    call_id: str

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"call_id": self.call_id}

    @classmethod
    def from_params(cls, params: object) -> CallClosed:
        """Raises MessageError."""
        fields = Fields(params, "call_id")
        return cls(call_id=fields.text("call_id", empty=True))


@dataclass(frozen=True, slots=True)
class CallFeed:
    """Page to backend: the next inputs of the page's core (`session.feed.encode`), oldest first.

    `page` names the page as long as it is open, `first` is the number of the first entry; the page
    counts its inputs from 1. What has no answer is sent again after a new connection.
    """

    page: str
    first: int
    entries: tuple[object, ...]

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"page": self.page, "first": self.first, "entries": list(self.entries)}

    @classmethod
    def from_params(cls, params: object) -> CallFeed:
        """Raises MessageError."""
        fields = Fields(params, "page", "first", "entries")
        return cls(
            page=fields.text("page"),
            first=fields.integer("first", least=1),
            entries=tuple(fields.array("entries")),
        )


@dataclass(frozen=True, slots=True)
class FeedTaken:
    """The answer to `CallFeed`: the number of the last input that the backend has."""

    last: int

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"last": self.last}

    @classmethod
    def from_params(cls, params: object) -> FeedTaken:
        """Raises MessageError."""
        fields = Fields(params, "last")
        return cls(last=fields.integer("last"))


@dataclass(frozen=True, slots=True)
class CallControl:
    """Backend to page, a notification: the person wants this of the call (`CONTROLS`).

    From a page that mirrors the call to the backend it is a request.
    """

    action: str
    value: str = ""

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"action": self.action, "value": self.value}

    @classmethod
    def from_params(cls, params: object) -> CallControl:
        """Raises MessageError."""
        fields = Fields(params, "action", "value")
        action = fields.choice("action", (*CONTROLS, *CONTROLS_WITH_VALUE))
        return cls(action, fields.text("value", empty=True))


class Fields:
    """A JSON object that has exactly the expected fields, read one by one with their types.

    Everything here raises MessageError where the object is not as expected.
    """

    __slots__ = ("_values",)

    def __init__(self, params: object, *expected: str) -> None:
        if not isinstance(params, Mapping):
            raise MessageError("message", "is not an object")
        for name in expected:
            if name not in params:
                raise MessageError(name, "is missing")
        for name in params:
            if name not in expected:
                raise MessageError(str(name), "is not part of this message")
        self._values: Mapping[str, object] = params

    def text(self, name: str, *, empty: bool = False) -> str:
        """A text; an empty one only where `empty` allows it."""
        value = self._values[name]
        if not isinstance(value, str):
            raise MessageError(name, "is not text")
        if not value and not empty:
            raise MessageError(name, "is empty")
        return value

    def sdp(self, name: str) -> str:
        """A session description."""
        value = self.text(name)
        if not value.startswith("v=0"):  # RFC 8866, section 5.1: the first line of every one
            raise MessageError(name, "is not a session description")
        if len(value) > MAX_SDP:
            raise MessageError(name, f"has {len(value)} characters; the limit is {MAX_SDP}")
        return value

    def integer(self, name: str, *, least: int = 0) -> int:
        """A whole number."""
        value = self._values[name]
        if type(value) is not int:  # not isinstance: true is an int to Python
            raise MessageError(name, "is not a whole number")
        if value < least:
            raise MessageError(name, f"is less than {least}")
        return value

    def integer_or_none(self, name: str) -> int | None:
        """A whole number, or null."""
        return None if self._values[name] is None else self.integer(name)

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._values[name]
        if not isinstance(value, bool):
            raise MessageError(name, "is neither true nor false")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of these texts."""
        value = self.text(name)
        if value not in choices:
            raise MessageError(name, f"is none of {', '.join(choices)}")
        return value

    def mapping(self, name: str) -> dict[str, object]:
        """An object of anything."""
        value = self._values[name]
        if not isinstance(value, Mapping):
            raise MessageError(name, "is not an object")
        return dict(value)

    def anything(self, name: str) -> object:
        """A value of whatever kind; who asks must look."""
        return self._values[name]

    def array(self, name: str) -> list[object]:
        """An array of anything."""
        value = self._values[name]
        if not isinstance(value, list | tuple):
            raise MessageError(name, "is not an array")
        return list(value)
