"""What may the assistant look at? The visible files of one folder, and nothing outside it.

Two harmless tools for the demo. Both only read; `Toolbox.run` answers every call, right or wrong,
with text for the model, because a model can mend a wrong path when it is told in a sentence.

- `list_files` names what is in the folder or in one below it.
- `read_file` gives a text file's beginning. Spoken names are rarely exact, so "readme" and
  "package dot json" find `README.md` and `package.json` where only one file fits, and the answer
  says which file it is.

Hidden files stay hidden (`.env`, `.git` hold secrets), so do installed dependencies. A path is judged
after its symbolic links are followed.
"""

from __future__ import annotations

import asyncio
import codecs
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from voicepilot.protocol.json_text import parse_json
from voicepilot.protocol.session_config import FunctionTool

LONGEST_LIST: Final = 100
"""Most names in one answer of `list_files`."""
LONGEST_TEXT: Final = 12_000
"""Most bytes of a file in one answer: about 3,000 tokens, a tenth of the model's context."""
_MOST_SEARCHED: Final = 20_000
_LEFT_OUT: Final = frozenset({"node_modules", "__pycache__", "venv"})  # `.venv` is hidden anyway
_SPOKEN: Final = ((r"\bdot\b", "."), (r"\b(?:slash|forward slash)\b", "/"))

SPECS: Final = (
    FunctionTool(
        name="list_files",
        description="List the files in the folder that VoicePilot was started in.",
        parameters={
            "type": "object",
            "properties": {
                "folder": {
                    "type": "string",
                    "description": "A folder below it; left out, the folder itself.",
                }
            },
            "additionalProperties": False,
        },
    ),
    FunctionTool(
        name="read_file",
        description="Read a text file in the folder that VoicePilot was started in.",
        parameters={
            "type": "object",
            "properties": {
                "path": {
                    "type": "string",
                    "description": "The file's path or name; it need not be exact.",
                }
            },
            "required": ["path"],
            "additionalProperties": False,
        },
    ),
)


class _ToolError(Exception):
    """The call cannot be granted; the text is the sentence for the model."""


