"""How does a call get into a file that a person can attach to an issue?

The recorder sees the requests to the service (`azure.witness`) and hears the feed of the pages; `session.
recording` says what the file holds and what is left out. It keeps a core of its own for each page: told
the page's inputs it asks for the same commands, and so knows every event that the page sent.

The file is made new, only its owner can read it, and each line is written at once: what has happened is in
it whatever happens next.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

from voicepilot import __version__
from voicepilot.backend.azure.witness import Exchange
from voicepilot.backend.feed import Feed
from voicepilot.protocol.json_text import parse_json
from voicepilot.session import Call, Command
from voicepilot.session.commands import Send
from voicepilot.session.feed import Entry, apply, encode
from voicepilot.session.recording import (
    opening,
    readable_body,
    readable_event,
    readable_headers,
    without_secrets,
)

_log = logging.getLogger(__name__)

_SECRET_HEADERS: Final = frozenset({"authorization", "api-key"})
_SHORTEST_SECRET: Final = 8
_MOST_REMEMBERED: Final = 10_000


class RecordingError(Exception):
    """The file cannot be made; the text is a sentence for a person."""


@contextlib.contextmanager
def recorded(path: Path | None, service: str, feed: Feed) -> Iterator[Recorder | None]:
    """Record what goes on in the block, and tell the person what that means; None records nothing.

    Raises RecordingError where the file cannot be made.
    """
    if path is None:
        yield None
        return
    with Recorder(path, service) as recorder:
        leave = feed.listen(recorder)
        print(  # noqa: T201 - what the person at the terminal reads
            f"Calls are recorded in {path}: what is said, what tools return, and every request, "
            "without sound, keys and tokens. Read it before you give it away.\n",
            flush=True,
        )
        try:
            yield recorder
        finally:
            leave()


@dataclass(slots=True)
class _Page:
    """What is known of one page. `call` is its core, None once inputs of it were missed."""

    call: Call | None
    offset: float
    numbers: dict[int, int] = field(default_factory=dict)
    """Attempts of this page: their numbers in the recording."""


class Recorder:
    """Writes one recording. A context manager that owns the file; `Witness` and `feed.Listener`."""

    def __init__(
        self, path: Path, service: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`service` is what is behind the page, in words."""
        self.path = path
        self._service = service
        self._clock = clock
        self._began = 0.0
        self._file: TextIO | None = None
        self._pages: dict[str, _Page] = {}
        self._calls = 0
        self._exchanges = 0
        self._secrets: set[str] = set()
        self._seen: dict[str, None] = {}

    def __enter__(self) -> Recorder:
        """Make the file. Raises RecordingError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            handle = os.open(self.path, flags, 0o600)
        except FileExistsError as error:
            raise RecordingError(
                f"{self.path} exists already. Choose another name, so that no recording is lost."
            ) from error
        except OSError as error:
            raise RecordingError(f"{self.path} cannot be written: {error.strerror}.") from error
        self._file = os.fdopen(handle, "w", encoding="utf-8", buffering=1)
        self._began = self._clock()
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._write(opening(__version__, now, self._service))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    # ---- Witness

    def exchanged(self, exchange: Exchange) -> None:
        """Write down a request and its answer."""
        for name, value in exchange.headers.items():
            if name.lower() in _SECRET_HEADERS:
                self._secrets.add(value.removeprefix("Bearer ").strip())
        self._exchanges += 1
        number = self._exchanges
        self._line(
            exchange.asked_at - self._began,
            "request",
            number=number,
            method=exchange.method,
            path=exchange.path,
            headers=readable_headers(exchange.headers),
            body=readable_body(exchange.body, ours=True),
        )
        at = exchange.answered_at - self._began
        if exchange.status is None:
            self._line(at, "reply", number=number, status=None, trouble=exchange.trouble)
            return
        self._line(
            at,
            "reply",
            number=number,
            status=exchange.status,
            headers=readable_headers(exchange.reply_headers),
            body=readable_body(exchange.reply, ours=False),
        )

    # ---- feed.Listener

    def heard(self, page: str, entry: Entry) -> None:
        """Write down what a page's core was told, and what it sent because of that."""
        known = self._page(page, entry.at)
        at = entry.at + known.offset
        commands = self._replay(known, page, entry)
        attempt = known.call.attempt if known.call is not None else 0
        match entry.args:
            case (int() as attempt, *_) if not isinstance(attempt, bool):
                pass
        number = self._number(known, attempt) if attempt else None
        if entry.name == "receive":
            self._received(at, number, entry.args[1])
        elif entry.name != "tick":
            self._line(at, "input", call=number, name=entry.name, args=encode(entry)["args"])
        for command in commands:
            if isinstance(command, Send):
                number = self._number(known, command.attempt)
                self._line(at, "sent", call=number, event=readable_event(command.event.to_json()))

    def missed(self, page: str) -> None:
        """Inputs are missing: from here on, what that page sends is not known."""
        self._page(page, self._clock()).call = None
        self._line(self._clock() - self._began, "gap")

    # ---- beside the page

    def overheard(self, event: dict[str, Any], call_id: str) -> None:
        """Write down an event of a call that came over its sideband, if no page told of it."""
        name = event.get("event_id")
        if isinstance(name, str) and name in self._seen:
            return
        self._remember(name)
        at = self._clock() - self._began
        self._line(at, "received", call_id=call_id, event=readable_event(event))

    # ---- inside

    def _page(self, name: str, at: float) -> _Page:
        known = self._pages.get(name)
        if known is None:
            # The page's clock has another zero: its first input counts as of now.
            known = self._pages[name] = _Page(Call(), self._clock() - self._began - at)
        return known

    def _number(self, known: _Page, attempt: int) -> int:
        number = known.numbers.get(attempt)
        if number is None:
            self._calls += 1
            number = known.numbers[attempt] = self._calls
        return number

    def _replay(self, known: _Page, page: str, entry: Entry) -> list[Command]:
        if known.call is None:
            return []
        try:
            return apply(known.call, entry)
        except Exception:
            _log.exception("an input of a page could not be replayed")
            self.missed(page)
            return []

    def _received(self, at: float, number: int | None, message: str) -> None:
        try:
            event = parse_json(message)
        except ValueError:
            event = message
        if isinstance(event, dict):
            name = event.get("event_id")
            if isinstance(name, str) and name in self._seen:
                return
            self._remember(name)
        self._line(at, "received", call=number, event=readable_event(event))

    def _remember(self, name: object) -> None:
        if isinstance(name, str):
            self._seen[name] = None
            while len(self._seen) > _MOST_REMEMBERED:
                del self._seen[next(iter(self._seen))]

    def _line(self, at: float, direction: str, **fields: Any) -> None:
        self._write({"at": round(at, 4), "direction": direction, **fields})

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        secrets = [each for each in self._secrets if len(each) >= _SHORTEST_SECRET]
        text = without_secrets(json.dumps(line, ensure_ascii=False), secrets)
        try:
            self._file.write(f"{text}\n")
        except (OSError, ValueError) as error:
            _log.error("The recording ends here: %s", error)
            self._file = None
