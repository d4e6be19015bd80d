"""What do VS Code's extension host and the backend say to each other?

The schema of their methods, in the manner of `messages`; JSON-RPC 2.0 over the backend's standard
streams, framed as the Language Server Protocol frames it.

| direction | method | params | result |
|---|---|---|---|
| host to backend | `host.start` | `{page, folders, cookie}`, as `service.use` | `{service, build, port}` |
| host to backend | `service.use` | `{service, settings, python, key}` | `{service}` |
| host to backend | `setting.check` | `{name, value}` | `{value, says}` |
| host to backend | `account.signIn` | `{}` | `{who}` |
| host to backend | `doctor.examine` | `{}` | `{good, verdict, document}` |
| host to backend | `transcript.get` | `{}` | `{document}` |
| host to backend | `call.control` | `{action}` | `{taken}` |
| host to backend | `page.address` | `{}` | `{url}` |
| host to backend | `page.opened` | `{page, talks}`, a notification | |
| both ways | `page.message` | `{page, text}`, a notification: one frame of that page's bridge | |
| host to backend | `page.closed` | `{page}`, a notification | |
| backend to host | `page.closed` | `{page}`, a notification: that page is to connect anew | |
| backend to host | `status` | `{state, muted, problem}`, a notification | |
| backend to host | `log` | `{level, text}`, a notification | |
| backend to host | `token.get` | `{scopes, tenant, visible}` | `{token}` |
| backend to host | `settings.changed` | `{settings}`, a notification: the page changed them | |
| backend to host | `notice` | `{text}`, a notification: a sentence for who signs in | |
| backend to host | `doctor.finding` | `{name, state, found}`, a notification | |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
SETTING_CHECK: Final = "setting.check"
SIGN_IN: Final = "account.signIn"
EXAMINE: Final = "doctor.examine"
TRANSCRIPT: Final = "transcript.get"
TOKEN_GET: Final = "token.get"  # noqa: S105 - a method
SETTINGS_CHANGED: Final = "settings.changed"
NOTICE: Final = "notice"
FINDING: Final = "doctor.finding"
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
    interpreter that has what the embedded service needs; "" where the backend's own has it. `key` is the
    API key that VS Code keeps for the endpoint; "" where it keeps none.
    """

    service: ServiceKind
    settings: Mapping[str, object]
    python: str
    key: str = field(repr=False)

    @classmethod
    def from_params(cls, params: object) -> UseService:
        """Raises MessageError."""
        fields = Fields(params, "service", "settings", "python", "key")
        return cls(*_service(fields))


@dataclass(frozen=True, slots=True)
class HostStart:
    """Host to backend, the first request: where the built page lies, and what the window shows.

    `folders` are the workspace's, the first of them is where the demo's tools look. `cookie` is what
    browsers were let in by before, so that a call page that is open finds this backend in the place of
    the one before it; "" makes another.
    """

    page: str
    folders: tuple[str, ...]
    use: UseService
    cookie: str = field(repr=False)

    @classmethod
    def from_params(cls, params: object) -> HostStart:
        """Raises MessageError."""
        expected = ("page", "folders", "cookie", "service", "settings", "python", "key")
        fields = Fields(params, *expected)
        folders = fields.array("folders")
        if not all(isinstance(folder, str) and folder for folder in folders):
            raise MessageError("folders", "are not all paths")
        return cls(
            page=fields.text("page"),
            folders=tuple(map(str, folders)),
            use=UseService(*_service(fields)),
            cookie=fields.text("cookie", empty=True),
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


@dataclass(frozen=True, slots=True)
class CheckSetting:
    """Host to backend: may this setting, by its name in VS Code, have this value?"""

    name: str
    value: str

    @classmethod
    def from_params(cls, params: object) -> CheckSetting:
        """Raises MessageError."""
        fields = Fields(params, "name", "value")
        return cls(fields.text("name"), fields.text("value", empty=True))


@dataclass(frozen=True, slots=True)
class SettingChecked:
    """The answer: the value as it is kept, or a sentence that says why it cannot be; one of them is ""."""

    value: str = ""
    says: str = ""

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"value": self.value, "says": self.says}


@dataclass(frozen=True, slots=True)
class Examined:
    """The answer to `doctor.examine`: whether calls are possible, in a sentence, and a Markdown report."""

    good: bool
    verdict: str
    document: str

    def to_params(self) -> dict[str, object]:
        """As a JSON result."""
        return {"good": self.good, "verdict": self.verdict, "document": self.document}


@dataclass(frozen=True, slots=True)
class TokenWish:
    """Backend to host: a token of VS Code's Microsoft account.

    `tenant` "" is the account's own. `visible`: a person waits for it, and may be asked to sign in.
    """

    scopes: tuple[str, ...]
    tenant: str
    visible: bool

    def to_params(self) -> dict[str, object]:
        """As JSON parameters."""
        return {"scopes": list(self.scopes), "tenant": self.tenant, "visible": self.visible}


@dataclass(frozen=True, slots=True)
class TokenGiven:
    """The host's answer; "" where nobody is signed in and nobody could be asked."""

    token: str = field(repr=False)

    @classmethod
    def from_params(cls, params: object) -> TokenGiven:
        """Raises MessageError."""
        return cls(Fields(params, "token").text("token", empty=True))


def _service(fields: Fields) -> tuple[ServiceKind, Mapping[str, object], str, str]:
    kind = fields.choice("service", tuple(ServiceKind))
    settings, python = fields.mapping("settings"), fields.text("python", empty=True)
    return ServiceKind(kind), settings, python, fields.text("key", empty=True)
