"""The page as it is built starts, from bytecode alone, and reads a call as the host does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.pyodide.runtime import HERE, ROOT, Pyodide

SOURCES = ROOT / "py"

LINES = [
    json.dumps(line, ensure_ascii=False)
    for line in (
        {"type": "session.created", "session": {"id": "sess_1", "model": "my-deployment"}},
        {
            "direction": "sent",
            "event": {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "id": "typed_1",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "Wie spät ist es in 東京? 🕰"}],
                },
            },
        },
        {"direction": "sent", "event": {"type": "response.create"}},
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
        {
            "type": "response.audio_transcript.delta",  # a name of the preview protocol
            "response_id": "resp_1",
            "item_id": "answer_1",
            "delta": "It is ",
        },
        {
            "type": "response.done",
            "response": {
                "id": "resp_1",
                "status": "completed",
                "output": [
                    {
                        "id": "answer_1",
                        "type": "message",
                        "role": "assistant",
                        "status": "completed",
                        "content": [{"type": "output_audio", "transcript": "It is late."}],
                    }
                ],
                "usage": {"input_tokens": 12, "output_tokens": 9, "total_tokens": 21},
            },
        },
        {"type": "response.sung", "tune": "C", "length": 0.1 + 0.2},
        {"type": "error", "error": {"code": "invalid_value", "message": "No.", "param": None}},
        {"type": "conversation.item.truncated", "item_id": "answer_1", "audio_end_ms": 10**30},
    )
] + ["{", '{"type": 7}', '{"type":"response.done","response":null}']


@dataclass(frozen=True, slots=True)
class Built:
    """What the build wrote, and how the page would start it."""

    archive: Path
    pyodide: Pyodide


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The page, built by the command that people use."""
    page = tmp_path_factory.mktemp("built") / "page"
    run = subprocess.run(
        [sys.executable, "-m", "voicepilot.bundle", "--out", str(page)],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    data = re.search(
        r'<script[^>]*id="boot"[^>]*>(.*?)</script>', (page / "index.html").read_text()
    )
    assert data
    boot = json.loads(data[1])
    archive = page / boot["archive"].removeprefix("/")
    runtime = page / boot["runtime"].strip("/")
    return Built(archive, Pyodide(runtime=runtime, archive=archive, lock=boot["lock"]))


def test_it_holds_bytecode_only_uncompressed(built: Built) -> None:
    with zipfile.ZipFile(built.archive) as archive:
        members = archive.infolist()
    assert not [member.filename for member in members if member.filename.endswith(".py")]
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    ours = {member.filename for member in members if member.filename.startswith("voicepilot/")}
    assert ours == {
        f"{file.relative_to(SOURCES).as_posix()}c"
        for package in ("protocol", "session", "bridge", "page")
        for file in (SOURCES / "voicepilot" / package).rglob("*.py")
    } | {"voicepilot/__init__.pyc"}


def test_every_module_can_be_imported_from_it(built: Built, tmp_path: Path) -> None:
    """Without a document: nothing may look for one before the page starts it."""
    origins: dict[str, Any] = built.pyodide.run(HERE / "imports.py", {}, tmp_path)
    assert {"voicepilot.session", "voicepilot.page.app", "voicepilot.page.seam"} <= set(origins)
    strays = {
        name: where
        for name, where in origins.items()
        if where["loader"] != "zipimporter" or not where["origin"].endswith(".pyc")
    }
    assert strays == {}
    with zipfile.ZipFile(built.archive) as archive:
        assert len(origins) == sum(name.startswith("voicepilot/") for name in archive.namelist())


def test_a_call_is_read_as_on_the_host(built: Built, tmp_path: Path) -> None:
    given = {"lines": LINES}
    here = subprocess.run(
        [sys.executable, str(HERE / "reading.py")],
        env=os.environ | {"PYTHONPATH": str(SOURCES), "GIVEN": json.dumps(given)},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(here.stdout)
    assert expected["report"]["turns"][0]["text"] == "Wie spät ist es in 東京? 🕰"
    assert expected["broken"]
    assert built.pyodide.run(HERE / "reading.py", given, tmp_path) == expected


def test_json_nested_without_end_does_not_end_python(built: Built, tmp_path: Path) -> None:
    given = {"lines": ["[" * 100_000]}
    read = built.pyodide.run(HERE / "reading.py", given, tmp_path)
    assert "not JSON" in read["events"][0]
