"""Which HTTP requests does the service answer, and how?

    POST /openai/v1/realtime/client_secrets   standing key   200 {value, expires_at, session}
    POST /openai/v1/realtime/calls            ephemeral key  201 the SDP answer, Location: the call
         ?webrtcfilter=on                                        fewer events for the page
    POST .../realtime/calls/{id}/hangup       either key     200
    POST /openai/realtimeapi/sessions?api-version=YYYY-MM-DD-preview
                                              standing key   200 {id, client_secret, ...}, preview
    POST /v1/realtimertc?model=DEPLOYMENT     its key        201 the SDP answer, preview
    GET  /openai/v1/realtime, /openai/realtime                see :mod:`.sockets`

The paths of OpenAI (``/v1/...``) are answered alike, so that public clients work with no more than
another base address. The preview's ``realtimertc`` is on a host of its own on Azure, on this one here.
A query with ``api-version`` on the other paths is refused, as by Azure.

The service listens on 127.0.0.1 only. Requests that name another host are refused: a page from elsewhere
that has had its name resolved to this machine must not get through.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from voicepilot.emulator.admission import Admission, bearer, credential, is_ephemeral
from voicepilot.emulator.call import Call
from voicepilot.emulator.configuration import Configuration
from voicepilot.emulator.control import Control
from voicepilot.emulator.deployments import Deployments
from voicepilot.emulator.errors import Refused, Rejected, not_found, unreadable_offer
from voicepilot.emulator.ice_tcp import IceTcpFront
from voicepilot.emulator.ids import identifier
from voicepilot.emulator.keys import DEFAULT_LIFETIME_S, PREVIEW_LIFETIME_S, Keys
from voicepilot.emulator.middleware import MIDDLEWARE
from voicepilot.emulator.mind import Mind
from voicepilot.emulator.models import Models
from voicepilot.emulator.recorded_call import RecordedCall
from voicepilot.emulator.scenarios import SLOW_ANSWER_S, Faults
from voicepilot.emulator.schema import Anything, Choice, Number, Record
from voicepilot.emulator.session import Means
from voicepilot.emulator.sockets import GA_PATHS, Sockets, expect_preview_version
from voicepilot.emulator.tongue import PREVIEW, preview_configuration, preview_session
from voicepilot.protocol.json_text import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicepilot.emulator.keys import EphemeralKey
    from voicepilot.emulator.recording import RecordedCalls
    from voicepilot.emulator.sockets import AnyCall

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_LARGEST_BODY = 1024 * 1024

_CLIENT_SECRETS = Record(
    {
        "expires_after": Record(
            {"anchor": Choice(("created_at",)), "seconds": Number(10, 7200, whole=True)},
            defaults={"seconds": DEFAULT_LIFETIME_S},
        ),
        "session": Anything(),
    }
)


class Service:
    """The embedded realtime service: its keys, its calls, its models.

    Args:
        api_key: the standing key. Without one, any credential that is not empty is taken.
        clock: Unix time in seconds, by which keys expire.
        faults: the scenarios that are on from the start; more can be switched over HTTP.
        deployments: those that there are; any, if not given.
        recorded: calls to be played to whoever calls, in the place of a model's.
    """

    def __init__(
        self,
        api_key: str | None = None,
        clock: Callable[[], float] = time.time,
        faults: Faults | None = None,
        deployments: Deployments | None = None,
        recorded: RecordedCalls | None = None,
    ) -> None:
        self._admission = Admission(api_key)
        self._faults = faults or Faults()
        self._keys = Keys(clock, self._faults)
        self._deployments = deployments or Deployments()
        self._means = Means(self.ready, Mind(), self._deployments, self._faults)
        self._front = IceTcpFront()
        self._recorded = recorded
        self._calls: dict[str, tuple[AnyCall, asyncio.Task[None]]] = {}
        self._loading: asyncio.Task[Models] | None = None

    @property
    def calls(self) -> int:
        """How many calls are held."""
        return len(self._calls)

    def application(self) -> web.Application:
        """The HTTP side. Its start-up and clean-up are those of the whole service."""
        application = web.Application(middlewares=MIDDLEWARE, client_max_size=_LARGEST_BODY)
        for base in GA_PATHS:
            application.router.add_post(f"{base}/client_secrets", self._mint)
            application.router.add_post(f"{base}/calls", self._open_call)
            application.router.add_post(f"{base}/calls/{{id}}/hangup", self._hang_up)
        application.router.add_post("/openai/realtimeapi/sessions", self._mint_preview)
        application.router.add_post("/v1/realtimertc", self._open_preview_call)
        sockets = Sockets(self._means, self._admission, self._keys, self._find_call, self._recorded)
        sockets.add_routes(application.router)
        application.on_shutdown.append(sockets.close)
        Control(self._faults, self._admission.admits).add_routes(application.router)
        application.cleanup_ctx.append(self._lifetime)
        return application

    async def ready(self) -> Models:
        """The models, once they are loaded.

        Raises:
            Exception: whatever kept them from loading.
        """
        assert self._loading is not None  # noqa: S101 -- set before the first request
        return await asyncio.shield(self._loading)

    async def _lifetime(self, _: web.Application) -> Any:
        await self._front.start()
        if self._recorded is None:
            self._loading = asyncio.create_task(Models.load())
            self._loading.add_done_callback(_report_loading)
        yield
        tasks = [task for _, task in self._calls.values()]
        for call, _task in tuple(self._calls.values()):
            call.hang_up()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._front.close()
        if self._loading is not None:
            if not self._loading.done():
                self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await (await self._loading).close()

    async def _mint(self, request: web.Request) -> web.Response:
        _expect_no_version(request)
        if "preview-only" in self._faults:
            raise not_found()
        self._admission.expect(credential(request))
        self._faults.check_minting()
        asked = await _json(request)
        try:
            asked = _CLIENT_SECRETS.read(asked, "")
            configuration = Configuration.minted(asked.get("session"))
        except Rejected as rejected:
            raise _bad_request(rejected) from rejected
        if configuration.model is not None:
            self._deployments.expect(configuration.model)
        lifetime = asked.get("expires_after", {}).get("seconds", DEFAULT_LIFETIME_S)
        key = self._keys.mint(configuration, lifetime)
        session = configuration.echoed(identifier("sess"), 0)
        return web.json_response(
            {"value": key.value, "expires_at": key.expires_at, "session": session}
        )

    async def _mint_preview(self, request: web.Request) -> web.Response:
        expect_preview_version(request)
        self._admission.expect(credential(request))
        self._faults.check_minting()
        try:
            configuration = preview_configuration(await _json(request))
        except Rejected as rejected:
            raise _bad_request(rejected) from rejected
        self._deployments.expect(configuration.model or "")
        key = self._keys.mint(configuration, PREVIEW_LIFETIME_S, PREVIEW)
        session = preview_session(configuration.echoed(identifier("sess"), 0))
        secret = {"value": key.value, "expires_at": key.expires_at}
        return web.json_response({**session, "client_secret": secret})

    async def _open_call(self, request: web.Request) -> web.Response:
        _expect_no_version(request)
        key = self._keys.redeem(bearer(request))
        return await self._answer(request, key, filtered=request.query.get("webrtcfilter") == "on")

    async def _open_preview_call(self, request: web.Request) -> web.Response:
        key = self._keys.redeem(bearer(request), PREVIEW)
        if request.query.get("model") != key.configuration.model:
            raise Refused(400, "invalid_model", "The key was minted for another model.", "model")
        return await self._answer(request, key, filtered=False)

    async def _answer(
        self, request: web.Request, key: EphemeralKey, *, filtered: bool
    ) -> web.Response:
        if request.content_type != "application/sdp":
            raise Refused(415, "unsupported_media_type", "Send the SDP offer as application/sdp.")
        offer = await request.text()
        if "sdp-400" in self._faults:
            raise unreadable_offer("")
        if "slow-sdp" in self._faults:
            await asyncio.sleep(SLOW_ANSWER_S)
        call = self._new_call(key, filtered=filtered)
        answer = await call.answer(offer)
        task = asyncio.create_task(call.run())
        self._calls[call.id] = (call, task)
        task.add_done_callback(functools.partial(self._ended, call.id))
        return web.Response(
            status=201,
            text=answer,
            content_type="text/plain",
            charset="utf-8",
            headers={"Location": f"/v1/realtime/calls/{call.id}"},
        )

    def _new_call(self, key: EphemeralKey, *, filtered: bool) -> AnyCall:
        if self._recorded is not None:
            return RecordedCall(
                self._recorded.next(), filtered=filtered, front=self._front, faults=self._faults
            )
        return Call(
            key.configuration,
            key.tongue,
            filtered=filtered,
            front=self._front,
            means=self._means,
        )

    async def _hang_up(self, request: web.Request) -> web.Response:
        shown = credential(request)
        if is_ephemeral(shown):
            self._keys.redeem(shown)
        else:
            self._admission.expect(shown)
        held = self._calls.get(request.match_info["id"])
        if held is None:
            raise Refused(404, "call_id_not_found", "There is no such call.")
        call, task = held
        call.hang_up()
        await asyncio.wait([task])
        return web.Response(status=200)

    def _ended(self, call_id: str, task: asyncio.Task[None]) -> None:
        self._calls.pop(call_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("Call %s ended by an error.", call_id, exc_info=error)

    def _find_call(self, call_id: str) -> AnyCall | None:
        held = self._calls.get(call_id)
        return held[0] if held is not None and not held[0].over else None


async def run(
    port: int,
    api_key: str | None,
    *,
    announce: Callable[[str], None] = print,
    until: asyncio.Event | None = None,
    faults: Faults | None = None,
    deployments: Deployments | None = None,
    recorded: RecordedCalls | None = None,
) -> None:
    """Serve on 127.0.0.1 until ``until`` is set or the task is cancelled.

    Args:
        port: 0 for any free one.
        api_key: the standing key, or ``None`` to take any credential.
        announce: told ``listening http://127.0.0.1:PORT`` as soon as requests are answered. Calls that come
            before the models are loaded are opened, and answered when they are.
        faults: the scenarios that are on from the start.
        deployments: those that there are; any, if not given.
        recorded: calls to be played to whoever calls; no models are loaded then.

    Raises:
        OSError: the port is taken.
    """
    # Bound before anything is loaded, so that a taken port is known at once.
    listener = socket.create_server((HOST, port))
    service = Service(api_key, faults=faults, deployments=deployments, recorded=recorded)
    runner = web.AppRunner(service.application(), access_log=None)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        announce(f"listening http://{HOST}:{listener.getsockname()[1]}")
        await (until or asyncio.Event()).wait()
    finally:
        await runner.cleanup()
        listener.close()


def _expect_no_version(request: web.Request) -> None:
    """Refuse a path of GA with the ``api-version`` of another: Azure has nothing at such an address."""
    if "api-version" in request.query:
        raise not_found()


def _bad_request(rejected: Rejected) -> Refused:
    return Refused(400, rejected.code, rejected.message, rejected.param)


async def _json(request: web.Request) -> Any:
    text = await request.text()
    if not text.strip():
        return {}
    try:
        return parse_json(text)
    except ValueError as error:
        raise Refused(400, "invalid_json", "The body is not JSON.") from error


def _report_loading(task: asyncio.Task[Models]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("The models could not be loaded.", exc_info=error)
