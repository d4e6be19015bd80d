"""Settings at the command line as a person meets them: real processes, their words and exit codes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voicepilot.settings import TABLE

KEY = "0123456789abcdef0123456789ABCDEF"
SOURCE = str(Path(__file__).parents[2] / "py")
PLAIN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AZURE_", "VOICEPILOT_"))
}


@pytest.fixture
def run(tmp_path):
    """Runs a command where nothing is set but what the test sets, and where there is no keyring."""
    settings = tmp_path / "settings.toml"
    settings.write_text('deployment = "voice"\n')

    def run(*arguments, **variables):
        fresh = {
            "VOICEPILOT_SETTINGS": str(settings),
            "PYTHONPATH": SOURCE,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        done = subprocess.run(
            [sys.executable, "-m", "voicepilot.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**PLAIN, **fresh, **variables},
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        assert KEY not in done.stdout + done.stderr
        return done

    return run


def test_config_show_says_every_value_and_its_place(run, tmp_path):
    done = run(
        "config", "show", "--json", "--speed", 1.2, AZURE_OPENAI_ENDPOINT="r.openai.azure.com"
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert list(shown["settings"]) == [row.name for row in TABLE]
    assert shown["file"] == {"path": str(tmp_path / "settings.toml"), "exists": True}
    settings = shown["settings"]
    assert settings["speed"] == {"value": 1.2, "from": "command line --speed"}
    assert settings["endpoint"] == {
        "value": "https://r.openai.azure.com",
        "from": "environment AZURE_OPENAI_ENDPOINT",
    }
    assert settings["deployment"] == {
        "value": "voice",
        "from": f"file {tmp_path / 'settings.toml'}",
    }
    assert settings["port"] == {"value": 8777, "from": "default"}
    assert shown["api_key"] == {"from": "", "problem": ""}


def test_config_show_names_the_place_of_a_key_and_nothing_of_the_key(run):
    done = run("config", "show", AZURE_OPENAI_API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split("  ")[0] == "API key"
    assert done.stdout.rstrip().endswith("environment AZURE_OPENAI_API_KEY")
    shown = json.loads(run("config", "show", "--json", AZURE_OPENAI_API_KEY=KEY).stdout)
    assert shown["api_key"]["from"] == "environment AZURE_OPENAI_API_KEY"


def test_config_path_names_the_file(run, tmp_path):
    assert run("config", "path").stdout == f"{tmp_path / 'settings.toml'}\n"
    assert (
        run("config", "path", "--settings", "other.toml").stdout == f"{tmp_path / 'other.toml'}\n"
    )


@pytest.mark.parametrize("command", [("serve", "--no-browser"), ("config", "show")])
def test_every_mistake_is_told_with_its_place(run, command):
    done = run(*command, "--speed", 9, "--voice", KEY + "!", AZURE_OPENAI_ENDPOINT="gpt-realtime")
    assert done.returncode == 2
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [
        "command line --voice",
        "command line --speed",
        "environment AZURE_OPENAI_ENDPOINT",
    ]


def test_serve_says_what_is_missing_and_how_to_set_it(run, tmp_path):
    done = run("serve", "--no-browser")
    assert done.returncode == 2
    assert "There is no endpoint yet." in done.stderr
    assert "--endpoint https://NAME.openai.azure.com" in done.stderr
    assert "AZURE_OPENAI_ENDPOINT=https://NAME.openai.azure.com" in done.stderr
    assert (
        f'endpoint = "https://NAME.openai.azure.com" in {tmp_path / "settings.toml"}' in done.stderr
    )
    assert "There is no deployment" not in done.stderr


@pytest.mark.parametrize("key", [("--api-key", KEY), (f"--api-key={KEY}",)])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(run, key):
    done = run("serve", "--no-browser", *key)
    assert done.returncode == 2
    assert "AZURE_OPENAI_API_KEY" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        *(("serve", "--key", KEY), ("serve", f"--apikey={KEY}"), ("key", "status", "--key", KEY)),
        *(("serve", "--azure-key", "secret-word"), ("serve", "--azure-key=secret-word")),
        *(
            ("serve", "secret-word"),
            ("serve", "-ksecret-word"),
            (KEY,),
            ("emulator", "--port", KEY),
        ),
    ],
)
def test_what_is_not_understood_is_not_repeated(run, words):
    done = run(*words)
    assert done.returncode == 2
    assert "secret-word" not in done.stderr
    assert ("--azure-key" in done.stderr) is ("--azure-key" in " ".join(words))


def test_config_show_hides_a_key_among_the_instructions(run, tmp_path):
    instructions = f"Use {KEY} as the password. Be brief."
    for form in ((), ("--json",)):
        done = run("config", "show", *form, "--instructions", instructions)
        assert done.returncode == 0, done.stderr
        assert "Use (not shown) as the password." in done.stdout


def test_an_empty_name_of_a_settings_file_is_not_this_folder(run):
    for what in ("show", "path"):
        done = run("config", what, "--settings", "")
        assert done.returncode == 2
        assert "a file's name is missing" in done.stderr


def test_a_good_option_goes_before_a_bad_variable(run):
    variables = {"AZURE_OPENAI_ENDPOINT": "https://api.openai.com"}
    assert run("config", "show", **variables).returncode == 2
    done = run("config", "show", "--endpoint", "r.openai.azure.com", **variables)
    assert done.returncode == 0, done.stderr


def test_keys_are_kept_whatever_the_other_settings_are(run):
    variables = {"AZURE_CLIENT_ID": "foo", "VOICEPILOT_SPEED": "fast"}
    done = run("key", "status", "--endpoint", "r.openai.azure.com", **variables)
    assert (done.returncode, done.stderr) == (1, "")
    assert "There is no key for r.openai.azure.com." in done.stdout
    assert "OpenAI's own service" in run("key", "status", "--endpoint", "api.openai.com").stderr


@pytest.mark.skipif(os.name == "nt", reason="the environment is text there")
def test_an_environment_that_is_no_text_is_a_sentence(run):
    done = run("config", "show", VOICEPILOT_INSTRUCTIONS=os.fsdecode(b"caf\xe9"))
    assert done.returncode == 2
    assert "instructions holds bytes that are no UTF-8 text" in done.stderr


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>VoicePilot</title>")
    files = {"/index.html": {"sha384": "x", "type": "text/html; charset=utf-8"}}
    manifest = {"build": "b1", "policy": "default-src 'none'", "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize(
    ("way", "variables", "says"),
    [
        ("api-key", {}, "There is no API key for r.openai.azure.com."),
        ("api-key", {"AZURE_OPENAI_API_KEY": "two words"}, "cannot be one"),
        ("host", {}, "."),
    ],
)
def test_serve_does_not_start_where_nothing_can_let_it_in(run, page, way, variables, says):
    command = ("serve", "--no-browser", "--port", 0, "--page", page, "--credential", way)
    done = run(*command, "--endpoint", "r.openai.azure.com", **variables)
    assert done.returncode == 2
    assert done.stdout == ""
    what, next_step = done.stderr.strip().splitlines()[-2:]
    assert says in what
    assert next_step.endswith(".")


def test_a_port_that_was_asked_for_must_be_free(run, page):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ("--no-browser", "--page", page, "--endpoint", "r.openai.azure.com")
        done = run("serve", *options, VOICEPILOT_PORT=str(port))
    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 cannot be used (" in done.stderr
    assert "while attempting" not in done.stderr


async def test_serve_can_be_ended_while_the_keyring_hangs(page, tmp_path):
    (tmp_path / "hanging.py").write_text(
        "import time\n"
        "from keyring.backend import KeyringBackend\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 1\n"
        "    def get_password(self, service, username):\n"
        "        time.sleep(600)\n"
        "    set_password = delete_password = get_password\n"
    )
    options = (
        "--no-browser",
        "--port",
        "0",
        "--endpoint",
        "r.openai.azure.com",
        "--deployment",
        "d",
    )
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voicepilot.cli", "serve", "--page", page, *options),
        env={
            **PLAIN,
            "VOICEPILOT_SETTINGS": os.devnull,
            "PYTHONPATH": os.pathsep.join((SOURCE, str(tmp_path))),
            "PYTHON_KEYRING_BACKEND": "hanging.Keyring",
        },
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            assert b"Waiting for the system's keyring" in await program.stdout.readline()
            program.send_signal(signal.SIGTERM)
            assert await program.wait() == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
