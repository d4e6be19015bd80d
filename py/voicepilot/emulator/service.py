"""Which HTTP requests does the service answer, and how?

    POST /openai/v1/realtime/client_secrets   standing key   200 {value, expires_at, session}
    POST /openai/v1/realtime/calls            ephemeral key  201 the SDP answer, Location: the call
    POST .../realtime/calls/{id}/hangup       either key     200

The paths of OpenAI (``/v1/...``) are answered alike, so that public clients work with no more than
another base address. It listens on 127.0.0.1 only. Requests that name another host are refused: a page from
elsewhere that has had its name resolved to this machine must not get through.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import secrets
import socket
import time
import uuid
from typing import TYPE_CHECKING, Any

from aiohttp import web

from voicepilot.emulator.call import Call
from voicepilot.emulator.configuration import Configuration
from voicepilot.emulator.control import Control
from voicepilot.emulator.deployments import Deployments
from voicepilot.emulator.errors import (
    Refused,
    Rejected,
    access_denied,
    not_found,
    unreadable_offer,
)
from voicepilot.emulator.ice_tcp import IceTcpFront
from voicepilot.emulator.keys import DEFAULT_LIFETIME_S, PREFIX, Keys
from voicepilot.emulator.mind import Mind
from voicepilot.emulator.models import Models
from voicepilot.emulator.scenarios import SLOW_ANSWER_S, Faults
from voicepilot.emulator.schema import Anything, Choice, Number, Record
from voicepilot.emulator.session import Means

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_LARGEST_BODY = 1024 * 1024
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FOR_PAGES = "/realtime/calls"
_BASES = ("/openai/v1/realtime", "/v1/realtime")

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
    """

    def __init__(
        self,
        api_key: str | None = None,
        clock: Callable[[], float] = time.time,
        faults: Faults | None = None,
        deployments: Deployments | None = None,
    ) -> None:
        self._api_key = api_key
        self._faults = faults or Faults()
        self._keys = Keys(clock, self._faults)
        self._deployments = deployments or Deployments()
        self._means = Means(self.ready, Mind(), self._deployments, self._faults)
        self._front = IceTcpFront()
        self._calls: dict[str, tuple[Call, asyncio.Task[None]]] = {}
        self._loading: asyncio.Task[Models] | None = None

    @property
    def calls(self) -> int:
        """How many calls are held."""
        return len(self._calls)

    def application(self) -> web.Application:
        """The HTTP side. Its start-up and clean-up are those of the whole service."""
        application = web.Application(
            middlewares=[_identified, _cross_origin, _explained, _local_only],
            client_max_size=_LARGEST_BODY,
        )
        for base in _BASES:
            application.router.add_post(f"{base}/client_secrets", self._mint)
            application.router.add_post(f"{base}/calls", self._open_call)
            application.router.add_post(f"{base}/calls/{{id}}/hangup", self._hang_up)
        Control(self._faults, self._admits).add_routes(application.router)
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
        self._loading = asyncio.create_task(Models.load())
        self._loading.add_done_callback(_report_loading)
        yield
        tasks = [task for _, task in self._calls.values()]
        for call, _task in tuple(self._calls.values()):
            call.hang_up()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._front.close()
        if not self._loading.done():
            self._loading.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await (await self._loading).close()

    async def _mint(self, request: web.Request) -> web.Response:
        if not self._is_standing(_credential(request)):
            raise access_denied()
        self._faults.check_minting()
        asked = await _json(request)
        try:
            asked = _CLIENT_SECRETS.read(asked, "")
            configuration = Configuration.minted(asked.get("session"))
        except Rejected as rejected:
            raise Refused(400, rejected.code, rejected.message, rejected.param) from rejected
        self._deployments.expect(configuration.fields["model"])
        lifetime = asked.get("expires_after", {}).get("seconds", DEFAULT_LIFETIME_S)
        key = self._keys.mint(configuration, lifetime)
        session = configuration.echoed(f"sess_{secrets.token_hex(10)}", 0)
        return web.json_response(
            {"value": key.value, "expires_at": key.expires_at, "session": session}
        )

    async def _open_call(self, request: web.Request) -> web.Response:
        key = self._keys.redeem(_bearer(request))
        if request.content_type != "application/sdp":
            raise Refused(415, "unsupported_media_type", "Send the SDP offer as application/sdp.")
        offer = await request.text()
        if "sdp-400" in self._faults:
            raise unreadable_offer("a scenario says so")
        if "slow-sdp" in self._faults:
            await asyncio.sleep(SLOW_ANSWER_S)
        call = Call(key.configuration, front=self._front, means=self._means)
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

    async def _hang_up(self, request: web.Request) -> web.Response:
        credential = _credential(request)
        if credential.startswith(PREFIX):
            self._keys.redeem(credential)
        elif not self._is_standing(credential):
            raise access_denied()
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

    def _admits(self, request: web.Request) -> bool:
        return self._is_standing(_credential(request))

    def _is_standing(self, credential: str) -> bool:
        if self._api_key is None:
            return bool(credential)
        return secrets.compare_digest(credential.encode(), self._api_key.encode())


