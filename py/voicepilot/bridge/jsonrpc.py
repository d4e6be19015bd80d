"""How do two ends of the bridge put requests, answers and refusals into text frames?

JSON-RPC 2.0 (https://www.jsonrpc.org/specification) without input or output: an `Endpoint` turns
calls into text to send and received text into one `Incoming`. Both ends of the bridge use it, on
CPython and in Pyodide, and no other module of the bridge parses or writes JSON.

    page, backend = Endpoint(), Endpoint()
    request_id, text = page.request("hello", {"build": "b1"})
    match backend.receive(text):
        case Request(id, "hello", params):
            answer = backend.reply(id, {"service": "Azure"})
    assert page.receive(answer) == Reply(request_id, {"service": "Azure"})

Two deliberate limits: parameters go by name (an object, never an array), and there are no batches.
Nothing that arrives makes `receive` raise; what cannot be understood is `Malformed`, with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from voicepilot.protocol.json_text import parse_json

MAX_TEXT: Final = 1 << 20
"""Longest frame in characters, either way. An SDP is a few thousand, a tool's output is capped."""

# Error codes the specification reserves; OUR_REFUSAL is from the range it leaves to servers.
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
OUR_REFUSAL: Final = -32000

RequestId: TypeAlias = int | str


@dataclass(frozen=True, slots=True)
class Request:
    """The other end asks, and waits for `reply` or `refuse` with this id."""

    id: RequestId
    method: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Notification:
    """The other end tells; it expects no answer."""

    method: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of our own request `id`."""

    id: int
    result: object


@dataclass(frozen=True, slots=True)
class Refusal:
    """Our own request `id` was not granted; `data` is a Problem as JSON, where there is one."""

    id: int
    code: int
    message: str
    data: object


@dataclass(frozen=True, slots=True)
class Malformed:
    """Text that is no message, or an answer to nothing we asked.

    `code` is the specification's error code for it. `id` names the request to refuse, where the
    text was a request that can still be answered; otherwise None.
    """

    reason: str
    code: int = INVALID_REQUEST
    id: RequestId | None = None


Incoming: TypeAlias = Request | Notification | Reply | Refusal | Malformed


class Endpoint:
    """One end of a bridge connection: numbers its own requests, recognises their answers.

    It lives as long as its connection. A request that the caller gives up on is forgotten with
    `forget`; its late answer is then `Malformed`, like any other answer to nothing.
    """

    __slots__ = ("_awaited", "_last_id")

    def __init__(self) -> None:
        self._last_id = 0
        self._awaited: set[int] = set()

    @property
    def awaited(self) -> frozenset[int]:
        """The ids of our requests that have no answer yet."""
        return frozenset(self._awaited)

    def request(self, method: str, params: Mapping[str, object]) -> tuple[int, str]:
        """A request's id and the text to send.

        Raises ValueError where the parameters are no JSON or exceed MAX_TEXT; no id is used then.
        """
        request_id = self._last_id + 1
        text = _write({"id": request_id, "method": method, "params": dict(params)})
        self._last_id = request_id
        self._awaited.add(request_id)
        return request_id, text

    def notify(self, method: str, params: Mapping[str, object]) -> str:
        """The text of a message that wants no answer. Raises ValueError as `request` does."""
        return _write({"method": method, "params": dict(params)})

    def reply(self, request_id: RequestId, result: object) -> str:
        """The text that grants the other end's request. Raises ValueError as `request` does."""
        return _write({"id": request_id, "result": result})

    def refuse(
        self, request_id: RequestId | None, code: int, message: str, data: object = None
    ) -> str:
        """The text that refuses a request; id None where the request's id could not be read."""
        error: dict[str, object] = {"code": code, "message": message}
        if data is not None:
            error["data"] = data
        return _write({"id": request_id, "error": error})

    def forget(self, request_id: int) -> None:
        """Stop waiting for an answer (given up, timed out)."""
        self._awaited.discard(request_id)

    def receive(self, text: str) -> Incoming:
        """What a received text frame means. Never raises."""
        if len(text) > MAX_TEXT:
            return Malformed(f"a frame of {len(text)} characters; the limit is {MAX_TEXT}")
        try:
            message = parse_json(text, _no_constant)
        except ValueError:
            return Malformed("not JSON", PARSE_ERROR)
        if not isinstance(message, dict):
            return Malformed("not a JSON object (batches are not used here)")
        if message.get("jsonrpc") != "2.0":
            return Malformed('without "jsonrpc": "2.0"', id=_request_id(message))
        if "method" in message:
            return _asked(message)
        return self._answered(message)

    def _answered(self, message: dict[str, object]) -> Incoming:
        answered_id = message.get("id")
        if type(answered_id) is not int or answered_id not in self._awaited:
            return Malformed("an answer to no request of ours")
        if ("result" in message) == ("error" in message):
            return Malformed("an answer needs either a result or an error")
        if "result" in message:
            self._awaited.remove(answered_id)
            return Reply(answered_id, message["result"])
        error = message["error"]
        if not isinstance(error, dict):
            return Malformed("an error that is no object")
        code, says = error.get("code"), error.get("message")
        if type(code) is not int or not isinstance(says, str):
            return Malformed("an error without code and message")
        self._awaited.remove(answered_id)
        return Refusal(answered_id, code, says, error.get("data"))


def _asked(message: dict[str, object]) -> Request | Notification | Malformed:
    request_id = _request_id(message)
    method = message["method"]
    if not isinstance(method, str):
        return Malformed("a method that is no text", id=request_id)
    params = message.get("params", {})
    if not isinstance(params, dict):
        return Malformed("params that are no object", INVALID_PARAMS, request_id)
    if "id" not in message:
        return Notification(method, params)
    if request_id is None:
        return Malformed("an id that is neither a whole number nor text")
    return Request(request_id, method, params)


def _request_id(message: Mapping[str, object]) -> RequestId | None:
    value = message.get("id")
    # bool is an int to Python, not to JSON.
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _write(message: dict[str, object]) -> str:
    try:
        text = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if len(text) > MAX_TEXT:
        raise ValueError(f"a frame of {len(text)} characters; the limit is {MAX_TEXT}")
    return text


def _no_constant(name: str) -> NoReturn:
    # json.loads would take NaN and Infinity, which are no JSON and break the other end.
    raise ValueError(name)
