"""What answers a page when VS Code is set to the person's own resource?

The same calls as `serve`'s, with VS Code's settings, its Microsoft account and the key that it keeps. What
is wrong with the settings does not keep the backend from running: whoever wants a call is told, and can
mend it meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.chosen import ChosenCredentials, credentials_for
from voicepilot.backend.azure.handed_token import HandedToken
from voicepilot.backend.configuration import Configuration, ConfigurationError
from voicepilot.backend.desk import Desk
from voicepilot.backend.failure import Failure
from voicepilot.backend.feed import Feed
from voicepilot.backend.host_account import HostAccount
from voicepilot.backend.network_memory import NetworkMemory
from voicepilot.backend.settings_desk import SettingsDesk
from voicepilot.backend.socket_calls import SocketCalls
from voicepilot.bridge import messages
from voicepilot.settings import Settings, SettingsError
from voicepilot.settings.layers import environment, table
from voicepilot.settings.table import TABLE, setting

PLACE: Final = "VS Code's settings"
_UNSET: Final = table({"deployment": "not-set-yet"}, PLACE)
"""A session has a deployment's name; no call gets so far as to use this one."""

_NAMES: Final = {each.editor_name: each.name for each in TABLE}


class HostConfiguration(Configuration):
    """The settings of VS Code, above the environment. What a page changes, VS Code keeps."""

    def __init__(
        self,
        said: Mapping[str, object],
        folder: Path,
        keep: Callable[[Mapping[str, object]], None],
        variables: Mapping[str, str] = os.environ,
    ) -> None:
        """Take the values by their names in VS Code. Raises SettingsError."""
        values = {_NAMES.get(name, name): value for name, value in said.items()}
        super().__init__((table(values, PLACE), environment(variables)), folder=folder)
        self._keep = keep

    def change(self, values: Mapping[str, object]) -> Settings:
        """Let these values count from now on, and have VS Code keep them. Raises SettingsError."""
        settings = super().change(values)
        kept = settings.values()
        self._keep({setting(name).editor_name: kept[name] for name in values})
        return settings


@dataclass(frozen=True, slots=True)
class Person:
    """Whom calls are for: their folder, what VS Code is set to and lets them in with.

    `keep` is called with settings that a page has changed, `tell` with a sentence for who signs in.
    """

    folder: Path
    settings: Mapping[str, object]
    account: HostAccount
    key: str = field(repr=False)
    keep: Callable[[Mapping[str, object]], None]
    tell: Callable[[str], None]

    def configuration(self) -> HostConfiguration:
        """Read the settings. Raises ConfigurationError."""
        try:
            return HostConfiguration(self.settings, self.folder, self.keep)
        except SettingsError as error:
            raise ConfigurationError(str(error)) from error

    @property
    def let_in_by(self) -> dict[str, Any]:
        """What `credentials_for` takes of the host."""
        return {"host_token": HandedToken(self.account), "host_key": self.key}


class AzureService:
    """Calls to the person's own resource. An async context manager that owns their connections.

    `desk` answers a page in a browser. `hosted` answers one in a webview: its policy lets it reach nobody,
    so its calls go over us and have no fallback.
    """

    desk: Desk
    hosted: Desk
    drawer: SettingsDesk | None = None

    def __init__(self, build: str, person: Person, feed: Feed) -> None:
        self._build = build
        self._person = person
        self._feed = feed
        self._owned = AsyncExitStack()
        self._trouble: Failure | None = None
        self._credentials: ChosenCredentials
        self._configuration: Configuration
        self._sockets: SocketCalls

    async def __aenter__(self) -> AzureService:
        person = self._person
        try:
            self._configuration = person.configuration()
            self.drawer = SettingsDesk(self._configuration)
            await self._take_credentials()
        except ConfigurationError as error:
            self._trouble = Failure("host-settings-wrong", detail=error)
        except Failure as failure:
            self._trouble = failure
        if self._trouble is not None:
            self._configuration = Configuration((_UNSET,))
        calls = await self._owned.enter_async_context(Calls(self._target))
        self._sockets = SocketCalls(
            calls,
            lambda: self._configuration.settings.transport,
            lambda: self._configuration.session(tools.SPECS),
            NetworkMemory(),
        )
        toolbox = tools.Toolbox(person.folder)
        parts = (person.account, self._build, calls, self._configuration, toolbox)
        service = "" if self._trouble is None else "Azure, not set up yet"
        self.desk = _Desk(*parts, feed=self._feed, service=service, sockets=self._sockets)
        self.hosted = _HostedDesk(*parts, feed=self._feed, service=service)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._owned.aclose()

    @property
    def offer_origins(self) -> tuple[str, ...]:
        """Where a page in a browser may send its offers itself: nowhere, but with direct signalling."""
        settings = self._configuration.settings
        if self._trouble is not None or settings.signalling != "direct":
            return ()
        return self._found().offer_origins

    @property
    def keeps_transcripts(self) -> bool:
        """Whether calls that begin now are to be kept as transcripts."""
        return self._trouble is None and self._configuration.settings.transcripts

    async def serve_call(self, page: web.WebSocketResponse, tried_webrtc: bool) -> None:
        """Hold a call over WebSocket until it ends."""
        with self._person.account.awaited():
            await self._sockets.serve(page, tried_webrtc)

    async def sign_in(self) -> str:
        """Sign in, asking the person where that is needed; who is let in then. Raises Failure."""
        if self._trouble is not None:
            raise self._trouble
        return str(await self._person.account.for_a_person(self._credentials.describe))

    async def _take_credentials(self) -> None:
        settings = self._configuration.settings
        if not settings.endpoint or not settings.deployment:
            raise Failure("host-unset")
        self._credentials = await self._owned.enter_async_context(
            credentials_for(settings, tell=self._person.tell, **self._person.let_in_by)
        )

    async def _target(self) -> Target:
        if self._trouble is not None:
            raise self._trouble
        return self._found()

    def _found(self) -> Target:
        settings = self._configuration.settings
        return Target(
            settings.endpoint,
            self._credentials,
            settings.dialect,
            settings.preview_region,
            settings.key_policy,
        )


class _Desk(Desk):
    """A desk at which a person who wants a call may be asked to sign in."""

    def __init__(self, account: HostAccount, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._account = account

    async def open_call(self, call: messages.OpenCall) -> messages.CallOpened:
        """Open a call with the settings of now. Raises Failure."""
        return await self._account.for_a_person(partial(super().open_call, call))

    async def call_key(self, wish: messages.CallKey) -> messages.KeyGiven:
        """Give a key to a page that posts its offer itself. Raises Failure."""
        return await self._account.for_a_person(partial(super().call_key, wish))


class _HostedDesk(_Desk):
    async def welcome(self, hello: messages.Hello) -> messages.Welcome:
        """Say what is behind this."""
        return replace(await super().welcome(hello), signalling="relay")
