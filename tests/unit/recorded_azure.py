"""An HTTP server that answers in the shapes recorded from Azure, or as a test says.

Every request is kept as it came. Answers are told per path: a list is given one by one, its last for ever.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from voicepilot.backend.azure.calls import Calls, Target
from voicepilot.backend.azure.credential import Credential, Credentials, FixedCredentials
from voicepilot.backend.page_server import listen
from voicepilot.backend.tools import SPECS
from voicepilot.protocol.session_config import SessionConfig

OFFER = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
ANSWER = "v=0\r\no=- 1784852237 2 IN IP4 0.0.0.0\r\n"
CALL_ID = "rtc_0123456789abcdef0123456789abcdef"
KEY = "standing-key"
TOKEN = "eyJ0eXAi.standing-token"
SESSION = SessionConfig(model="my-deployment", instructions="Be brief.", tools=SPECS)

MINT = "/openai/v1/realtime/client_secrets"
OFFERS = "/openai/v1/realtime/calls"
HANGUP = f"{OFFERS}/{CALL_ID}/hangup"
PREVIEW_MINT = "/openai/realtimeapi/sessions"
PREVIEW_OFFERS = "/v1/realtimertc"


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


def minted(key: str = "ek_1", expires_at: int = 1784859437) -> Said:
    body = {"value": key, "expires_at": expires_at, "session": {"id": "sess_1"}}
    return Said(200, json.dumps(body), {"Content-Type": "application/json"})


def minted_preview(key: str = "ek_p", expires_at: int = 1784852297) -> Said:
    secret = {"value": key, "expires_at": expires_at}
    return Said(200, json.dumps({"id": "sess_2", "client_secret": secret}))


def refused(status: int, code: str, message: str, **headers: str) -> Said:
    return Said(status, json.dumps({"error": {"code": code, "message": message}}), headers)


ANSWERED = Said(
    201,
    ANSWER,
    {"Content-Type": "text/plain; charset=utf-8", "Location": f"/v1/realtime/calls/{CALL_ID}"},
)
NOT_FOUND = refused(404, "404", "Resource not found")


class Azure:
    """The service; a path without answers is not found."""

    def __init__(self) -> None:
        self.base = ""
        self.seen: list[Seen] = []
        self.answers: dict[str, list[Said]] = {
            MINT: [minted()],
            OFFERS: [ANSWERED],
            HANGUP: [Said(200)],
        }

    def says(self, path: str, *answers: Said) -> None:
        self.answers[path] = list(answers)

    @property
    def posts(self) -> list[Seen]:
        return [each for each in self.seen if each.method == "POST"]

    @property
    def paths(self) -> list[str]:
        """Where was posted, in order."""
        return [each.path for each in self.posts]

    async def take(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        peer = transport.get_extra_info("peername")[1] if transport is not None else 0
        body = await request.text()
        self.seen.append(
            Seen(
                *(request.method, request.path, request.rel_url.raw_query_string),
                *(request.headers, body, peer),
            )
        )
        answers = self.answers.get(request.path, [NOT_FOUND])
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        return web.Response(status=said.status, text=said.body, headers=dict(said.headers))

    def target(self, credentials: Credentials | None = None, **options: Any) -> Target:
        return Target(self.base, credentials or key_credentials(), **options)


def key_credentials() -> FixedCredentials:
    return FixedCredentials(Credential.api_key(KEY))


def token_credentials() -> FixedCredentials:
    return FixedCredentials(Credential.bearer(TOKEN))


@asynccontextmanager
async def azure(service: Azure | None = None) -> AsyncIterator[Azure]:
    service = service or Azure()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.take)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    service.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield service
    finally:
        await runner.cleanup()


class Pauses:
    """Notes how long would have been waited, and does not wait."""

    def __init__(self) -> None:
        self.made: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.made.append(seconds)


def calls_at(target: Target, pauses: Pauses | None = None) -> Calls:
    """Calls that never pause and have no luck, good or bad."""

    async def known() -> Target:
        return target

    return Calls(known, chance=lambda: 0.0, pause=pauses or Pauses())
