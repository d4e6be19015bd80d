"""How does the backend take part in a call that the page holds?

By a second connection to the same call, `wss://HOST/openai/v1/realtime?call_id=rtc_...`, with the standing
credential. Over it the backend hears the call's events, whatever the page is sent, and may put in items and
change the session. It carries no sound.

- A call may not be known there yet when its SDP answer is: 404 is tried again for some seconds.
- A function that the model calls is announced twice, here and by the page (`tool.call`). Whichever comes
  first runs it; the output goes into the conversation over this connection, and the page is told that it
  did, so that it only asks for the answer. Without a sideband, or where the service did not confirm the
  item, the page gets the output and sends it. So a call is answered once, by one side.
- It ends with the call: the service closes it, the page says so, or the backend ends.

Preview calls have no such connection, nor have calls over WebSocket or those that a page opened itself: the
backend does not learn their names. Source: Microsoft's realtime-audio-webrtc how-to of 2026-01-29;
recordings of the service of 2026-07; the 404 from reports of other clients.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import quote

import aiohttp
from aiohttp import WSMsgType

from voicepilot.backend.azure.calls import Target
from voicepilot.backend.azure.http import client_session, find_proxy
from voicepilot.backend.failure import Failure
from voicepilot.bridge.messages import ToolCall, ToolOutput
from voicepilot.protocol.json_text import parse_json

_log = logging.getLogger(__name__)

PAUSES_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before each new try while the service does not know the call."""

_CONNECT_WITHIN_S: Final = 10.0
_ANNOUNCED_WITHIN_S: Final = 1.0
_CONFIRM_WITHIN_S: Final = 5.0
_HEARTBEAT_S: Final = 20.0
_LARGEST_MESSAGE: Final = 16 * 1024 * 1024
_MOST_REMEMBERED: Final = 1000

RunTool = Callable[[str, str], Awaitable[str]]
"""Runs the function of this name with these arguments (JSON text); never raises for a wrong call."""


class Eavesdropper(Protocol):
    """Hears the events of calls beside their pages. Must not raise."""

    def overheard(self, event: dict[str, Any], call_id: str) -> None:
        """An event of this call."""


