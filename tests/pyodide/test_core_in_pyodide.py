"""The core behaves in the browser's Python as on the host: its own tests say so, run in both.

pytest and Hypothesis are the host's, mounted; only what is compiled in Hypothesis comes as its wheel
for Pyodide, by a hash that the lock already holds.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.pyodide.runtime import HERE, ROOT, Pyodide

TESTS = sorted(
    f"tests/unit/{file.name}"
    for pattern in ("test_session_*.py", "test_protocol_dialects.py", "test_bridge_*.py")
    for file in (ROOT / "tests" / "unit").glob(pattern)
)
EXAMPLES = 25
"""Per property. The host, where Python is faster, tries four times as many."""

TAG = ("--platform=pyemscripten_2026_0_wasm32", "--python-version=3.14", "--abi=cp314")


@pytest.fixture(scope="module")
def hypothesis_wheel(pytestconfig: pytest.Config) -> Path:
    """Hypothesis for Pyodide, downloaded once."""
    release = version("hypothesis")
    folder = pytestconfig.cache.mkdir(f"hypothesis-{release}-pyodide")
    if not any(folder.glob("*.whl")):
        lock = (ROOT / "py" / "locks" / "test.txt").read_text("utf-8")
        locked = re.search(
            rf"^hypothesis=={re.escape(release)} (?:.*\\\n)*.*\n", lock, re.MULTILINE
        )
        assert locked, f"py/locks/test.txt does not lock hypothesis {release}"
        requirement = folder / "requirement.txt"
        requirement.write_text(locked[0], "utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *TAG]
        command += ["--only-binary=:all:", "--require-hashes", f"--dest={folder}"]
        command += ["--disable-pip-version-check", f"--requirement={requirement}"]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def in_pyodide(hypothesis_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The outcome of each of the core's tests in Pyodide."""
    mounts = {"/repository": ROOT, "/host": Path(sysconfig.get_path("purelib"))}
    given = {
        "path": ["/host", "/repository/py"],
        "root": "/repository",
        "tests": [f"/repository/{test}" for test in TESTS],
        "examples": EXAMPLES,
    }
    pyodide = Pyodide(mounts=mounts, wheels=(hypothesis_wheel,))
    scratch = tmp_path_factory.mktemp("core")
    outcomes: dict[str, str] = pyodide.run(HERE / "core_suite.py", given, scratch)
    return outcomes


def test_every_test_of_the_core_passes(in_pyodide: dict[str, str]) -> None:
    assert "passed" in in_pyodide.values()
    assert {test: end for test, end in in_pyodide.items() if end != "passed"} == {}


def test_they_are_the_tests_that_the_host_runs(in_pyodide: dict[str, str]) -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run([*command, *TESTS], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(in_pyodide) == {line for line in run.stdout.splitlines() if "::" in line}
