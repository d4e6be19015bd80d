"""What do VS Code's extension host and the backend say to each other?

The schema of their methods, in the manner of `messages`; JSON-RPC 2.0 over the backend's standard
streams, framed as the Language Server Protocol frames it.

| direction | method | params | result |
|---|---|---|---|
| host to backend | `host.start` | `{page, folders, service, settings, python}` | `{service, build, port}` |
| host to backend | `service.use` | `{service, settings, python}` | `{service}` |
| host to backend | `call.control` | `{action}` | `{taken}` |
| host to backend | `page.address` | `{}` | `{url}` |
| host to backend | `page.opened` | `{page, talks}`, a notification | |
| both ways | `page.message` | `{page, text}`, a notification: one frame of that page's bridge | |
| host to backend | `page.closed` | `{page}`, a notification | |
| backend to host | `page.closed` | `{page}`, a notification: that page is to connect anew | |
| backend to host | `status` | `{state, muted, problem}`, a notification | |
| backend to host | `log` | `{level, text}`, a notification | |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from voicepilot.bridge.messages import CONTROLS, Fields, MessageError

HOST_START: Final = "host.start"
SERVICE_USE: Final = "service.use"
CONTROL: Final = "call.control"
PAGE_ADDRESS: Final = "page.address"
PAGE_OPENED: Final = "page.opened"
PAGE_MESSAGE: Final = "page.message"
PAGE_CLOSED: Final = "page.closed"
STATUS: Final = "status"
LOG: Final = "log"


class ServiceKind(StrEnum):
    """Which realtime service answers."""

    DEMO = "demo"
    """The embedded one, offline."""

    AZURE = "azure"
    """The person's own deployment."""


@dataclass(frozen=True, slots=True)
class UseService:
    """Host to backend: from now on, calls go there.

    `settings` are those that the person has set in VS Code, by their names there. `python` is the
    interpreter that has what the embedded service needs; "" where the backend's own has it.
    """

    service: ServiceKind
    settings: Mapping[str, object]
    python: str

    @classmethod
    def from_params(cls, params: object) -> UseService:
        """Raises MessageError."""
        fields = Fields(params, "service", "settings", "python")
        return cls(*_service(fields))


@dataclass(frozen=True, slots=True)
class HostStart:
    """Host to backend, the first request: where the built page lies, and what the window shows.

    `folders` are the workspace's, the first of them is where the demo's tools look.
    """

    page: str
    folders: tuple[str, ...]
    use: UseService

    @classmethod
    def from_params(cls, params: object) -> HostStart:
        """Raises MessageError."""
        fields = Fields(params, "page", "folders", "service", "settings", "python")
        folders = fields.array("folders")
        if not all(isinstance(folder, str) and folder for folder in folders):
            raise MessageError("folders", "are not all paths")
        return cls(
            page=fields.text("page"),
            folders=tuple(map(str, folders)),
            use=UseService(*_service(fields)),
        )


@dataclass(frozen=True, slots=True)
class HostStarted:
    """The answer to `HostStart`: what answers calls, which build the page server serves, and where."""

    service: ServiceKind
    build: str
    port: int

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"service": self.service.value, "build": self.build, "port": self.port}


@dataclass(frozen=True, slots=True)
class ControlCall:
    """Host to backend: what the person wants of the call, wherever its page is (`CONTROLS`)."""

    action: str

    @classmethod
    def from_params(cls, params: object) -> ControlCall:
        """Raises MessageError."""
        return cls(Fields(params, "action").choice("action", CONTROLS))


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The answer to `page.address`: an address that opens the call page in one browser, once."""

    url: str

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"url": self.url}


@dataclass(frozen=True, slots=True)
class PageOpened:
    """Host to backend: a webview holds the page. `talks`: its document may use the microphone."""

    page: str
    talks: bool

    @classmethod
    def from_params(cls, params: object) -> PageOpened:
        """Raises MessageError."""
        fields = Fields(params, "page", "talks")
        return cls(fields.text("page"), fields.flag("talks"))


@dataclass(frozen=True, slots=True)
class PageMessage:
    """One frame of the bridge of a page in a webview, either way."""

    page: str
    text: str

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"page": self.page, "text": self.text}

    @classmethod
    def from_params(cls, params: object) -> PageMessage:
        """Raises MessageError."""
        fields = Fields(params, "page", "text")
        return cls(fields.text("page"), fields.text("text"))


@dataclass(frozen=True, slots=True)
class PageClosed:
    """Host to backend: that page is gone."""

    page: str

    @classmethod
    def from_params(cls, params: object) -> PageClosed:
        """Raises MessageError."""
        return cls(Fields(params, "page").text("page"))


@dataclass(frozen=True, slots=True)
class Status:
    """Backend to host: what is true of the call now; `state` is a value of `session.Phase`."""

    state: str
    muted: bool
    problem: str = ""

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"state": self.state, "muted": self.muted, "problem": self.problem}


def _service(fields: Fields) -> tuple[ServiceKind, Mapping[str, object], str]:
    kind = fields.choice("service", tuple(ServiceKind))
    settings = fields.mapping("settings")
    return ServiceKind(kind), settings, fields.text("python", empty=True)
