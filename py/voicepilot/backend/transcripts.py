"""Where are transcripts kept, and how do they get there while a call goes on?

One file a call in the user's data folder, which only they can read. A thread of its own writes and waits
for the disk (fsync), so that no call ever does; what has come to its end is on the disk a moment later,
whatever happens to the backend then. Nothing of it goes into a log.

A file is named after the time and the call. A backend that takes over a running call from one that was
killed finds its file by that, and goes on in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final

import platformdirs

from voicepilot.backend.feed import Feed
from voicepilot.session import transcript_lines
from voicepilot.session.feed import Entry
from voicepilot.session.scribe import Line, Scribe
from voicepilot.session.transcript import Transcript

_log = logging.getLogger(__name__)

_ENDING: Final = ".jsonl"
_MOST_PAGES: Final = 4
"""Pages followed at once; the one silent for longest is forgotten first."""


def transcripts_folder() -> Path:
    """Where this user's transcripts are."""
    return platformdirs.user_data_path("voicepilot", appauthor=False) / "transcripts"


@contextlib.contextmanager
def transcripts_kept(
    feed: Feed, folder: Path, wanted: Callable[[], bool] = lambda: True
) -> Iterator[None]:
    """Keep the transcripts of the feed's calls during the block, of each that is `wanted` as it begins."""
    with Transcripts(folder, wanted) as transcripts:
        leave = feed.listen(transcripts)
        try:
            yield
        finally:
            leave()


class Transcripts:
    """Writes transcripts. A context manager that owns the writing thread; a `feed.Listener`.

    `wanted` is asked once for each call, `clock` gives Unix seconds.
    """

    def __init__(
        self,
        folder: Path,
        wanted: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._wanted = wanted
        self._clock = clock
        self._chosen: dict[tuple[str, int], bool] = {}
        self._scribes: dict[str, Scribe] = {}
        self._files = _Files(folder)
        self._writing = ThreadPoolExecutor(1, "transcripts")

    def __enter__(self) -> Transcripts:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writing.shutdown()

    # ---- feed.Listener

    def heard(self, page: str, entry: Entry) -> None:
        """The core of `page` was told this."""
        found = self._scribe(page).hear(entry, self._clock())
        if found and self._is_wanted((page, found[0].number)):
            self._writing.submit(self._files.write, page, found)

    def missed(self, page: str) -> None:
        """Inputs of `page` are missing before the next one."""
        self._scribe(page).missed()

    def _is_wanted(self, call: tuple[str, int]) -> bool:
        if call not in self._chosen:
            self._chosen[call] = self._wanted()
        return self._chosen[call]

    def _scribe(self, page: str) -> Scribe:
        scribe = self._scribes.pop(page, None) or Scribe()
        self._scribes[page] = scribe
        while len(self._scribes) > _MOST_PAGES:
            del self._scribes[next(iter(self._scribes))]
        return scribe


class _Files:
    """The files, as the writing thread sees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path | None] = {}  # None: nothing more is written there

    def write(self, page: str, found: Sequence[Line]) -> None:
        """Add lines of one call to its file, and wait until they are on the disk. Never raises."""
        first = found[0]
        call = hashlib.sha256(f"{page} {first.number}".encode()).hexdigest()[:8]
        path = None
        try:
            if call not in self._paths:
                self._paths[call] = self._find(call, first) or self._make(call, first.began)
            path = self._paths[call]
            if path is not None:
                _add(path, "".join(f"{line.text}\n" for line in found))
        except FileNotFoundError:
            self._paths[call] = None  # the person has deleted it
        except OSError as error:
            # What is there can be read; a line after half a line would be lost with it.
            self._paths[call] = None
            _log.error("The transcript of this call ends here: %s", error.strerror)

    def _find(self, call: str, first: Line) -> Path | None:
        """The file in which another backend has begun this call."""
        for path in self._folder.glob(f"*-{call}{_ENDING}"):
            # What it did not finish shall be a line of its own. Who has heard the whole call counts as
            # it did, though the call seems to begin only now, and says the same again.
            _add(path, "\n" if first.whole else f"\n{transcript_lines.opening(first.began)}\n")
            return path
        return None

    def _make(self, call: str, began: float) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        time_of_day = datetime.fromtimestamp(began).astimezone().strftime("%Y%m%d-%H%M%S")
        path = self._folder / f"{time_of_day}-{call}{_ENDING}"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _add(path, f"{transcript_lines.opening(began)}\n")
        return path


def _add(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        # Half of a pair of surrogates, which UTF-8 cannot say, is written as JSON can say it.
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Kept:
    """A transcript that is kept, by the id under which a person finds it."""

    id: str
    path: Path
    transcript: Transcript


def kept(folder: Path) -> list[Kept]:
    """All transcripts in the folder, the newest first. Raises OSError where it cannot be read."""
    found = []
    for path in folder.glob(f"*{_ENDING}"):
        with path.open("rb") as file:
            transcript = transcript_lines.read(file)
        if transcript is not None:
            found.append(Kept(path.name.removesuffix(_ENDING), path, transcript))
    return sorted(found, key=lambda each: (each.transcript.began, each.id), reverse=True)
