"""How does the page speak with the backend, and what if it is gone?

A WebSocket that is opened again by itself. Before each opening the page asks `GET /session` whether it
may: a refused WebSocket tells a page nothing about the reason. The one-time token of the printed address
is spent first, once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from voicepilot.bridge import messages, settings_messages
from voicepilot.bridge.jsonrpc import Endpoint, Refusal, Reply
from voicepilot.page import seam
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.protocol.problems import Problem, problem

if TYPE_CHECKING:
    from voicepilot.page.seam import WebSocket

_SESSION: Final = "/session"
_BRIDGE: Final = "/bridge"
_NOT_ALLOWED: Final = "page-not-allowed"
_PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each new attempt to connect; the last one repeats."""

_PATIENCE: Final = 5.0
"""Seconds that a request waits for the connection before it fails."""


class BackendLink:
    """The page's end of the bridge. `changed` is called when `welcome` or `problem` changes."""

    def __init__(self, scope: Scope, build: str, changed: Callable[[], None]) -> None:
        self.welcome: messages.Welcome | None = None
        self.problem: Problem | None = None
        self._scope = scope
        self._build = build
        self._changed = changed
        self._connected = asyncio.Event()
        self._socket: WebSocket | None = None
        self._endpoint = Endpoint()
        self._waiting: dict[int, asyncio.Future[object]] = {}

    def start(self, fragment: str) -> None:
        """Connect, and stay connected until the scope ends. `fragment` is the page address's."""
        self._scope.start(self._stay_connected(fragment), "the bridge")

    async def open_call(self, call: messages.OpenCall) -> messages.CallOpened:
        """Have the backend open a call. Raises `Trouble`."""
        answer = await self.ask(messages.CALL_OPEN, call.to_params())
        try:
            return messages.CallOpened.from_params(answer)
        except messages.MessageError as error:
            raise Trouble(problem("bad-answer")) from error

    async def run_tool(self, call: messages.ToolCall) -> messages.ToolOutput:
        """Have the backend run a tool. Raises `Trouble`."""
        answer = await self.ask(messages.TOOL_CALL, call.to_params())
        try:
            return messages.ToolOutput.from_params(answer)
        except messages.MessageError as error:
            raise Trouble(problem("internal", detail=str(error))) from error

    async def feed(self, inputs: messages.CallFeed) -> messages.FeedTaken:
        """Tell the backend inputs of the core. Raises `Trouble`."""
        answer = await self.ask(messages.CALL_FEED, inputs.to_params())
        try:
            return messages.FeedTaken.from_params(answer)
        except messages.MessageError as error:
            raise Trouble(problem("internal", detail=str(error))) from error

    async def settings(self) -> settings_messages.SettingsShown:
        """The settings of calls. Raises `Trouble`."""
        return _settings(await self.ask(settings_messages.SETTINGS_GET, {}))

    async def change_setting(
        self, wish: settings_messages.SetSetting
    ) -> settings_messages.SettingsShown:
        """Have one of them changed. Raises `Trouble`."""
        return _settings(await self.ask(settings_messages.SETTINGS_SET, wish.to_params()))

    def call_closed(self, call_id: str) -> None:
        """Tell the backend that the page has left a call; no answer, no error."""
        if self._socket is not None:
            said = messages.CallClosed(call_id).to_params()
            self._socket.send(self._endpoint.notify(messages.CALL_CLOSED, said))

    async def ask(self, method: str, params: dict[str, object]) -> object:
        """Ask the backend; its answer as it came. Raises `Trouble`."""
        if self.problem is not None and self.problem.code == _NOT_ALLOWED:
            raise Trouble(self.problem)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._connected.wait()
        except TimeoutError:
            raise Trouble(self.problem or problem("backend-unreachable")) from None
        return await self._request(method, params)

    async def _request(self, method: str, params: dict[str, object]) -> object:
        if self._socket is None:
            raise Trouble(problem("backend-unreachable"))
        number, text = self._endpoint.request(method, params)
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._socket.send(text)
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)
            self._endpoint.forget(number)

    async def _stay_connected(self, fragment: str) -> None:
        token = parse_qs(fragment).get("token", [""])[0]
        failures = 0
        while True:
            status = await self._knock(token)
            # Spent or wrong, either way it is of no more use; after an outage it may still be good.
            token = token if status == 0 else ""
            if status == HTTPStatus.FORBIDDEN:
                # Nothing that this page could do would change it.
                self._say(None, problem(_NOT_ALLOWED))
                return
            if status == HTTPStatus.NO_CONTENT and await self._hold_connection():
                failures = 0
            else:
                self._say(None, problem("backend-unreachable"))
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    async def _knock(self, token: str) -> int:
        if token:
            status = await seam.request("POST", _SESSION, json.dumps({"token": token}))
            if status in (0, HTTPStatus.NO_CONTENT):
                return status
        # No token, or one that was spent before: then the cookie from that time may be good.
        return await seam.request("GET", _SESSION)

    async def _hold_connection(self) -> bool:
        """Connect, and return when the connection ends: whether there was one."""
        scope = self._scope.nest("connection")
        settled, closed = asyncio.Event(), asyncio.Event()

        def over(_event: object) -> None:
            closed.set()
            settled.set()

        socket = seam.web_socket(seam.socket_address(_BRIDGE))
        scope.own(socket.close)
        seam.listen(scope, socket, "open", lambda _event: settled.set())
        seam.listen(scope, socket, "close", over)
        seam.listen(scope, socket, "message", lambda event: self._receive(event.data))
        try:
            await settled.wait()
            if closed.is_set():
                return False
            self._socket, self._endpoint = socket, Endpoint()
            scope.start(self._greet(), "greeting the backend")
            await closed.wait()
            return True
        finally:
            self._socket = None
            self._connected.clear()
            scope.end()
            self._fail_waiting()
            self._say(self.welcome, problem("backend-unreachable"))

    async def _greet(self) -> None:
        try:
            answer = await self._request(messages.HELLO, messages.Hello(self._build).to_params())
            welcome = messages.Welcome.from_params(answer)
        except Trouble as trouble:
            self._say(None, trouble.problem)
        except messages.MessageError as error:
            self._say(None, problem("internal", detail=str(error)))
        else:
            self._connected.set()
            self._say(welcome, None)

    def _receive(self, text: str) -> None:
        match self._endpoint.receive(text):
            case Reply(number, result):
                if (answer := self._waiting.get(number)) is not None and not answer.done():
                    answer.set_result(result)
            case Refusal(number, _, _, data):
                if (answer := self._waiting.get(number)) is not None and not answer.done():
                    answer.set_exception(Trouble(Problem.from_json(data)))
            case _:
                pass  # the backend asks the page nothing; what it cannot mean is dropped

    def _fail_waiting(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Trouble(problem("backend-unreachable")))

    def _say(self, welcome: messages.Welcome | None, trouble: Problem | None) -> None:
        if (welcome, trouble) != (self.welcome, self.problem):
            self.welcome, self.problem = welcome, trouble
            self._changed()


def _settings(answer: object) -> settings_messages.SettingsShown:
    try:
        return settings_messages.SettingsShown.from_params(answer)
    except messages.MessageError as error:
        raise Trouble(problem("internal", detail=str(error))) from error
