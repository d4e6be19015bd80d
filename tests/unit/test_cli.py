"""The command line as a person runs it: real processes, their output and exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from voicepilot import __version__
from voicepilot.backend.page_server import listen

SOURCE = str(Path(__file__).parents[2] / "py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCE}


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "voicepilot.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=30,
        **options,
    )


def event(kind, **fields):
    return json.dumps({"type": kind, **fields})


LOG = "\n".join(
    [
        event("session.created", session={"id": "sess_1", "model": "gpt-realtime"}),
        "{broken",
        json.dumps(
            {
                "direction": "sent",
                "event": {
                    "type": "conversation.item.create",
                    "item": {
                        "id": "item_1",
                        "type": "message",
                        "role": "user",
                        "content": [{"type": "input_text", "text": "Good morning"}],
                    },
                },
            }
        ),
        event("brand.new", anything=1),
    ]
)


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "call.jsonl"
    file.write_bytes(LOG.encode() + b'\n{"type": "\xff"}\n')
    return file


def test_replay_prints_json_and_names_broken_lines(log):
    done = run("replay", log, "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["session"]["id"] == "sess_1"
    assert [(turn["role"], turn["text"]) for turn in report["turns"]] == [("user", "Good morning")]
    assert report["unknown"] == {"brand.new": 1}
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["line 2", "line 5"]


def test_replay_prints_a_table_for_people(log):
    done = run("replay", log)
    assert done.returncode == 0
    assert "Session sess_1, model gpt-realtime" in done.stdout
    assert "Good morning" in done.stdout
    assert "Unknown event brand.new: 1" in done.stdout


def test_replay_needs_the_standard_library_only(log):
    # -S -I: no site-packages at all.
    done = subprocess.run(
        [
            sys.executable,
            *("-S", "-I", "-c"),
            "import sys; sys.path.insert(0, sys.argv.pop(1));"
            "from voicepilot.cli import main; sys.exit(main())",
            SOURCE,
            "replay",
            str(log),
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "Good morning" in done.stdout


def test_a_terminal_that_lacks_a_letter_still_gets_the_table(tmp_path):
    file = tmp_path / "call.jsonl"
    file.write_text(LOG.replace("Good morning", "Grüße ✓"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "voicepilot.cli", "replay", str(file)],
        capture_output=True,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"},
        timeout=30,
    )
    assert done.returncode == 0
    assert b"Gr??e ?" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    file = tmp_path / "long.jsonl"
    file.write_text("\n".join(event(f"new.{number}" + "x" * 100) for number in range(20_000)))
    process = subprocess.Popen(
        [sys.executable, "-m", "voicepilot.cli", "replay", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_replay_without_a_readable_file_says_so(tmp_path, name):
    done = run("replay", tmp_path / name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path / name} cannot be read: ")
    assert done.stderr.count("\n") == 1


def test_version_and_module():
    done = subprocess.run(
        [sys.executable, "-m", "voicepilot", "--version"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=30,
    )
    assert done.stdout == f"voicepilot {__version__}\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http", "1.5"])
def test_a_wrong_port_is_told(port):
    done = run("demo", f"--port={port}")
    assert done.returncode == 2
    assert "is not a port" in done.stderr


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>VoicePilot</title>")
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "build": "b1",
                "policy": "default-src 'none'",
                "files": {"/index.html": {"sha384": "x", "type": "text/html; charset=utf-8"}},
            }
        )
    )
    return folder


def test_a_taken_port_is_told_with_what_to_do(page):
    with listen(0) as taken:
        port = taken.getsockname()[1]
        done = run("demo", "--no-browser", "--page", page, "--port", port)
    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_page_that_is_not_built_is_told_with_what_to_do(tmp_path):
    done = run("demo", "--no-browser", "--port", 0, "--page", tmp_path)
    assert done.returncode == 2
    assert "python3 build.py build" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="ends with POSIX signals")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_the_demo_prints_its_address_lets_the_page_in_and_ends_cleanly(page, end):
    began = time.monotonic()
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicepilot.cli", "demo"),
        *("--no-browser", "--port", "0", "--page", str(page)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
    )
    try:
        async with asyncio.timeout(20):
            while b"#token=" not in (line := await demo.stdout.readline()):
                assert line, (await demo.stderr.read()).decode()
        assert (
            time.monotonic() - began < 5
        )  # about 0.5 on a quiet machine; the limit is for a busy one
        url, _, token = line.decode().strip().partition("#token=")
        port = int(url.rstrip("/").rpartition(":")[2])
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.get(url) as response:
                assert response.status == 200
            async with browser.post(f"{url}session", json={"token": token}) as response:
                assert response.status == 204
            # An open bridge must not hold up the end.
            async with browser.ws_connect(
                f"{url}bridge", headers={"Origin": url.rstrip("/")}
            ) as bridge:
                await bridge.send_str(
                    '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"build":"b1"}}'
                )
                welcome = (await bridge.receive_json(timeout=5))["result"]
                assert welcome["build"] == "b1"
                assert [tool["name"] for tool in welcome["tools"]] == ["list_files", "read_file"]
                demo.send_signal(end)
                async with asyncio.timeout(20):
                    output, errors = await demo.communicate()
        assert demo.returncode == 0, errors.decode()
        assert errors == b""
        assert output.decode().strip().endswith("VoicePilot has ended.")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the service in /proc")
def test_the_demo_says_so_when_its_service_stops(page):
    demo = subprocess.Popen(
        [
            *(sys.executable, "-m", "voicepilot.cli", "demo"),
            *("--no-browser", "--port", "0", "--page", str(page)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        while "#token=" not in (line := demo.stdout.readline()):
            assert line, demo.stderr.read()
        children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text()
        os.kill(int(children), signal.SIGKILL)
        _, told = demo.communicate(timeout=20)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 1
    assert told.startswith("The offline realtime service stopped by itself.")
    assert "Traceback" not in told
    log = Path(told.rpartition("stops again, ")[2].partition(" tells more")[0])
    assert log.exists()
    log.unlink()


@pytest.mark.skipif(sys.platform == "win32", reason="ends with a POSIX signal")
async def test_the_emulator_says_where_it_listens_and_ends_when_asked():
    emulator = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicepilot.cli", "emulator", "--port", "0", "--api-key", "k"),
        # Closed input must not end it: a shell starts background programs that way.
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env=ENVIRONMENT,
    )
    async with asyncio.timeout(30):
        line = (await emulator.stdout.readline()).decode()
        assert line.startswith("listening http://127.0.0.1:")
        mint = line.split()[1] + "/openai/v1/realtime/client_secrets"
        session = {"session": {"type": "realtime", "model": "m"}}
        async with aiohttp.ClientSession() as client:
            for key, status in (("k", 200), ("wrong", 401)):
                async with client.post(mint, headers={"api-key": key}, json=session) as response:
                    assert response.status == status
        emulator.terminate()
        assert await emulator.wait() == 0


def test_an_emulator_without_its_port_says_so():
    with listen(0) as taken:
        port = taken.getsockname()[1]
        done = run("emulator", "--port", port)
    assert done.returncode == 2
    assert f"cannot listen on port {port}" in done.stderr
    assert "Traceback" not in done.stderr