async def run(
    port: int,
    api_key: str | None,
    *,
    announce: Callable[[str], None] = print,
    until: asyncio.Event | None = None,
    faults: Faults | None = None,
) -> None:
    """Serve on 127.0.0.1 until ``until`` is set or the task is cancelled.

    Args:
        port: 0 for any free one.
        api_key: the standing key, or ``None`` to take any credential.
        announce: told ``listening http://127.0.0.1:PORT`` as soon as requests are answered. Calls that come
            before the models are loaded are opened, and answered when they are.
        faults: the scenarios that are on from the start.

    Raises:
        OSError: the port is taken.
    """
    # Bound before anything is loaded, so that a taken port is known at once.
    listener = socket.create_server((HOST, port))
    service = Service(api_key, faults=faults)
    runner = web.AppRunner(service.application(), access_log=None)
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        announce(f"listening http://{HOST}:{listener.getsockname()[1]}")
        await (until or asyncio.Event()).wait()
    finally:
        await runner.cleanup()
        listener.close()


@web.middleware
async def _identified(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    response.headers["X-Request-Id"] = response.headers["apim-request-id"] = str(uuid.uuid4())
    return response


@web.middleware
async def _cross_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let pages of any origin open calls, as the real service does; minting is not for pages."""
    if _FOR_PAGES not in request.path:
        return await handler(request)
    asked = request.headers.get("Access-Control-Request-Headers")
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response: web.StreamResponse = web.Response(status=200)
        response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response.headers["Access-Control-Max-Age"] = "600"
        if asked:
            response.headers["Access-Control-Allow-Headers"] = asked
    else:
        response = await handler(request)
        response.headers["Access-Control-Expose-Headers"] = "Location,X-Request-Id"
        response.headers["Timing-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal has Azure's body, those of the web framework too."""
    try:
        return await handler(request)
    except Refused as error:
        refused = error
    except web.HTTPNotFound:
        refused = not_found()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        refused = Refused(error.status, str(error.status), error.reason)
    except Exception:
        logger.exception("A request failed.")
        refused = Refused(500, "InternalServerError", "The server had an error.")
    return web.json_response(refused.body(), status=refused.status, headers=refused.headers)


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if name.lower() not in _LOCAL_NAMES:
        raise Refused(403, "403", "This service answers on this machine only.")
    return await handler(request)


def _bearer(request: web.Request) -> str:
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


def _credential(request: web.Request) -> str:
    return request.headers.get("api-key", "") or _bearer(request)


async def _json(request: web.Request) -> Any:
    text = await request.text()
    if not text.strip():
        return {}
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "invalid_json", "The body is not JSON.") from error


def _report_loading(task: asyncio.Task[Models]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("The models could not be loaded.", exc_info=error)
