"""Who answers the page on one bridge connection?

`BridgeLink` reads frames from a line to a page and answers each request in a task of its own, so a slow
call never holds up a tool. The connection owns these tasks: when it ends, they end. What the page only
told us still counts: a tab that is closed says that its call is over, and is gone. What fails goes back
as a refusal whose `data` is a Problem; what fails unforeseen is the problem `internal`, and the log gets
the traceback (never the frame: it holds what was said).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, Protocol

from voicepilot.backend.failure import Failure
from voicepilot.backend.lines import Line
from voicepilot.bridge import debug_messages, messages, mirror_messages, settings_messages
from voicepilot.bridge.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    OUR_REFUSAL,
    Endpoint,
    Incoming,
    Malformed,
    Notification,
    Refusal,
    Reply,
    Request,
)
from voicepilot.protocol.problems import problem

_log = logging.getLogger(__name__)

_MOST_AT_ONCE: Final = 16
"""Requests of one connection answered at once; while so many run, further frames wait unread."""


class PageDesk(Protocol):
    """What the page may ask for. Each may raise `Failure`."""

    async def welcome(self, hello: messages.Hello) -> messages.Welcome:
        """Say what stands behind the backend."""

    async def open_call(self, call: messages.OpenCall) -> messages.CallOpened:
        """Open a call with the page's offer."""

    async def call_key(self, wish: messages.CallKey) -> messages.KeyGiven:
        """Give a key to a page that posts its offer itself."""

    async def run_tool(self, call: messages.ToolCall) -> messages.ToolOutput:
        """Run a tool that the model called."""

    async def call_closed(self, call: messages.CallClosed) -> None:
        """Take note that the page has ended a call."""

    async def feed(self, inputs: messages.CallFeed) -> messages.FeedTaken:
        """Take note of what the page told its core."""


class DebuggingDesk(Protocol):
    """What the debugging page may ask for beside that. Each may raise `Failure`."""

    async def scenarios(self) -> debug_messages.Scenarios:
        """List the faults that the embedded service can have."""

    async def set_scenario(self, wish: debug_messages.SetScenario) -> debug_messages.Scenarios:
        """Switch one of them."""

    async def wheels(self) -> debug_messages.Wheels:
        """List the wheels that can be installed."""


class DrawersDesk(Protocol):
    """What the page's settings drawer may ask for. Each may raise `Failure`."""

    def shown(self) -> settings_messages.SettingsShown:
        """List the settings."""

    def change(self, wish: settings_messages.SetSetting) -> settings_messages.SettingsShown:
        """Change one of them."""


class Company(Protocol):
    """What a page may want of the others. The first two may raise `Failure`."""

    async def control(self, wish: messages.CallControl) -> None:
        """Tell the call page what the person wants of the call."""

    async def configure(self, wish: mirror_messages.ConfigureCall) -> None:
        """Have its call take a change of settings along."""

    def mirror(self, link: BridgeLink) -> None:
        """Show a page everything of the call, from its beginning."""

    def take(self, link: BridgeLink) -> None:
        """The call is at this page now."""

    def leave(self, link: BridgeLink) -> None:
        """This page is being closed."""

    def fed(self, link: BridgeLink, page: str) -> None:
        """By this name the page feeds its inputs."""

    def levels(self, link: BridgeLink, levels: mirror_messages.Levels) -> None:
        """So loud is it there."""

    def scene(self, link: BridgeLink, scene: mirror_messages.Scene) -> None:
        """So it looks there beside the call."""


