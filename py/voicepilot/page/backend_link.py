"""How does the page speak with the backend, and what if it is gone?

Over a line (`page/lines.py`) that is connected again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

from voicepilot.bridge import messages, settings_messages
from voicepilot.bridge.jsonrpc import Endpoint, Notification, Refusal, Reply
from voicepilot.page.lines import Admission, Hearing, Line
from voicepilot.page.refusals import Trouble
from voicepilot.page.scope import Scope
from voicepilot.protocol.problems import Problem, problem

_NOT_ALLOWED: Final = "page-not-allowed"
_PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each new attempt to connect; the last one repeats."""

_PATIENCE: Final = 5.0
"""Seconds that a request waits for the connection before it fails."""


class BackendLink:
    """The page's end of the bridge. `changed` is called when `welcome` or `problem` changes.

    `told` is called with each notification, and may raise MessageError for one that is none.
    """

    def __init__(
        self,
        scope: Scope,
        build: str,
        changed: Callable[[], None],
        told: Callable[[str, Mapping[str, object]], None],
    ) -> None:
        self.welcome: messages.Welcome | None = None
        self.problem: Problem | None = None
        self._scope = scope
        self._build = build
        self._changed = changed
        self._told = told
        self._connected = asyncio.Event()
        self._send: Callable[[str], None] | None = None
        self._endpoint = Endpoint()
        self._waiting: dict[int, asyncio.Future[object]] = {}

    def start(self, line: Line) -> None:
        """Connect, and stay connected until the scope ends."""
        self._scope.start(self._stay_connected(line), "the bridge")

    async def open_call(self, call: messages.OpenCall) -> messages.CallOpened:
        """Have the backend open a call. Raises `Trouble`."""
        answer = await self.ask(messages.CALL_OPEN, call.to_params())
        try:
            return messages.CallOpened.from_params(answer)
        except messages.MessageError as error:
            raise Trouble(problem("bad-answer")) from error

    async def call_key(self, wish: messages.CallKey) -> messages.KeyGiven:
        """Have the backend give a key for an offer. Raises `Trouble`."""
        answer = await self.ask(messages.CALL_KEY, wish.to_params())
        try:
            return messages.KeyGiven.from_params(answer)
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
        """Tell the backend that the page has left a call."""
        self.tell(messages.CALL_CLOSED, messages.CallClosed(call_id).to_params())

    def tell(self, method: str, params: dict[str, object]) -> None:
        """Tell the backend something; no answer, no error."""
        if self._send is not None:
            self._send(self._endpoint.notify(method, params))

    async def ask(self, method: str, params: dict[str, object]) -> object:
        """Ask the backend; its answer as it came. Raises `Trouble`."""
        await self.greeted()
        return await self._request(method, params)

    async def greeted(self) -> None:
        """Wait until `welcome` is there. Raises `Trouble` where it does not come soon."""
        if self.problem is not None and self.problem.code == _NOT_ALLOWED:
            raise Trouble(self.problem)
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._connected.wait()
        except TimeoutError:
            raise Trouble(self.problem or problem("backend-unreachable")) from None

    async def _request(self, method: str, params: dict[str, object]) -> object:
        if self._send is None:
            raise Trouble(problem("backend-unreachable"))
        number, text = self._endpoint.request(method, params)
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send(text)
        try:
            return await answer
        finally:
            self._waiting.pop(number, None)
            self._endpoint.forget(number)

    async def _stay_connected(self, line: Line) -> None:
        failures = 0
        while True:
            admission = await line.knock()
            if admission is Admission.REFUSED:
                # Nothing that this page could do would change it.
                self._say(None, problem(_NOT_ALLOWED))
                return
            if admission is Admission.GRANTED and await self._hold_connection(line):
                failures = 0
            else:
                self._say(None, problem("backend-unreachable"))
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    async def _hold_connection(self, line: Line) -> bool:
        """Connect, and return when the connection ends: whether there was one."""
        scope = self._scope.nest("connection")
        settled, closed = asyncio.Event(), asyncio.Event()

        def over() -> None:
            closed.set()
            settled.set()

        try:
            send = line.connect(scope, Hearing(settled.set, over, self._receive))
            await settled.wait()
            if closed.is_set():
                return False
            self._send, self._endpoint = send, Endpoint()
            scope.start(self._greet(), "greeting the backend")
            await closed.wait()
            return True
        finally:
            self._send = None
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
            case Notification(method, params):
                with contextlib.suppress(messages.MessageError):
                    self._told(method, params)
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
