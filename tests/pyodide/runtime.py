"""Run Python in the Pyodide that the page is built with, under node."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "webview" / "node_modules" / "pyodide"
SECONDS = 180
"""After this long something hangs, however busy the machine is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyodide:
    """A Pyodide as it is started: which files, and what it sees of this machine."""

    runtime: Path = PACKAGE
    archive: Path | None = None
    """The standard library; that of ``runtime`` if not given."""

    lock: dict[str, Any] | None = None
    mounts: dict[str, Path] = field(default_factory=dict)
    wheels: tuple[Path, ...] = ()

    def run(self, program: Path, given: Any, scratch: Path) -> Any:
        """Run ``program`` with ``given``; return what it prints last. Both are JSON.

        Raises:
            AssertionError: it ended with an error; the text is what it printed.
        """
        job = {
            "runtime": f"{self.runtime}/",
            "archive": str(self.archive) if self.archive else None,
            "lock": self.lock,
            "mounts": {place: str(folder) for place, folder in self.mounts.items()},
            "wheels": [str(wheel) for wheel in self.wheels],
            "program": str(program),
            "given": json.dumps(given),
        }
        file = scratch / "job.json"
        file.write_text(json.dumps(job), "utf-8")
        run = subprocess.run(
            ["node", str(HERE / "run.mjs"), str(file)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
        printed, _, answer = run.stdout.rstrip("\n").rpartition("\n")
        print(printed)
        return json.loads(answer)