class BridgeLink:
    """Serves one connected page until either end closes the line.

    Without a `debugging` desk the methods of the debugging page do not exist, without a `drawer` those of
    the settings drawer, without `company` those between pages.
    """

    def __init__(
        self,
        line: Line,
        desk: PageDesk,
        debugging: DebuggingDesk | None = None,
        drawer: DrawersDesk | None = None,
        company: Company | None = None,
    ) -> None:
        self._line = line
        self._desk = desk
        self._debugging = debugging
        self._drawer = drawer
        self._company = company
        self._endpoint = Endpoint()
        self._room = asyncio.Semaphore(_MOST_AT_ONCE)

    async def serve(self) -> None:
        """Answer until the connection ends; then end what is still being answered."""
        running: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as tasks:
            try:
                async for text in self._line.texts():
                    await self._room.acquire()
                    received = self._endpoint.receive(text)
                    task = tasks.create_task(self._take(received))
                    if not isinstance(received, Notification):
                        running.add(task)
                        task.add_done_callback(running.discard)
            finally:
                for task in tuple(running):
                    task.cancel()

    async def tell(self, method: str, params: Mapping[str, object]) -> None:
        """Send the page a notification. Raises ConnectionError."""
        await self._line.send(self._endpoint.notify(method, params))

    async def _take(self, received: Incoming) -> None:
        try:
            answer = await self._answer(received)
            if answer is not None:
                await self._line.send(answer)
        except ConnectionError:
            _log.debug("the page left before its answer")
        finally:
            self._room.release()

    async def _answer(self, received: Incoming) -> str | None:
        match received:
            case Request(request_id, method, params):
                return await self._grant(Request(request_id, method, params))
            case Notification(method, params):
                await self._note(method, params)
                return None
            case Malformed(reason, code, request_id):
                return self._endpoint.refuse(
                    request_id, code, reason, problem("internal", detail=reason).to_json()
                )
            case Reply() | Refusal():
                return None  # we ask the page nothing, so `receive` knows no such id

    async def _grant(self, request: Request) -> str:
        try:
            result = await self._result(request.method, request.params)
            return self._endpoint.reply(request.id, result)
        except Failure as failure:
            return self._endpoint.refuse(
                request.id, OUR_REFUSAL, str(failure), failure.problem.to_json()
            )
        except messages.MessageError as error:
            return self._refuse_internal(request, INVALID_PARAMS, str(error))
        except _UnknownMethodError as error:
            return self._refuse_internal(request, METHOD_NOT_FOUND, str(error))
        except Exception as error:
            _log.exception("%s failed", request.method[:40])
            return self._refuse_internal(request, INTERNAL_ERROR, type(error).__name__)

    async def _result(self, method: str, params: Mapping[str, object]) -> dict[str, object]:
        match method:
            case messages.HELLO:
                welcome = await self._desk.welcome(messages.Hello.from_params(params))
                return welcome.to_params()
            case messages.CALL_OPEN:
                opened = await self._desk.open_call(messages.OpenCall.from_params(params))
                return opened.to_params()
            case messages.CALL_KEY:
                given = await self._desk.call_key(messages.CallKey.from_params(params))
                return given.to_params()
            case messages.TOOL_CALL:
                output = await self._desk.run_tool(messages.ToolCall.from_params(params))
                return output.to_params()
            case messages.CALL_FEED:
                inputs = messages.CallFeed.from_params(params)
                if self._company is not None:
                    self._company.fed(self, inputs.page)
                return (await self._desk.feed(inputs)).to_params()
            case settings_messages.SETTINGS_GET if self._drawer is not None:
                return self._drawer.shown().to_params()
            case settings_messages.SETTINGS_SET if self._drawer is not None:
                wish = settings_messages.SetSetting.from_params(params)
                return self._drawer.change(wish).to_params()
            case mirror_messages.MIRROR_OPEN if self._company is not None:
                self._company.mirror(self)
                return {}
            case messages.CALL_CONTROL if self._company is not None:
                await self._company.control(messages.CallControl.from_params(params))
                return {}
            case mirror_messages.CALL_CONFIGURE if self._company is not None:
                await self._company.configure(mirror_messages.ConfigureCall.from_params(params))
                return {}
            case _ if self._debugging is not None:
                return await self._debug_result(self._debugging, method, params)
            case _:
                raise _UnknownMethodError(f"there is no method {method[:40]!r}")

    async def _debug_result(
        self, desk: DebuggingDesk, method: str, params: Mapping[str, object]
    ) -> dict[str, object]:
        match method:
            case debug_messages.SCENARIO_LIST:
                return (await desk.scenarios()).to_params()
            case debug_messages.SCENARIO_SET:
                wish = debug_messages.SetScenario.from_params(params)
                return (await desk.set_scenario(wish)).to_params()
            case debug_messages.WHEEL_LIST:
                return (await desk.wheels()).to_params()
            case _:
                raise _UnknownMethodError(f"there is no method {method[:40]!r}")

    async def _note(self, method: str, params: Mapping[str, object]) -> None:
        try:
            match method:
                case messages.CALL_CLOSED:
                    await self._desk.call_closed(messages.CallClosed.from_params(params))
                case mirror_messages.CALL_TAKE if self._company is not None:
                    self._company.take(self)
                case mirror_messages.CALL_LEAVE if self._company is not None:
                    self._company.leave(self)
                case mirror_messages.CALL_LEVELS if self._company is not None:
                    self._company.levels(self, mirror_messages.Levels.from_params(params))
                case mirror_messages.CALL_SCENE if self._company is not None:
                    self._company.scene(self, mirror_messages.Scene.from_params(params))
                case _:
                    _log.debug("an unknown notification")
        except (messages.MessageError, Failure) as error:
            _log.warning("a notification failed: %s", error)
        except Exception:
            _log.exception("%s failed", method[:40])

    def _refuse_internal(self, request: Request, code: int, detail: str) -> str:
        data = problem("internal", detail=detail).to_json()
        return self._endpoint.refuse(request.id, code, detail, data)


class _UnknownMethodError(Exception):
    pass
