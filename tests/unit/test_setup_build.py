"""build.py: what it skips, what it does again, and what it says when something is missing."""

import ast
import hashlib
import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def door(tmp_path, monkeypatch):
    """build.py as a module, for a repository in a temporary folder."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    places = {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "LOCKS": tmp_path / "py" / "locks",
        "WEBVIEW": tmp_path / "webview",
        "PAGE": tmp_path / "dist" / "page",
        "PAGE_WHEELS": tmp_path / ".venv" / "page-wheels",
        "PYTHON": tmp_path / ".venv" / module.PYTHON.relative_to(module.VENV),
    }
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)
    module.LOCKS.mkdir(parents=True)
    for use in ("demo", "test", "page"):
        (module.LOCKS / f"{use}.txt").write_text(f"# nothing for {use}\n")
    return module


def test_an_old_python_can_read_it_and_is_told_the_version():
    source = (ROOT / "build.py").read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    check = next(node for node in tree.body if isinstance(node, ast.If))
    before = [node for node in tree.body if node.lineno < check.lineno]
    assert ast.unparse(check.test) == "sys.version_info < (3, 11)"
    assert [ast.unparse(node) for node in before[1:]] == ["import sys"], "nothing can fail earlier"
    assert "__future__" not in source


def test_the_environment_is_made_once_and_anew_after_an_interruption(door, tmp_path, capsys):
    interrupted = tmp_path / ".venv"
    interrupted.mkdir()
    (interrupted / "voicepilot-unfinished").touch()
    (interrupted / "half").touch()

    door.install_python("demo")
    assert not (interrupted / "half").exists()
    assert not (interrupted / "voicepilot-unfinished").exists()
    where = [str(door.PYTHON), "-c", "import sys; print(sys.path)"]
    answer = subprocess.run(where, capture_output=True, text=True, check=True, cwd=tmp_path.parent)
    assert repr(str(tmp_path / "py")) in answer.stdout, "our sources can be imported"

    (interrupted / "kept").touch()
    capsys.readouterr()
    door.install_python("demo")
    assert capsys.readouterr().out == "", "nothing to do, nothing done"
    assert (interrupted / "kept").exists()

    (door.LOCKS / "demo.txt").write_text("# changed\n")
    door.install_python("demo")
    stamp = (interrupted / "voicepilot-demo.stamp").read_text()
    assert stamp == door.fingerprint([door.LOCKS / "demo.txt"])


def test_a_package_that_is_not_the_locked_one_is_not_installed(door, tmp_path, monkeypatch):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "harmless-1.0-py3-none-any.whl").write_bytes(b"not what was locked")
    locked = hashlib.sha256(b"what was locked").hexdigest()
    (door.LOCKS / "demo.txt").write_text(f"harmless==1.0 --hash=sha256:{locked}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(door.SetupError, match="not the one that was locked"):
        door.install_python("demo")
    assert not (tmp_path / ".venv" / "voicepilot-demo.stamp").exists()


def test_serve_hands_over_every_option_that_it_was_given(door, monkeypatch):
    handed = []
    for name in ("install_python", "install_node", "build_page"):
        monkeypatch.setattr(door, name, lambda *_, **__: None)
    monkeypatch.setattr(door, "hand_over", lambda command: handed.append(command) or 0)
    given = ["--endpoint", "https://r.openai.azure.com", "--speed=1.2", "--help", "--no-browser"]
    monkeypatch.setattr(sys, "argv", ["build.py", "serve", *given])
    assert door.main() == 0
    assert handed == [[str(door.PYTHON), "-P", "-m", "voicepilot.cli", "serve", *given]]


def test_an_option_that_no_command_has_is_refused(door, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["build.py", "demo", "--sped"])
    with pytest.raises(SystemExit) as ended:
        door.main()
    assert ended.value.code == 2
    assert "unrecognized arguments: --sped" in capsys.readouterr().err


def test_the_page_is_built_again_only_when_what_it_is_made_of_changes(door, tmp_path, monkeypatch):
    for name in ("webview/index.html", "webview/page.css", "webview/package-lock.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    built = []

    def run(label, command):
        if "voicepilot.bundle" not in command:
            return
        built.append(command)
        (tmp_path / "dist" / "page").mkdir(parents=True, exist_ok=True)
        (tmp_path / "dist" / "page" / "manifest.json").touch()

    monkeypatch.setattr(door, "run", run)
    monkeypatch.setattr(door, "PAGE_INPUTS", ("webview/index.html",))
    door.build_page()
    door.build_page()
    assert len(built) == 1
    (tmp_path / "webview" / "page.css").write_text("changed")
    door.build_page()
    assert len(built) == 2


def test_a_taken_port_is_named_and_a_free_one_is_not(door):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(door.SetupError, match=f"Port {port} cannot be used"):
            door.require_free_port(port)
    door.require_free_port(port)
    with pytest.raises(door.SetupError, match="Port 70000 cannot be used"):
        door.require_free_port(70000)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (None, "node was not found"),
        ("v18.20.4", "too old"),
        ("nonsense", "too old"),
        ("v20.0.0", ""),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the stand-in for node is a shell script")
def test_node_must_be_there_and_new_enough(door, tmp_path, monkeypatch, version, sentence):
    tools = tmp_path / "tools"
    tools.mkdir()
    if version:
        (tools / "node").write_text(f"#!/bin/sh\necho {version}\n")
        (tools / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    if sentence:
        with pytest.raises(door.SetupError, match=f"(?s){sentence}.*Install Node.js 20 or newer"):
            door.require_node()
    else:
        door.require_node()


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "Check the network"),
        ("npm error code EAI_AGAIN", "Check the network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that was locked"),
        ("OSError: [Errno 28] No space left on device", "Make room"),
        ("ERROR: No matching distribution found for av==18.1.0", "does not exist for this system"),
    ],
)
def test_a_failed_step_ends_with_what_to_do(door, output, advice):
    said = door.explain("Installing Python packages", f"first line\n{output}\n")
    assert said.startswith("Installing Python packages failed.")
    assert output in said
    assert advice in said


def test_a_failing_step_shows_the_end_of_its_output(door):
    command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(door.SetupError, match=r"(?s)Doing it failed\..*the reason"):
        door.run("Doing it", command)
    with pytest.raises(door.SetupError, match="no-such-program could not be started"):
        door.run("Doing it", ["no-such-program"])


def test_an_unknown_suite_is_refused_before_anything_is_installed():
    command = [sys.executable, str(ROOT / "build.py"), "test", "everything"]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 2
    assert "there is no suite 'everything'; choose from quality, unit" in answer.stderr
