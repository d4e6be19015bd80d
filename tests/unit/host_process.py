"""The backend as VS Code's extension host starts it, spoken to as the extension host does."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from voicepilot.backend.framing import FrameReader, frame
from voicepilot.bridge.jsonrpc import Endpoint, Notification, Refusal, Reply, Request
from voicepilot.bridge.messages import Hello

PY = Path(__file__).parents[2] / "py"
WITHIN_S = 60


class Process:
    """`voicepilot serve --stdio`. `answer` takes its requests: method and parameters, to a result."""

    def __init__(self, process, answer):
        self.process = process
        self.heard = []
        """All that it has said, as it came."""
        self._notes = defaultdict(asyncio.Queue)
        self._endpoint = Endpoint()
        self._answer = answer
        self._answers = {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        reader = FrameReader()
        while piece := await self.process.stdout.read(65536):
            for text in reader.feed(piece):
                self.heard.append(text)
                match self._endpoint.receive(text):
                    case Notification(method, params):
                        self._notes[method].put_nowait(params)
                    case Reply(number) | Refusal(number) as answer:
                        self._answers.pop(number).set_result(answer)
                    case Request(number, method, params):
                        self.process.stdin.write(frame(self._answered(number, method, params)))

    def _answered(self, number, method, params):
        try:
            return self._endpoint.reply(number, self._answer(method, params))
        except LookupError as error:
            return self._endpoint.refuse(number, -32603, str(error.args[0]))

    def tell(self, method, **params):
        self.process.stdin.write(frame(self._endpoint.notify(method, params)))

    async def ask(self, method, **params):
        number, text = self._endpoint.request(method, params)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self.process.stdin.write(frame(text))
        return await asyncio.wait_for(self._answers[number], WITHIN_S)

    async def next_of(self, method):
        return await asyncio.wait_for(self._notes[method].get(), WITHIN_S)

    async def ended(self):
        self._reading.cancel()
        return await asyncio.wait_for(self.process.wait(), WITHIN_S)


@asynccontextmanager
async def started(answer=None, **variables):
    with tempfile.TemporaryDirectory() as data:  # transcripts are not for the tester's own folder
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "voicepilot.cli", "serve", "--stdio"),
            env={**os.environ, "PYTHONPATH": str(PY), "XDG_DATA_HOME": data, **variables},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        host = Process(process, answer)
        try:
            yield host
        finally:
            if process.returncode is None:
                process.kill()
            await host.ended()


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>VoicePilot</title>")
    manifest = {
        "build": "b1",
        "policy": "default-src 'none'",
        "files": {"/index.html": {"type": "text/html; charset=utf-8"}},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


async def greeted(host, name, endpoint):
    return (await asked(host, name, endpoint, "hello", **Hello("b1").to_params())).result


async def asked(host, name, endpoint, method, /, **params):
    """What the page `name` is answered."""
    number, text = endpoint.request(method, params)
    host.tell("page.message", page=name, text=text)
    while True:
        said = await host.next_of("page.message")
        assert said["page"] == name
        answer = endpoint.receive(said["text"])
        if isinstance(answer, Reply | Refusal) and answer.id == number:
            return answer
