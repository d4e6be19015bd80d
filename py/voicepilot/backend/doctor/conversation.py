"""Does the fallback work, does the model answer, and is what is said written down? One short session.

It goes over the service's WebSocket, where nothing but HTTPS has to get through. A word is asked for in
writing; then half a second of a hum is committed as if it had been said, only to see whether the
transcription deployment takes it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import struct
import time
from collections.abc import AsyncIterator
from typing import Final

import aiohttp

from voicepilot.backend.azure.http import client_session
from voicepilot.backend.azure.socket_relay import SocketService, configuration, connect
from voicepilot.backend.doctor.media import ASK_FOR_A_WORD
from voicepilot.backend.doctor.report import Outcome, failed, ok, skipped, warned
from voicepilot.backend.failure import Failure
from voicepilot.protocol.client_events import (
    AppendAudio,
    ClientEvent,
    CommitAudio,
    CreateItem,
    CreateResponse,
)
from voicepilot.protocol.codec import decode, encode
from voicepilot.protocol.dialects import Dialect
from voicepilot.protocol.items import typed_message
from voicepilot.protocol.problems import problem
from voicepilot.protocol.server_events import (
    AudioDelta,
    Error,
    ResponseDone,
    ServerEvent,
    TranscriptionCompleted,
    TranscriptionFailed,
)
from voicepilot.protocol.service_errors import response_problem, transcription_problem
from voicepilot.protocol.session_config import SessionConfig

_ANSWER_WITHIN_S: Final = 20.0
_RATE: Final = 24_000
_HUM: Final = base64.b64encode(
    b"".join(
        struct.pack("<h", round(6000 * math.sin(2 * math.pi * 220 * n / _RATE)))
        for n in range(_RATE // 2)
    )
).decode()


class Conversation:
    """A session over WebSocket; `conversation` begins one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, dialect: Dialect) -> None:
        self._socket = socket
        self._dialect: Dialect = dialect

    async def send(self, event: ClientEvent) -> None:
        """Send one event."""
        await self._socket.send_str(encode(event, self._dialect))

    async def events(self) -> AsyncIterator[ServerEvent]:
        """Yield what comes, until the service ends the session."""
        async for frame in self._socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                yield decode(frame.data)


@contextlib.asynccontextmanager
async def conversation(
    service: SocketService, session: SessionConfig
) -> AsyncIterator[Conversation]:
    """Begin a session with this configuration. Raises Failure."""
    async with client_session() as http:
        socket, dialect = await connect(http, service, session.model)
        async with socket:
            await socket.send_str(configuration(dialect, session))
            yield Conversation(socket, dialect)


async def check_answer(service: SocketService, session: SessionConfig) -> Outcome:
    """Ask for one word, and wait for the first of its sound (of its text, where that is set)."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S), conversation(service, session) as talk:
            began = time.monotonic()
            await talk.send(CreateItem(item=typed_message("user", ASK_FOR_A_WORD)))
            await talk.send(CreateResponse())
            async for event in talk.events():
                match event:
                    case AudioDelta():
                        took = (time.monotonic() - began) * 1000
                        return ok(f"An answer began after {took:.0f} ms.")
                    case ResponseDone(response=response) if response.status == "completed":
                        took = (time.monotonic() - began) * 1000
                        return ok(f"An answer was complete after {took:.0f} ms.")
                    case ResponseDone(response=response):
                        return failed(response_problem(response.status_details.error))
                    case Error(error=error):
                        return failed(problem("session-refused", detail=f"({error.message})"))
    except Failure as failure:
        return failed(failure.problem)
    except TimeoutError:
        return failed(problem("no-answer", seconds=round(_ANSWER_WITHIN_S)))
    return failed(problem("connection-lost"))


async def check_transcription(service: SocketService, session: SessionConfig) -> Outcome:
    """Commit a hum, and see whether the transcription deployment takes it."""
    if session.transcription_model is None:
        return skipped("No transcription deployment is set.")
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S), conversation(service, session) as talk:
            await talk.send(AppendAudio(audio=_HUM))
            await talk.send(CommitAudio())
            async for event in talk.events():
                match event:
                    case TranscriptionCompleted():
                        return ok(f"{session.transcription_model} writes down what is said.")
                    case TranscriptionFailed(error=error):
                        return warned(transcription_problem(error))
                    case Error(error=error):
                        return warned(problem("transcription-failed", detail=error.message))
    except Failure as failure:
        return warned(failure.problem)
    except TimeoutError:
        found = f"nothing was written down within {_ANSWER_WITHIN_S:.0f} seconds."
        return warned(problem("transcription-failed", detail=found))
    return warned(problem("transcription-failed", detail="the service ended the session."))
