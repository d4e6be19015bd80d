"""In which order is everything checked, and what is not tried because something before it failed?

A check whose need failed is skipped: its failure would only repeat the first. Everything goes to the
service exactly as in a call, over the same code.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls, DirectKey, Target
from voicepilot.backend.azure.chosen import ChosenCredentials, credentials_for
from voicepilot.backend.azure.http import Answer, Http
from voicepilot.backend.azure.scopes import ScopeMemory
from voicepilot.backend.azure.socket_relay import SocketService
from voicepilot.backend.configuration import Configuration, ConfigurationError
from voicepilot.backend.doctor import account, conversation, machine, media, report
from voicepilot.backend.doctor.browser import check_devices
from voicepilot.backend.doctor.report import Finding, Outcome, State, skipped
from voicepilot.backend.failure import Failure
from voicepilot.protocol.problems import problem
from voicepilot.protocol.session_config import SessionConfig
from voicepilot.settings import Settings

_log = logging.getLogger(__name__)


class Examination:
    """Checks what is set, once. An async context manager that owns what the checks open.

    `read` reads the configuration; it may raise ConfigurationError. `tell` shows a sentence to who signs
    in; `options` go to `credentials_for`. `browser` says whether a browser is started for its devices, with
    `browser_options`.
    """

    def __init__(
        self,
        read: Callable[[], Configuration],
        *,
        tell: Callable[[str], None],
        browser: bool = True,
        browser_options: tuple[str, ...] = (),
        clock: Callable[[], float] = time.time,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._read = read
        self._tell = tell
        self._browser = browser
        self._browser_options = browser_options
        self._clock = clock
        self._options = options or {}
        self._owned = AsyncExitStack()
        self._scopes = ScopeMemory.of_user()
        self._http = Http()
        # What one check finds and a later one goes on with.
        self._configuration: Configuration
        self._answer: Answer | None = None
        self._credentials: ChosenCredentials
        self._calls: Calls
        self._session: SessionConfig
        self._key: DirectKey
        self._trial: media.TrialCall | None = None
        self._over_tcp = False
        self._sdp = ""

    async def __aenter__(self) -> Self:
        await self._owned.enter_async_context(self._http)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._owned.aclose()

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield what each check found, as soon as it is known."""
        failed: dict[
            str, str
        ] = {}  # by the check that failed or was skipped: the one it comes from
        for check in _CHECKS:
            began = time.monotonic()
            cause = next((failed[name] for name in check.needs if name in failed), None)
            if cause is not None:
                outcome = Outcome(State.SKIPPED, f"Not tried, since {cause} failed.", follows=cause)
                failed[check.name] = cause
            else:
                outcome = await self._tried(check)
                if outcome.state is State.FAILED:
                    failed[check.name] = check.name
            yield outcome.named(check.name, check.tried, time.monotonic() - began)

    async def _tried(self, check: _Check) -> Outcome:
        try:
            return await check.run(self)
        except Exception as error:
            _log.debug("the check %s broke", check.name, exc_info=True)
            detail = f"the check {check.name} broke ({type(error).__name__})"
            return report.failed(problem("internal", detail=detail))

    # ---- the checks, in the order of the table below

    async def _python(self) -> Outcome:
        return await machine.check_python()

    async def _settings_complete(self) -> Outcome:
        try:
            self._configuration = self._read()
        except ConfigurationError as error:
            return Outcome(State.FAILED, str(error), problem("settings-wrong"))
        return account.check_settings(self._configuration)

    async def _name(self) -> Outcome:
        return await machine.check_name(self._settings.endpoint)

    async def _connection(self) -> Outcome:
        outcome, self._answer = await machine.check_connection(self._http, self._settings.endpoint)
        return outcome

    async def _clock_right(self) -> Outcome:
        return await machine.check_clock(self._answer, self._clock())

    async def _sign_in(self) -> Outcome:
        settings = self._settings
        try:
            self._credentials = await self._owned.enter_async_context(
                credentials_for(settings, tell=self._tell, scopes=self._scopes, **self._options)
            )
        except Failure as failure:
            return report.failed(failure.problem)
        self._calls = await self._owned.enter_async_context(
            Calls.at(
                Target(
                    settings.endpoint,
                    self._credentials,
                    settings.dialect,
                    settings.preview_region,
                )
            )
        )
        return await account.check_sign_in(self._credentials)

    async def _mint(self) -> Outcome:
        self._session = self._configuration.session(tools.SPECS)
        outcome, key = await account.check_mint(self._calls, self._session)
        if key is not None:
            self._key = key
        return outcome

    async def _scope(self) -> Outcome:
        return account.check_scope(self._credentials, self._scopes, self._settings.endpoint)

    async def _offer(self) -> Outcome:
        if not media.can_call():
            return skipped(media.NOT_HERE)
        trial = await self._owned.enter_async_context(media.TrialCall())
        outcome, sdp = await account.check_offer(self._calls, self._key, await trial.offer())
        if sdp:
            self._trial, self._sdp = trial, sdp
        return outcome

    async def _udp(self) -> Outcome:
        if self._trial is None:
            return skipped(media.NOT_HERE)
        outcome = await media.check_udp(self._trial, self._sdp)
        return outcome if self._settings.transport == "webrtc" else outcome.weakened()

    async def _tcp(self) -> Outcome:
        if self._trial is None:
            return skipped(media.NOT_HERE)
        outcome = await media.check_tcp(self._sdp)
        self._over_tcp = outcome.state is State.OK
        return outcome.weakened()

    async def _sound(self) -> Outcome:
        if self._trial is None:
            return skipped(media.NOT_HERE)
        if not self._trial.open:
            return skipped("Not tried, since the call was not connected over UDP.")
        if self._settings.modality == "text":
            return skipped("The assistant answers in writing, as set.")
        outcome = await media.check_sound(self._trial, self._key.dialect)
        return outcome.weakened() if self._settings.transport == "websocket" else outcome

    async def _websocket(self) -> Outcome:
        outcome = await conversation.check_answer(self._socket_service, self._silent_session)
        # It is the only way where it is set, and where WebRTC was tried and did not get through.
        without_webrtc = self._trial is not None and not (self._trial.open or self._over_tcp)
        decisive = self._settings.transport == "websocket" or without_webrtc
        return outcome if decisive else outcome.weakened()

    async def _transcription(self) -> Outcome:
        return await conversation.check_transcription(self._socket_service, self._silent_session)

    async def _devices(self) -> Outcome:
        if not self._browser:
            return skipped("Left out, as asked.")
        return await check_devices(self._browser_options)

    @property
    def _settings(self) -> Settings:
        return self._configuration.settings

    @property
    def _socket_service(self) -> SocketService:
        return SocketService(self._settings.endpoint, self._credentials, self._key.dialect)

    @property
    def _silent_session(self) -> SessionConfig:
        """As a call's, but nothing is answered unasked and no tool is called."""
        return replace(self._session, turn_detection=None, tools=())