class Sidebands:
    """The sidebands of all calls that run. An async context manager that owns them."""

    def __init__(self, run_tool: RunTool, eavesdropper: Eavesdropper | None = None) -> None:
        self._run_tool = run_tool
        self._eavesdropper = eavesdropper
        self._session: aiohttp.ClientSession | None = None
        self._attached: dict[str, Sideband] = {}
        self._holding: dict[str, asyncio.Task[None]] = {}
        self._runs: dict[str, asyncio.Task[ToolOutput]] = {}
        self._awaited: dict[str, asyncio.Event] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Sidebands:
        self._session = client_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._holding.values(), *self._runs.values(), *self._sending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def attached(self) -> frozenset[str]:
        """The calls that have a sideband now."""
        return frozenset(self._attached)

    def attach(self, target: Target, call_id: str) -> None:
        """Take part in this call, as soon as the service knows it, until it ends."""
        if call_id and call_id not in self._holding:
            task = asyncio.create_task(self._hold(target, call_id))
            self._holding[call_id] = task
            task.add_done_callback(lambda _: self._holding.pop(call_id, None))

    def leave(self, call_id: str) -> None:
        """The call has ended."""
        task = self._holding.get(call_id)
        if task is not None:
            task.cancel()

    async def run(self, call: ToolCall) -> ToolOutput:
        """Run a function that the page reports, or wait for the run that has begun already."""
        if self._attached and call.call_id not in self._runs:
            # The page may be the first to hear of it by some milliseconds. Another call, of another
            # page, is never answered here: its own sideband would have told.
            await self._announcement(call.call_id)
        return await asyncio.shield(self._begin(call, None))

    def update(self, session: Mapping[str, object]) -> None:
        """Change the session of every call that has a sideband.

        Azure is reported to ignore what pages send for that. Where it does not, the same change comes
        twice, which is no other than once.
        """
        for beside in self._attached.values():
            sending = asyncio.create_task(beside.update(session))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    # ---- inside

    async def _announcement(self, function_call_id: str) -> None:
        awaited = self._awaited.setdefault(function_call_id, asyncio.Event())
        try:
            async with asyncio.timeout(_ANNOUNCED_WITHIN_S):
                await awaited.wait()
        except TimeoutError:
            pass
        finally:
            self._awaited.pop(function_call_id, None)

    def _begin(self, call: ToolCall, beside: Sideband | None) -> asyncio.Task[ToolOutput]:
        run = self._runs.get(call.call_id)
        if run is None:
            run = self._runs[call.call_id] = asyncio.create_task(self._answer(call, beside))
            while len(self._runs) > _MOST_REMEMBERED:
                oldest = next(iter(self._runs))
                if not self._runs[oldest].done():
                    break
                del self._runs[oldest]
        return run

    async def _answer(self, call: ToolCall, beside: Sideband | None) -> ToolOutput:
        output = await self._run_tool(call.name, call.arguments)
        answered = beside is not None and await beside.answer(call.call_id, output)
        return ToolOutput(output, answered=answered)

    async def _hold(self, target: Target, call_id: str) -> None:
        try:
            socket = await self._connect(target, call_id)
        except (Failure, aiohttp.ClientError, OSError, TimeoutError) as error:
            # The call goes on without: the page runs the tools as it does where there is none.
            _log.warning("no sideband for the call: %s", error.__class__.__name__)
            return
        beside = Sideband(socket)
        self._attached[call_id] = beside
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._take(beside, call_id, frame.data)
        finally:
            self._attached.pop(call_id, None)
            beside.ended()
            await socket.close()

    async def _connect(self, target: Target, call_id: str) -> aiohttp.ClientWebSocketResponse:
        if self._session is None:
            raise RuntimeError("sidebands are used outside their context")
        base = target.base.rstrip("/")
        url = f"ws{base.removeprefix('http')}/openai/v1/realtime?call_id={quote(call_id, safe='')}"
        credential = await target.credentials.credential()
        pauses = iter(PAUSES_S)
        refused = False
        while True:
            try:
                async with asyncio.timeout(_CONNECT_WITHIN_S):
                    return await self._session.ws_connect(
                        url,
                        headers={credential.header: credential.value},
                        heartbeat=_HEARTBEAT_S,
                        max_msg_size=_LARGEST_MESSAGE,
                        proxy=await find_proxy(url),
                    )
            except aiohttp.WSServerHandshakeError as error:
                if error.status == HTTPStatus.UNAUTHORIZED and not refused:
                    refused = True
                    credential = await target.credentials.credential(refused=credential)
                    continue
                pause = next(pauses, None) if error.status == HTTPStatus.NOT_FOUND else None
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    def _take(self, beside: Sideband, call_id: str, text: str) -> None:
        try:
            event = parse_json(text)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        if self._eavesdropper is not None:
            self._eavesdropper.overheard(event, call_id)
        beside.take(event)
        if event.get("type") == "response.function_call_arguments.done":
            fields = [event.get(name) for name in ("call_id", "name", "arguments")]
            if all(isinstance(each, str) and each for each in fields):
                call = ToolCall(*map(str, fields))
                self._begin(call, beside)
                if call.call_id in self._awaited:
                    self._awaited[call.call_id].set()


class Sideband:
    """One connection to one call."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0
        self._unconfirmed: dict[str, asyncio.Future[bool]] = {}
        """By the function call that an item answers, and by the event that brought it."""

    async def send(self, event: Mapping[str, object]) -> bool:
        """Send an event; False where the connection has gone."""
        try:
            await self._socket.send_str(json.dumps(event))
        except (ConnectionError, aiohttp.ClientError):
            return False
        return True

    async def update(self, session: Mapping[str, object]) -> None:
        """Change the session of the call."""
        await self.send({"type": "session.update", "session": session})

    async def answer(self, function_call_id: str, output: str) -> bool:
        """Put a function's output into the conversation; whether the service has confirmed it."""
        self._sent += 1
        event_id = f"vp_side_{self._sent}"
        confirmed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._unconfirmed[function_call_id] = self._unconfirmed[event_id] = confirmed
        item = {"type": "function_call_output", "call_id": function_call_id, "output": output}
        event = {"type": "conversation.item.create", "event_id": event_id, "item": item}
        try:
            async with asyncio.timeout(_CONFIRM_WITHIN_S):
                return await self.send(event) and await confirmed
        except TimeoutError:
            return False
        finally:
            self._unconfirmed.pop(function_call_id, None)
            self._unconfirmed.pop(event_id, None)

    def take(self, event: dict[str, Any]) -> None:
        """Look whether this event confirms an item, or refuses it."""
        match event:
            case {
                "type": "conversation.item.added",
                "item": {"type": "function_call_output", "call_id": str(name)},
            }:
                self._settle(name, confirmed=True)
            case {"type": "error", "error": {"event_id": str(name)}}:
                self._settle(name, confirmed=False)

    def ended(self) -> None:
        """The connection has gone; nothing will be confirmed any more."""
        for name in tuple(self._unconfirmed):
            self._settle(name, confirmed=False)

    def _settle(self, name: str, *, confirmed: bool) -> None:
        waiting = self._unconfirmed.get(name)
        if waiting is not None and not waiting.done():
            waiting.set_result(confirmed)
