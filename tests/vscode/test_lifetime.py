"""Whatever ends, ends all that it has begun; whatever breaks down is there again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest
from playwright.async_api import Playwright, expect
from tests.vscode.conftest import Serve
from tests.vscode.workbench import SOON, CallFrame, Origin, Server, chromium, window

pytestmark = pytest.mark.asyncio(loop_scope="session")

BACKEND, SERVICE = "serve", "emulator"


def processes(server: Server, command: str | None = None) -> list[int]:
    """The processes that the extension has begun, or those of one `voicepilot` command."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            home = f"HOME={server.folder}".encode() in (entry / "environ").read_bytes()
        except OSError:
            continue  # not a process, or one that has just ended
        if home and "voicepilot.cli" in words and (command is None or command in words):
            found.append(int(entry.name))
    return found


async def until_gone(server: Server) -> None:
    """Wait until nothing of ours runs."""
    async with asyncio.timeout(SOON / 1000):
        while processes(server):  # noqa: ASYNC110 - strangers' processes tell nobody of their end
            await asyncio.sleep(0.1)


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def call_page_port(server: Server) -> int:
    """The port of the call page, which the log names."""
    return int(server.log().rpartition("call page on port ")[2].partition(")")[0])


async def test_a_backend_that_breaks_down_is_there_again_and_the_transcript_stays(
    playwright: Playwright, serve: Serve, spoken: str
) -> None:
    async with (
        serve() as server,
        chromium(playwright, Origin.SAME, spoken) as browser,
        window(browser, server) as workbench,
    ):
        await workbench.run("VoicePilot: Talk")
        await workbench.choose("Try the offline demo")
        call = CallFrame(await workbench.panel())
        await call.heard("assistant", "84")
        await call.state("listening")  # it has been heard to its end
        (broken,) = processes(server, BACKEND)
        os.kill(broken, signal.SIGKILL)
        await expect(workbench.status).not_to_contain_text("Listening", timeout=SOON)
        await call.ready()
        async with asyncio.timeout(SOON / 1000):
            while processes(server, BACKEND) in ([], [broken]):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await call.heard("assistant", "84")
        await expect(call.frame.get_by_role("button", name="Talk", exact=True)).to_be_enabled(
            timeout=SOON
        )
        await workbench.run("VoicePilot: Talk")
        await call.state("listening", "user-speaking", "thinking", "assistant-speaking")
        assert len(processes(server, BACKEND)) == len(processes(server, SERVICE)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_left_when_vs_code_ends_or_is_killed(
    playwright: Playwright, serve: Serve, number: signal.Signals
) -> None:
    async with (
        serve() as server,
        chromium(playwright, Origin.SAME) as browser,
        window(browser, server) as workbench,
    ):
        await workbench.run("VoicePilot: Show Panel")
        await workbench.choose("Try the offline demo")
        await CallFrame(await workbench.panel()).ready()
        assert len(processes(server, BACKEND)) == len(processes(server, SERVICE)) == 1
        port = call_page_port(server)
        assert is_open(port)
        await server.stop(number)
        await until_gone(server)
        assert not is_open(port)
