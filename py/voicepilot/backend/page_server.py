"""How does the browser get the call page, and how does only that page reach the backend?

| request | answer |
|---|---|
| `GET /` | the page, with its policy, never stored; so for every other document (`/debug`) |
| `GET /FILE` | a file of the manifest, kept for ever by the browser (names carry the content's hash) |
| `GET /wheels/NAME` | a wheel of the folder given by `--wheels`, with a good cookie; else 403 |
| `POST /session` `{"token"}` | 204 and the cookie, once; else 403 with a Problem |
| `GET /session` | 204 with a good cookie, else 403 with a Problem |
| `GET /bridge` | the WebSocket, with a good cookie and our Origin; else 403 with a Problem |
| `GET /call` | likewise the WebSocket of one call that goes over none of WebRTC |

Every request passes `Door` first: a foreign Host gets 421, a foreign Origin 403.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from aiohttp import WSCloseCode, web

from voicepilot.backend.door import Door, origin_of
from voicepilot.backend.page_files import Page
from voicepilot.backend.wheels import WheelFolder
from voicepilot.bridge.call_socket import CALL_PATH, LARGEST_FRAME, TRIED_WEBRTC
from voicepilot.bridge.jsonrpc import MAX_TEXT
from voicepilot.protocol.json_text import parse_json
from voicepilot.protocol.problems import problem

_log = logging.getLogger(__name__)

ServeBridge: TypeAlias = Callable[[web.WebSocketResponse], Awaitable[None]]
"""Serves one connected bridge until it ends."""

ServeCall: TypeAlias = Callable[[web.WebSocketResponse, bool], Awaitable[None]]
"""Serves one call's WebSocket until it ends; the flag says that the call has tried WebRTC before."""

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "microphone=(self), camera=(), display-capture=(), geolocation=(), midi=(), payment=(), "
        "usb=(), serial=(), hid=()"
    ),
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_LARGEST_BODY: Final = 4096  # the only body we take holds one token
_HEARTBEAT_S: Final = 20.0
_SHUTDOWN_S: Final = 1.0


class PageServer:
    """Serves one `Page` on 127.0.0.1. An async context manager; leaving it closes every WebSocket.

    Takes ownership of `listener`, a listening TCP socket (see `listen`). `wheels` is what the
    debugging page may install. `services` are the origins that pages may reach beside the server
    itself: none, but with direct signalling. `cookie` as in `Door`.
    """

    def __init__(
        self,
        page: Page,
        listener: socket.socket,
        serve_bridge: ServeBridge,
        wheels: WheelFolder | None = None,
        services: Sequence[str] = (),
        serve_call: ServeCall | None = None,
        cookie: str = "",
    ) -> None:
        self._page = page
        self._services = tuple(services)
        self._wheels = wheels
        self._listener = listener
        self._serve_bridge = serve_bridge
        self._serve_call = serve_call
        self._lines: set[web.WebSocketResponse] = set()
        self.port: Final[int] = listener.getsockname()[1]
        self.door: Final = Door(self.port, cookie)
        application = web.Application(middlewares=[self._check_door], client_max_size=_LARGEST_BODY)
        application.add_routes(
            [
                *(web.get(path, self._document) for path in page.documents),
                web.get("/bridge", self._bridge),
                web.get(CALL_PATH, self._call),
                web.get("/session", self._has_session),
                web.post("/session", self._open_session),
                web.get("/wheels/{name}", self._wheel),
                web.get("/{path:.+}", self._file),
            ]
        )
        application.on_response_prepare.append(_add_headers)
        application.on_shutdown.append(self._close_lines)
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=_SHUTDOWN_S, handle_signals=False
        )

    @property
    def url(self) -> str:
        """The address to open, with the one-time token in its fragment."""
        return f"http://127.0.0.1:{self.port}/#token={self.door.token}"

    async def __aenter__(self) -> PageServer:
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        self._listener.close()

    @web.middleware
    async def _check_door(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        host = request.headers.get("Host")
        if host is None or not self.door.knows_host(host):
            raise web.HTTPMisdirectedRequest(
                text=f"This server answers only to http://127.0.0.1:{self.port}."
            )
        origins = request.headers.getall("Origin", [])
        if not all(self.door.knows_origin(origin, host) for origin in origins):
            raise web.HTTPForbidden(text="This server answers only to its own page.")
        return await handler(request)

    async def _document(self, request: web.Request) -> web.Response:
        document = self._page.documents[request.path]
        return web.Response(
            body=document.file.body,
            headers={
                "Content-Type": document.file.content_type,
                "Content-Security-Policy": document.policy_for(
                    origin_of(request.headers["Host"]), self._services
                ),
                "Cache-Control": "no-store",
            },
        )

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        file = self._page.files.get(path)
        # A document is served at its own address only, where its policy goes with it.
        if file is None or any(file is each.file for each in self._page.documents.values()):
            raise web.HTTPNotFound(text="There is no such file.")
        return web.Response(
            body=file.body,
            headers={"Content-Type": file.content_type, "Cache-Control": _FOR_EVER},
        )

    async def _wheel(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            return _not_allowed()
        wheel = self._wheels.read(request.match_info["name"]) if self._wheels else None
        if wheel is None:
            raise web.HTTPNotFound(text="There is no such wheel.")
        return web.Response(
            body=wheel,
            content_type="application/octet-stream",
            headers={"Cache-Control": "no-store"},
        )

    async def _open_session(self, request: web.Request) -> web.Response:
        try:
            body = parse_json(await request.read())
        except ValueError:
            body = None
        token = body.get("token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not self.door.spend(token):
            return _not_allowed()
        response = web.Response(status=204, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            self.door.cookie_name, self.door.cookie, path="/", httponly=True, samesite="Strict"
        )
        return response

    async def _has_session(self, request: web.Request) -> web.Response:
        if not self._admits(request):
            return _not_allowed()
        return web.Response(status=204, headers={"Cache-Control": "no-store"})

    async def _bridge(self, request: web.Request) -> web.StreamResponse:
        return await self._hold(request, self._serve_bridge, 4 * MAX_TEXT)

    async def _call(self, request: web.Request) -> web.StreamResponse:
        serve, tried_webrtc = self._serve_call, TRIED_WEBRTC in request.query
        if serve is None:
            raise web.HTTPNotFound(text="Calls go over WebRTC only.")
        return await self._hold(request, lambda call: serve(call, tried_webrtc), LARGEST_FRAME)

    async def _hold(
        self, request: web.Request, serve: ServeBridge, largest_frame: int
    ) -> web.StreamResponse:
        # The door lets a missing Origin pass (navigation sends none); a page's WebSocket has one.
        if not self._admits(request) or "Origin" not in request.headers:
            return _not_allowed()
        line = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_S, max_msg_size=largest_frame, compress=False
        )
        if not line.can_prepare(request):
            raise web.HTTPBadRequest(text="This address is for a WebSocket only.")
        await line.prepare(request)
        self._lines.add(line)
        try:
            await serve(line)
        finally:
            self._lines.discard(line)
            await line.close()
        return line

    def _admits(self, request: web.Request) -> bool:
        return self.door.admits(request.cookies.get(self.door.cookie_name))

    async def _close_lines(self, _: web.Application) -> None:
        for line in tuple(self._lines):
            await line.close(code=WSCloseCode.GOING_AWAY)


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises OSError where it is taken."""
    return socket.create_server(("127.0.0.1", port))


def _not_allowed() -> web.Response:
    return web.json_response(
        problem("page-not-allowed").to_json(), status=403, headers={"Cache-Control": "no-store"}
    )


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
