"""Which WebSockets does the service hold, and for whom?

    GET /openai/v1/realtime?model=DEPLOYMENT           a session, GA
    GET /openai/v1/realtime?intent=transcription       a session that only writes down what is said
    GET /openai/v1/realtime?call_id=rtc_...            the sideband of a call that runs
    GET /openai/realtime?api-version=..&deployment=..  a session in the preview dialect

``/v1/realtime`` is answered as ``/openai/v1/realtime``. Sessions are opened with the standing key or an
ephemeral one, whose configuration they take; sidebands with the standing key only. A refusal is the HTTP
answer to the handshake.

A sideband has every event of its call, filtered or not, and may send what a client may, but for the user's
audio. It hears nothing when it comes: the session has begun before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from aiohttp import WSCloseCode, web

from voicepilot.emulator.admission import Admission, bearer, is_ephemeral, socket_credential
from voicepilot.emulator.call import Call
from voicepilot.emulator.configuration import Configuration
from voicepilot.emulator.errors import Refused, access_denied, ephemeral_only, not_found
from voicepilot.emulator.keys import Keys
from voicepilot.emulator.line import Line
from voicepilot.emulator.recorded_call import RecordedCall, play_over
from voicepilot.emulator.recording import RecordedCalls
from voicepilot.emulator.session import Means
from voicepilot.emulator.socket_session import SocketSession
from voicepilot.emulator.tongue import GA, PREVIEW, Tongue

AnyCall: TypeAlias = Call | RecordedCall

GA_PATHS: Final = ("/openai/v1/realtime", "/v1/realtime")
PREVIEW_PATH: Final = "/openai/realtime"
_PREVIEW_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}-preview")
_NEEDS_EPHEMERAL: Final = "gpt-live-transcribe"


class Sockets:
    """The WebSockets of one service.

    Args:
        means: what sessions are held with.
        admission: knows the standing key.
        keys: the ephemeral ones.
        find_call: the call of an id that runs, if there is one.
        recorded: calls to be played, in the place of sessions.
    """

    def __init__(
        self,
        means: Means,
        admission: Admission,
        keys: Keys,
        find_call: Callable[[str], AnyCall | None],
        recorded: RecordedCalls | None = None,
    ) -> None:
        self._recorded = recorded
        self._means = means
        self._admission = admission
        self._keys = keys
        self._find_call = find_call
        self._lines: set[Line] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Answer on the paths above."""
        for path in GA_PATHS:
            router.add_get(path, self._open)
        router.add_get(PREVIEW_PATH, self._open_preview)

    async def close(self, _: web.Application) -> None:
        """Close all of them, because the service ends."""
        for line in tuple(self._lines):
            line.end(WSCloseCode.GOING_AWAY)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if "api-version" in query:
            raise access_denied()  # Microsoft's migration guide: 401 where it is left in the URL
        if "call_id" in query:
            return await self._join(request, query["call_id"])
        transcribes = query.get("intent") == "transcription"
        model = query.get("model") or None
        if model == _NEEDS_EPHEMERAL and not is_ephemeral(bearer(request)):
            raise ephemeral_only()
        configuration = self._configured(request, GA)
        if configuration is None:
            if not transcribes and model is None:
                raise _neither()
            kind = (
                {"type": "transcription"} if transcribes else {"type": "realtime", "model": model}
            )
            configuration = Configuration.minted(kind)
        return await self._hold(request, configuration, GA)

    async def _open_preview(self, request: web.Request) -> web.StreamResponse:
        expect_preview_version(request)
        configuration = self._configured(request, PREVIEW)
        if configuration is None:
            deployment = request.query.get("deployment")
            if not deployment:
                raise _neither()
            configuration = Configuration.minted({"type": "realtime", "model": deployment})
        return await self._hold(request, configuration, PREVIEW)

    def _configured(self, request: web.Request, tongue: Tongue) -> Configuration | None:
        """The configuration of the ephemeral key that is shown, ``None`` for the standing one."""
        shown = socket_credential(request)
        if is_ephemeral(shown):
            return self._keys.redeem(shown, tongue).configuration
        self._admission.expect(shown)
        return None

    async def _hold(
        self, request: web.Request, configuration: Configuration, tongue: Tongue
    ) -> web.StreamResponse:
        if configuration.model is not None:
            self._means.deployments.expect(configuration.model)
        _expect_handshake(request)
        line = Line()
        self._lines.add(line)
        try:
            response = await line.open(request)
            if self._recorded is not None:
                await play_over(line, self._recorded.next())
            else:
                await SocketSession(configuration, tongue, line, means=self._means).run()
        finally:
            self._lines.discard(line)
        return response

    async def _join(self, request: web.Request, call_id: str) -> web.StreamResponse:
        self._admission.expect(socket_credential(request))
        call = self._find_call(call_id)
        if call is None:
            raise Refused(404, "call_id_not_found", f"No session found for call_id {call_id[:64]}.")
        _expect_handshake(request)
        line = Line()
        self._lines.add(line)
        try:
            response = await line.open(request)
            with call.sideband(line) as receive:
                await line.run(receive)
        finally:
            self._lines.discard(line)
        return response


def expect_preview_version(request: web.Request) -> None:
    """Make sure that a request for the preview protocol says which version of it.

    Raises:
        Refused: it does not.
    """
    if not _PREVIEW_VERSION.fullmatch(request.query.get("api-version", "")):
        raise not_found()


def _expect_handshake(request: web.Request) -> None:
    if not web.WebSocketResponse().can_prepare(request):
        raise Refused(426, "UpgradeRequired", "This operation is a WebSocket handshake.")


def _neither() -> Refused:
    return Refused(
        400,
        "OperationNotSupported",
        "This operation requires either deployment=<deployment-id> or intent=transcription "
        "present on the querystring.",
    )