class Toolbox:
    """The tools over one folder."""

    def __init__(self, folder: Path) -> None:
        self._root = folder.resolve()
        self._tools: dict[str, Callable[[dict[str, Any]], str]] = {
            "list_files": self._list_files,
            "read_file": self._read_file,
        }

    async def run(self, name: str, arguments: str) -> str:
        """The output of the tool `name` for the JSON text `arguments`. Never raises for a wrong call."""
        tool = self._tools.get(name)
        if tool is None:
            return f"There is no tool named {name[:60]!r}."
        try:
            return await asyncio.to_thread(tool, _arguments(arguments))
        except _ToolError as error:
            return str(error)
        except OSError as error:
            return f"The file system refused: {error.strerror or type(error).__name__}."

    def _list_files(self, arguments: dict[str, Any]) -> str:
        asked = _text(arguments, "folder", "")
        folder = self._root if asked.strip() in ("", "/") else self._inside(asked)
        if not folder.is_dir():
            raise _ToolError(f"There is no folder named {asked!r} here.")
        folders: list[str] = []
        files: list[str] = []
        for entry in sorted(self._visible(folder), key=lambda path: path.name.casefold()):
            (folders if entry.is_dir() else files).append(entry.name)
        where = f"in {self._name(folder)}" if folder != self._root else f"in {self._root.name}"
        return f"{_listed('file', files, where)} {_listed('folder', folders, where)}"

    def _read_file(self, arguments: dict[str, Any]) -> str:
        asked = _text(arguments, "path")
        if not asked.strip():
            raise _ToolError("Say which file to read.")
        file = self._find(asked)
        with file.open("rb") as content:
            start = content.read(LONGEST_TEXT + 1)
        size = file.stat().st_size
        if b"\0" in start:
            raise _ToolError(f"{self._name(file)} is not a text file.")
        try:
            # final=False: the limit may cut a character in two.
            text = codecs.getincrementaldecoder("utf-8")().decode(start[:LONGEST_TEXT])
        except UnicodeDecodeError as error:
            raise _ToolError(f"{self._name(file)} is not a text file.") from error
        cut = f", its first {LONGEST_TEXT} bytes of {size}" if len(start) > LONGEST_TEXT else ""
        return f"{self._name(file)}{cut}:\n{text}"

    def _find(self, asked: str) -> Path:
        """The one readable file that `asked` means. Raises _ToolError."""
        exact = self._inside(asked)
        if exact.is_file():
            return exact
        if exact.is_dir() and exact != self._root:
            raise _ToolError(f"{self._name(exact)} is a folder; list_files names what is in it.")
        fits = self._closest(asked)
        if not fits:
            raise _ToolError(
                f"There is no file named {asked!r} here; list_files names what there is."
            )
        if len(fits) > 1:
            names = ", ".join(self._name(file) for file in fits[:8])
            raise _ToolError(f"{asked!r} could be any of these: {names}. Say which.")
        return fits[0]

    def _closest(self, asked: str) -> list[Path]:
        """The files that fit a spoken name best: by path, then by name; the ending may be missing.

        A file of the folder itself comes before one deeper down.
        """
        wanted = _plain(asked)
        if not wanted:
            return []
        files = list(self._walk())
        for spelling in (self._name, self._name_without_ending, _file_name, _file_stem):
            fits = [file for file in files if _plain(spelling(file)) == wanted]
            here = [file for file in fits if file.parent == self._root]
            if fits:
                return here or sorted(fits)
        return []

    def _inside(self, asked: str) -> Path:
        """The place that `asked` names, links followed. Raises _ToolError outside the folder."""
        try:
            place = (self._root / asked).resolve()
        except (ValueError, OSError, RuntimeError) as error:  # a NUL, too long, a ring of links
            raise _ToolError(f"{asked[:60]!r} is not a path.") from error
        if not place.is_relative_to(self._root):
            raise _ToolError(f"{asked!r} is outside the folder that VoicePilot was started in.")
        if any(not _is_visible(part) for part in place.relative_to(self._root).parts):
            raise _ToolError(f"{asked!r} is hidden; hidden files are not shown.")
        return place

    def _visible(self, folder: Path) -> Iterator[Path]:
        """The files and folders in `folder` that may be named."""
        for entry in folder.iterdir():
            if not _is_visible(entry.name):
                continue
            if entry.is_symlink():
                try:
                    self._inside(str(entry))
                except _ToolError:
                    continue
            if entry.is_file() or entry.is_dir():
                yield entry

    def _walk(self) -> Iterator[Path]:
        """Every visible file, nearest the root first; links to folders are not followed."""
        seen = 0
        folders = [self._root]
        for folder in folders:
            try:
                entries = list(self._visible(folder))
            except OSError:
                continue  # a folder we may not open hides nothing else
            for entry in entries:
                seen += 1
                if seen > _MOST_SEARCHED:
                    return
                if entry.is_file():
                    yield entry.resolve()
                elif not entry.is_symlink():
                    folders.append(entry)

    def _name(self, place: Path) -> str:
        return place.relative_to(self._root).as_posix()

    def _name_without_ending(self, file: Path) -> str:
        return self._name(file.with_suffix(""))


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments = parse_json(text) if text.strip() else {}
    except ValueError as error:
        raise _ToolError("The arguments are not JSON.") from error
    if not isinstance(arguments, dict):
        raise _ToolError("The arguments are not a JSON object.")
    return arguments


def _text(arguments: dict[str, Any], name: str, default: str | None = None) -> str:
    value = arguments.get(name, default)
    if not isinstance(value, str):
        raise _ToolError(f"The argument {name!r} must be text.")
    # Lone surrogates from JSON cannot be part of a path.
    return value.encode("utf-8", "replace").decode()


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name not in _LEFT_OUT


def _listed(kind: str, names: list[str], where: str) -> str:
    if not names:
        return f"There are no {kind}s {where}."
    count = f"1 {kind}" if len(names) == 1 else f"{len(names)} {kind}s"
    shown = ", ".join(names[:LONGEST_LIST])
    more = f", and {len(names) - LONGEST_LIST} more" if len(names) > LONGEST_LIST else ""
    return f"{count} {where}: {shown}{more}."


def _plain(spoken: str) -> str:
    """A name as it sounds: "read me dot md", "README.md" and "Readme MD" are one."""
    name = spoken.casefold()
    for pattern, sign in _SPOKEN:
        name = re.sub(pattern, sign, name)
    return re.sub(r"[^\w]|_", "", name.removeprefix("the ").removesuffix(" file"))


def _file_name(file: Path) -> str:
    return file.name


def _file_stem(file: Path) -> str:
    return file.stem
