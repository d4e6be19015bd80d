"""The archive that the page mounts, made by the Pyodide that will mount it."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voicepilot.bundle.archive import build_archive
from voicepilot.bundle.assets import BundleError

ROOT = Path(__file__).parents[2]
PYODIDE = ROOT / "webview" / "node_modules" / "pyodide"


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "voicepilot"
    for package in ("protocol", "session", "bridge", "page", "page/views", "backend", "emulator"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("")
    return folder


def test_the_same_source_gives_the_same_bytes_with_our_page_and_not_our_backend(sources):
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: build_archive(PYODIDE, sources), range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        names = archive.namelist()
    assert {name for name in names if name.startswith("voicepilot/")} == {
        "voicepilot/__init__.pyc",
        "voicepilot/bridge/__init__.pyc",
        "voicepilot/page/__init__.pyc",
        "voicepilot/page/views/__init__.pyc",
        "voicepilot/protocol/__init__.pyc",
        "voicepilot/session/__init__.pyc",
    }
    assert "asyncio/base_events.pyc" in names, "the standard library comes along"
    assert not [name for name in names if name.endswith(".py")], "nothing is left to compile"


def test_a_mistake_in_our_source_is_named_with_its_file(sources):
    (sources / "page" / "__init__.py").write_text("def broken(:\n")
    with pytest.raises(BundleError, match=r"voicepilot/page/__init__\.py does not compile"):
        build_archive(PYODIDE, sources)


def test_a_node_that_cannot_be_started_is_named_with_the_next_step(sources, tmp_path):
    with pytest.raises(BundleError, match=r"no-such-node could not be started.*build\.py build"):
        build_archive(PYODIDE, sources, tmp_path / "no-such-node")
