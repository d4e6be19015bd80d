"""How does the embedded realtime service run beside the page server, and how does it surely end?

As a child process (`voicepilot emulator --port 0`), so that its audio work never holds up the page
server. Its key is random and goes to it in the environment, where other users cannot read it as
they could an argument. It ends when its standard input closes: then it ends with us however we end,
even when we are killed. What it logs goes to a file, which is kept only where it helps: when the
service stopped by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voicepilot.backend.azure.calls import Target
from voicepilot.backend.azure.credential import Credential, FixedCredentials
from voicepilot.backend.failure import Failure

KEY_VARIABLE: Final = "VOICEPILOT_EMULATOR_API_KEY"
_LISTENING: Final = re.compile(rb"listening (http://127\.0\.0\.1:\d+)\s*")
_START_S: Final = 30.0
_PATIENCE_S: Final = 3.0
_NEW_GROUP: Final[int] = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows


class EmbeddedService:
    """The service's process, from `start` to `stop`.

    `await ready()` gives its address as soon as it listens. `await stopped_by_itself()` ends only
    when it stopped though nobody asked; then `last_words` may tell why.
    """

    def __init__(
        self,
        command: tuple[str, ...] | None = None,
        patience_s: float = _PATIENCE_S,
        python: str = sys.executable,
    ) -> None:
        """Take another command to run, or another patience at each step of `stop`, in seconds.

        `python` is the interpreter that has what the service needs.
        """
        # -P: a folder with a random.py in it must not lend us its modules (the default for -m).
        self._command = command or (
            *(python, "-P", "-m", "voicepilot.cli"),
            *("emulator", "--port", "0", "--end-with-stdin"),
        )
        self._key = secrets.token_urlsafe(32)
        self._credentials = FixedCredentials(Credential.api_key(self._key))
        self._patience_s = patience_s
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._address: asyncio.Future[str] | None = None
        self._log: Path | None = None
        self._stopping = False

    @property
    def log(self) -> Path | None:
        """Where the service logs; the file stays after `stop` if the service stopped by itself."""
        return self._log

    async def start(self) -> None:
        """Start the process; it is not ready yet. Raises OSError where it cannot start."""
        handle, name = tempfile.mkstemp(prefix="voicepilot-service-", suffix=".log")
        self._log = Path(name)
        self._address = asyncio.get_running_loop().create_future()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=handle,
                env=_environment(self._key, os.environ),
                # Ctrl-C in the terminal is for us; we end the service in our own order.
                start_new_session=True,
                creationflags=_NEW_GROUP,
            )
        finally:
            os.close(handle)
        self._reading = asyncio.create_task(self._read(self._process, self._address))

    async def ready(self) -> Target:
        """Where the service is and what lets us in, once it listens. Raises Failure."""
        if self._address is None:
            raise Failure("service-unreachable")
        try:
            async with asyncio.timeout(_START_S):
                base = await asyncio.shield(self._address)
        except (TimeoutError, ChildProcessError) as error:
            raise Failure("service-unreachable") from error
        if self._process is None or self._process.returncode is not None:
            raise Failure("service-unreachable")
        return Target(base, self._credentials, dialect="auto")

    async def stopped_by_itself(self) -> None:
        """Wait until the process ends though it should not; for ever if it never does."""
        if self._process is not None:
            await self._process.wait()
            if not self._stopping:
                return
        await asyncio.Event().wait()

    def last_words(self) -> str:
        """The last line the service logged, "" where there is none."""
        if self._log is None:
            return ""
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    async def stop(self) -> None:
        """End the process: ask, then tell, then kill. Also right when it never started."""
        self._stopping = True
        process = self._process
        failed = process is None or process.returncode is not None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            for insist in (None, process.terminate, process.kill):
                if insist is not None:
                    with contextlib.suppress(ProcessLookupError):
                        insist()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._patience_s):
                        await process.wait()
                        break
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._address is not None:
            self._address.cancel()
        if self._log is not None and not failed:
            self._log.unlink(missing_ok=True)

    @staticmethod
    async def _read(process: asyncio.subprocess.Process, address: asyncio.Future[str]) -> None:
        """Find the address in what the process prints, and keep its pipe empty ever after."""
        if process.stdout is None:
            raise RuntimeError("the service has no output to read")
        async for line in process.stdout:
            found = _LISTENING.fullmatch(line)
            if found and not address.done():
                address.set_result(found[1].decode())
        if not address.done():
            address.set_exception(ChildProcessError("it ended before it listened"))
            address.exception()  # taken note of: `ready` may never be called


def _environment(key: str, ours: Mapping[str, str]) -> dict[str, str]:
    """Our environment with the key, and with the place that we were imported from."""
    source = str(Path(__file__).parents[2])
    path = [source, *filter(None, ours.get("PYTHONPATH", "").split(os.pathsep))]
    return {**ours, KEY_VARIABLE: key, "PYTHONPATH": os.pathsep.join(path)}
