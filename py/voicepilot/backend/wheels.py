"""Which wheels may the debugging page install? Those that lie in one folder, looked at anew each time.

A developer drops a wheel in while the demo runs; so nothing is kept in memory. A name is a name in
that folder and never a path, and a link that leads out of the folder is as good as not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Binary distribution format, "File name convention": https://packaging.python.org/en/latest/specifications/
_WHEEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!]*(?:-[A-Za-z0-9._+!]+){3,5}\.whl")


@dataclass(frozen=True, slots=True)
class WheelFolder:
    """The folder given by `--wheels`."""

    folder: Path

    def names(self) -> tuple[str, ...]:
        """The wheels in it, in order; none where the folder cannot be read."""
        try:
            return tuple(sorted(path.name for path in self.folder.iterdir() if self._holds(path)))
        except OSError:
            return ()

    def read(self, name: str) -> bytes | None:
        """The wheel `name`; None where there is none."""
        path = self.folder / name
        try:
            return path.read_bytes() if self._holds(path) else None
        except OSError:
            return None

    def _holds(self, path: Path) -> bool:
        if not _WHEEL.fullmatch(path.name) or path.parent != self.folder:
            return False
        return path.is_file() and path.resolve().parent == self.folder.resolve()