_Run: TypeAlias = Callable[[Examination], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class _Check:
    """One row: what is tried, and which checks must not have failed before it."""

    name: str
    tried: str
    run: _Run
    needs: tuple[str, ...] = ()


_E = Examination
_CHECKS: Final = (
    _Check("python", "Python and the packages VoicePilot needs", _E._python),
    _Check("settings", "endpoint, deployments and instructions", _E._settings_complete),
    _Check("name", "looking up the endpoint's name", _E._name, ("settings",)),
    _Check("connection", "TLS and proxy to the endpoint", _E._connection, ("name",)),
    _Check(
        "clock", "this computer's clock against the service's", _E._clock_right, ("connection",)
    ),
    _Check("sign-in", "a token or key for the resource", _E._sign_in, ("settings",)),
    _Check("mint", "an ephemeral key for the deployment", _E._mint, ("connection", "sign-in")),
    _Check("scope", "the audience that the service's tokens are for", _E._scope, ("mint",)),
    _Check("offer", "a call's SDP offer", _E._offer, ("mint",)),
    _Check("udp", "ICE, DTLS and data channel over UDP", _E._udp, ("offer",)),
    _Check("tcp", "an ICE check over TCP", _E._tcp, ("offer",)),
    _Check("sound", "one spoken word over WebRTC", _E._sound, ("offer",)),
    _Check("websocket", "an answer over the WebSocket fallback", _E._websocket, ("mint",)),
    _Check("transcription", "the transcription deployment", _E._transcription, ("mint",)),
    _Check("devices", "microphone and loudspeaker, in a browser", _E._devices),
)
