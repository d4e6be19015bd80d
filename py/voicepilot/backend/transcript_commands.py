"""What do `voicepilot transcripts list | show | export | delete` do?

Transcripts are found by the id that `list` shows, or by its beginning where only one begins so. What a
person types is compared with those ids and never becomes a path.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from voicepilot.backend.transcripts import Kept, kept
from voicepilot.session.transcript import (
    Transcript,
    as_json,
    markdown,
    plain_lines,
    plain_title,
    webvtt,
)

_FORMS: Final[dict[str, Callable[[Transcript], str]]] = {
    "markdown": markdown,
    "json": as_json,
    "webvtt": webvtt,
}


class TranscriptError(Exception):
    """It cannot be done; the text is a sentence for a person."""


def show_all(folder: Path) -> None:
    """List the transcripts, the newest first. Raises TranscriptError."""
    found = _kept(folder)
    if not found:
        _say(f"No transcripts are kept in {folder}.")
    for each in found:
        _say(f"{each.id}  {_when(each.transcript)}  {plain_title(each.transcript)}")


def show(folder: Path, name: str) -> None:
    """Print one to be read. Raises TranscriptError."""
    found = _one(folder, name)
    _say(f"{_when(found.transcript).rstrip()}\n")
    for line in plain_lines(found.transcript):
        _say(line)
    if found.transcript.ended is None:
        _say("\nThe end of this call is not in it: the call goes on, or VoicePilot ended first.")


def export(folder: Path, name: str, form: str, *files: str) -> None:
    """Write one as a document into a new file, or to standard output. Raises TranscriptError."""
    if form not in _FORMS:
        raise TranscriptError(f"There is no form {form!r}. Choose {', '.join(_FORMS)}.")
    if len(files) > 1:
        raise TranscriptError(f"A transcript goes into one file, not into {len(files)}.")
    document = _FORMS[form](_one(folder, name).transcript)
    if not files:
        sys.stdout.write(document)
        return
    file = Path(files[0])
    try:
        with file.open("x", encoding="utf-8", errors="replace", newline="\n") as new:
            new.write(document)
    except FileExistsError:
        raise TranscriptError(f"{file} exists already. Choose another name.") from None
    except OSError as error:
        raise TranscriptError(f"{file} cannot be written: {error.strerror}.") from error


def delete(folder: Path, name: str | None) -> None:
    """Delete one, or all for None. Raises TranscriptError."""
    found = _kept(folder) if name is None else [_one(folder, name)]
    for each in found:
        try:
            each.path.unlink(missing_ok=True)
        except OSError as error:
            raise TranscriptError(f"{each.path} cannot be deleted: {error.strerror}.") from error
    match len(found):
        case 0:
            _say("There was no transcript to delete.")
        case 1:
            _say(f"The transcript {found[0].id} is deleted.")
        case many:
            _say(f"{many} transcripts are deleted.")


def _one(folder: Path, name: str) -> Kept:
    found = _kept(folder)
    those = [each for each in found if each.id == name] or [
        each for each in found if name and each.id.startswith(name)
    ]
    if len(those) == 1:
        return those[0]
    if those:
        raise TranscriptError(f"{len(those)} transcripts begin with {name}. Give more of the id.")
    raise TranscriptError(
        f"There is no transcript {name!r}. `voicepilot transcripts list` shows all that are kept."
    )


def _kept(folder: Path) -> list[Kept]:
    try:
        return kept(folder)
    except OSError as error:
        raise TranscriptError(f"{folder} cannot be read: {error.strerror}.") from error


def _when(transcript: Transcript) -> str:
    began = datetime.fromtimestamp(transcript.began).astimezone().strftime("%Y-%m-%d %H:%M")
    if transcript.ended is None:
        return f"{began}        "
    minutes, seconds = divmod(round(transcript.ended - transcript.began), 60)
    return f"{began}  {minutes:>3}:{seconds:02}"


def _say(sentence: str) -> None:
    print(sentence)  # noqa: T201 - what the person at the terminal reads
