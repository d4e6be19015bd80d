"""The embedded service's process: ready, told apart from dead, and ended however we end.

The processes are real; what runs in them is a few lines that behave as a service well or badly.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from voicepilot.backend.embedded import KEY_VARIABLE, EmbeddedService
from voicepilot.backend.failure import Failure

GOOD = "print('listening http://127.0.0.1:4321', flush=True); import sys; sys.stdin.read()"
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('listening http://127.0.0.1:4321', flush=True); time.sleep(60)"
)
BROKEN = "import sys; print('hello'); print('no models here', file=sys.stderr); sys.exit(3)"
KEY_TELLER = (
    f"import os, sys; print(sys.argv, os.environ[{KEY_VARIABLE!r}], file=sys.stderr, flush=True);"
    + GOOD
)


def service(program, **options):
    return EmbeddedService((sys.executable, "-c", program), **options)


async def test_it_is_ready_when_it_says_that_it_listens_and_leaves_no_log():
    embedded = service(GOOD)
    await embedded.start()
    try:
        async with asyncio.timeout(10):
            ready = await embedded.ready()
        assert ready.base == "http://127.0.0.1:4321"
        assert (await ready.credentials.credential()).header == "api-key"
    finally:
        await embedded.stop()
    assert embedded._process.returncode == 0  # it ended by itself when its input closed
    assert not embedded.log.exists()


async def test_the_key_goes_by_the_environment_and_not_by_an_argument():
    embedded = service(KEY_TELLER)
    await embedded.start()
    try:
        async with asyncio.timeout(10):
            key = (await (await embedded.ready()).credentials.credential()).value
        arguments, told = embedded.last_words().rsplit(" ", 1)
        assert told == key
        assert key not in arguments
        assert len(key) >= 43  # 32 random bytes
    finally:
        await embedded.stop()


async def test_a_service_that_does_not_listen_to_anything_is_killed():
    embedded = service(DEAF, patience_s=0.2)
    await embedded.start()
    async with asyncio.timeout(10):
        await embedded.ready()
        await embedded.stop()
    assert embedded._process.returncode == -signal.SIGKILL


async def test_one_that_dies_is_noticed_and_its_last_words_are_kept():
    embedded = service(BROKEN)
    await embedded.start()
    async with asyncio.timeout(10):
        await embedded.stopped_by_itself()
        with pytest.raises(Failure) as failed:
            await embedded.ready()
    assert failed.value.problem.code == "service-unreachable"
    assert embedded.last_words() == "no models here"
    await embedded.stop()
    assert embedded.log.exists()
    embedded.log.unlink()


async def test_being_stopped_is_not_stopping_by_itself():
    embedded = service(GOOD)
    await embedded.start()
    watching = asyncio.create_task(embedded.stopped_by_itself())
    async with asyncio.timeout(10):
        await embedded.ready()
        await embedded.stop()
    assert not watching.done()
    watching.cancel()


async def test_one_that_never_started_is_not_ready_and_stops_at_once():
    embedded = service(GOOD)
    with pytest.raises(Failure):
        await embedded.ready()
    await embedded.stop()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches another's process: Linux")
async def test_it_ends_when_we_are_killed():
    parent = (
        "import asyncio, sys\n"
        "from voicepilot.backend.embedded import EmbeddedService\n"
        "async def main():\n"
        f"    embedded = EmbeddedService((sys.executable, '-c', {GOOD!r}))\n"
        "    await embedded.start()\n"
        "    await embedded.ready()\n"
        "    print(embedded._process.pid, embedded.log, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        parent,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    async with asyncio.timeout(20):
        pid, log = (await process.stdout.readline()).decode().split()
        watch = os.pidfd_open(int(pid))
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(watch, ended.set)
        process.kill()
        await process.wait()
        await ended.wait()
        asyncio.get_running_loop().remove_reader(watch)
        os.close(watch)
    Path(log).unlink()  # noqa: ASYNC240 - one file of a test
