"""Who answers VS Code's extension host?

`HostLink` reads JSON-RPC messages from the process's standard streams, in order, and answers each
request in a task of its own. Frames of pages are passed on in the order in which they come. When the
streams end, whoever started us has ended, and `serve` returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, Protocol

from voicepilot.backend.failure import Failure
from voicepilot.bridge import host_messages as messages
from voicepilot.bridge.jsonrpc import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    OUR_REFUSAL,
    Endpoint,
    Malformed,
    Notification,
    Refusal,
    Reply,
    Request,
)
from voicepilot.bridge.messages import MessageError
from voicepilot.protocol.problems import problem

_log = logging.getLogger(__name__)

NOT_MADE: Final = -32001
"""The code of a refusal whose message is for a person: what was asked for cannot be had here."""


class Streams(Protocol):
    """Messages in and out."""

    async def receive(self) -> str | None:
        """The next message; None when there will be no more."""

    def send(self, text: str) -> None:
        """Send a message."""


class HostError(Exception):
    """The host cannot have what it asked for; the text is a sentence for a person."""


class HostDesk(Protocol):
    """What the extension host may ask for. Each may raise `HostError` or `Failure`."""

    async def start(self, said: messages.HostStart) -> messages.HostStarted:
        """Begin to serve."""

    async def use(self, said: messages.UseService) -> None:
        """Change what answers calls."""

    def address(self) -> messages.PageAddress:
        """Give an address that opens the call page."""

    def check(self, said: messages.CheckSetting) -> messages.SettingChecked:
        """Say whether a setting may have this value."""

    async def sign_in(self) -> str:
        """Sign in where that is needed; who is let in then."""

    async def examine(self) -> messages.Examined:
        """Check everything that a call needs."""

    def transcript(self) -> str:
        """Write down what was said, as Markdown; "" where nothing was."""

    async def control(self, said: messages.ControlCall) -> bool:
        """Pass on to the page what the person wants of the call; whether there is one to take it."""

    def page_opened(self, said: messages.PageOpened) -> None:
        """Begin to answer a page in a webview."""

    def page_message(self, said: messages.PageMessage) -> None:
        """Take a frame of such a page."""

    def page_closed(self, said: messages.PageClosed) -> None:
        """Leave such a page."""


class HostLink:
    """The backend's end of the connection with the extension host."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._endpoint = Endpoint()
        self._waiting: dict[int, asyncio.Future[object]] = {}

    def tell(self, method: str, params: Mapping[str, object]) -> None:
        """Tell the host something. From any thread."""
        self._streams.send(self._endpoint.notify(method, params))

    async def ask(self, method: str, params: Mapping[str, object]) -> object:
        """Ask the host; its answer as it came. Raises `HostError` where it refuses."""
        number, text = self._endpoint.request(method, params)
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._streams.send(text)
        try:
            return await answer
        finally:
            del self._waiting[number]
            self._endpoint.forget(number)

    async def serve(self, desk: HostDesk) -> None:
        """Answer until the host is gone; then end what is still being answered."""
        running: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as tasks:
            try:
                while (text := await self._streams.receive()) is not None:
                    match self._endpoint.receive(text):
                        case Request() as request:
                            task = tasks.create_task(self._grant(desk, request))
                            running.add(task)
                            task.add_done_callback(running.discard)
                        case Notification(method, params):
                            _note(desk, method, params)
                        case Reply(number, result):
                            self._settle(number, result)
                        case Refusal(number, _, message, _):
                            self._settle(number, HostError(message))
                        case Malformed(reason, code, request_id):
                            _log.warning("the host sent something else: %s", reason)
                            self._streams.send(self._endpoint.refuse(request_id, code, reason))
            finally:
                for task in tuple(running):
                    task.cancel()

    def _settle(self, number: int, result: object) -> None:
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return
        if isinstance(result, HostError):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    async def _grant(self, desk: HostDesk, request: Request) -> None:
        endpoint = self._endpoint
        try:
            answer = endpoint.reply(request.id, await _result(desk, request))
        except HostError as error:
            answer = endpoint.refuse(request.id, NOT_MADE, str(error))
        except Failure as failure:
            answer = endpoint.refuse(
                request.id, OUR_REFUSAL, str(failure), failure.problem.to_json()
            )
        except MessageError as error:
            answer = endpoint.refuse(request.id, INVALID_PARAMS, str(error))
        except _UnknownMethodError as error:
            answer = endpoint.refuse(request.id, METHOD_NOT_FOUND, str(error))
        except Exception as error:
            _log.exception("%s failed", request.method[:40])
            says = problem("internal", detail=type(error).__name__).says
            answer = endpoint.refuse(request.id, INTERNAL_ERROR, says)
        self._streams.send(answer)


async def _result(desk: HostDesk, request: Request) -> dict[str, object]:
    params = request.params
    match request.method:
        case messages.HOST_START:
            return (await desk.start(messages.HostStart.from_params(params))).to_params()
        case messages.SERVICE_USE:
            wanted = messages.UseService.from_params(params)
            await desk.use(wanted)
            return {"service": wanted.service.value}
        case messages.CONTROL:
            return {"taken": await desk.control(messages.ControlCall.from_params(params))}
        case messages.PAGE_ADDRESS:
            return desk.address().to_params()
        case messages.SETTING_CHECK:
            return desk.check(messages.CheckSetting.from_params(params)).to_params()
        case messages.SIGN_IN:
            return {"who": await desk.sign_in()}
        case messages.EXAMINE:
            return (await desk.examine()).to_params()
        case messages.TRANSCRIPT:
            return {"document": desk.transcript()}
        case method:
            raise _UnknownMethodError(f"there is no method {method[:40]!r}")


def _note(desk: HostDesk, method: str, params: Mapping[str, object]) -> None:
    try:
        match method:
            case messages.PAGE_MESSAGE:
                desk.page_message(messages.PageMessage.from_params(params))
            case messages.PAGE_OPENED:
                desk.page_opened(messages.PageOpened.from_params(params))
            case messages.PAGE_CLOSED:
                desk.page_closed(messages.PageClosed.from_params(params))
            case _:
                _log.debug("an unknown notification of the host")
    except MessageError as error:
        _log.warning("a notification of the host failed: %s", error)
    except Exception:
        _log.exception("%s failed", method[:40])


class _UnknownMethodError(Exception):
    pass
