"""Which files make up the built page, and under which policy may they run?

The build writes `manifest.json` beside the files; this module reads it once, keeps every listed
file in memory and knows no other. So a server of a `Page` has no path to escape from: what is not
in the table does not exist, and a rebuild cannot mix two builds under a running server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

INDEX: Final = "index.html"
ORIGIN_MARK: Final = "{origin}"
"""Stands in the built policy where the server's own origin goes; the build cannot know the port."""

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?")
_REACHED: Final = re.compile(r"\bconnect-src [^;]+")


class PageError(Exception):
    """The page cannot be served; the text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent: its bytes and its Content-Type."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the page: its file, and the policy under which it runs."""

    file: PageFile
    policy: str

    def policy_for(self, origin: str, services: Sequence[str] = ()) -> str:
        """The Content-Security-Policy for it when served from `origin` (`http://HOST`).

        `services` are the origins that it may reach beside that: with direct signalling, those of
        the service. Raises ValueError where one of them is no origin.
        """
        # The build writes a WebSocket's source as "ws" before the mark: ws{origin}/bridge.
        sockets = f"ws{origin.removeprefix('http')}"
        policy = self.policy.replace(f"ws{ORIGIN_MARK}", sockets).replace(ORIGIN_MARK, origin)
        for service in services:
            if not _ORIGIN.fullmatch(service):
                raise ValueError(f"{service} is no origin")
            policy = _REACHED.sub(f"\\g<0> {service}", policy)
        return policy


@dataclass(frozen=True, slots=True)
class Page:
    """A built page in memory; `files` by the path below the page's root, `index.html` among them.

    `others` are documents beside `index.html`, by the paths at which they are served (`/debug`).
    """

    build: str
    policy: str
    files: Mapping[str, PageFile]
    others: Mapping[str, Document] = field(default_factory=dict)

    @property
    def documents(self) -> dict[str, Document]:
        """Every document by the path at which it is served."""
        return {"/": Document(self.files[INDEX], self.policy), **self.others}


def load_page(folder: Path) -> Page:
    """Read the page that the build wrote into `folder`. Raises PageError."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise PageError(
            f"The call page is not built (no manifest.json in {folder}). "
            "Run `python3 build.py build`, then start again."
        ) from error
    except ValueError as error:
        raise _broken(folder, "manifest.json is not JSON") from error
    build, policy, listed = _manifest_parts(folder, manifest)
    root = folder.resolve()
    # The manifest writes paths as the browser asks for them, from the root: /assets/page.HASH.css.
    listed = {path.removeprefix("/"): entry for path, entry in listed.items()}
    files = {path: _load(root, path, entry) for path, entry in listed.items()}
    if INDEX not in files:
        raise _broken(folder, f"{INDEX} is not listed")
    others = {
        path: _document(folder, path, entry, files)
        for path, entry in manifest.get("documents", {}).items()
    }
    return Page(build, policy, files, others)


def _manifest_parts(folder: Path, manifest: object) -> tuple[str, str, dict[str, Any]]:
    if not isinstance(manifest, dict):
        raise _broken(folder, "manifest.json is not an object")
    build, policy, files = (manifest.get(name) for name in ("build", "policy", "files"))
    if not (isinstance(build, str) and build):
        raise _broken(folder, "manifest.json names no build")
    if not (isinstance(policy, str) and policy):
        raise _broken(folder, "manifest.json has no policy")
    if not isinstance(files, dict):
        raise _broken(folder, "manifest.json lists no files")
    if not isinstance(manifest.get("documents", {}), dict):
        raise _broken(folder, "manifest.json's documents are no object")
    return build, policy, files


def _document(folder: Path, path: str, entry: object, files: Mapping[str, PageFile]) -> Document:
    file, policy = (
        (entry.get("file"), entry.get("policy")) if isinstance(entry, dict) else (None, None)
    )
    if not (isinstance(policy, str) and policy):
        raise _broken(folder, f"the document {path} has no policy")
    if not isinstance(file, str) or file.removeprefix("/") not in files:
        raise _broken(folder, f"the document {path} has no file")
    return Document(files[file.removeprefix("/")], policy)


def _load(root: Path, path: str, entry: object) -> PageFile:
    content_type = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(content_type, str):
        raise _broken(root, f"{path} has no type")
    if PurePosixPath(path).is_absolute() or "\\" in path or ".." in PurePosixPath(path).parts:
        raise _broken(root, f"{path} is no path inside it")
    try:
        place = (root / path).resolve(strict=True)
        if not place.is_relative_to(root):
            raise _broken(root, f"{path} leads outside it")
        return PageFile(place.read_bytes(), content_type)
    except OSError as error:
        raise _broken(root, f"{path} cannot be read") from error


def _broken(folder: Path, reason: str) -> PageError:
    return PageError(
        f"The call page in {folder} is damaged ({reason}). "
        "Run `python3 build.py build`, then start again."
    )
