"""The demo's tools over real folders: what they show, and what they never show."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicepilot.backend.tools import LONGEST_LIST, LONGEST_TEXT, SPECS, Toolbox


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "project"
    for path, text in {
        "README.md": "# Project\n",
        "package.json": "{}",
        "src/main.py": "print()\n",
        "src/README.md": "# Source\n",
        "docs/read_me_first.txt": "first",
        "a/notes.txt": "one",
        "b/notes.txt": "two",
        ".env": "SECRET=1",
        ".git/config": "SECRET=1",
        "src/.hidden": "SECRET=1",
        "node_modules/x/index.js": "SECRET=1",
        ".venv/lib.py": "SECRET=1",
    }.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    (tmp_path / "outside.txt").write_text("SECRET=1")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file.txt").write_text("SECRET=1")
    return root


def read(folder, path):
    return Toolbox(folder).run("read_file", json.dumps({"path": path}))


def list_files(root, **arguments):
    return Toolbox(root).run("list_files", json.dumps(arguments))


async def test_the_list_is_sorted_and_leaves_out_hidden_and_installed_files(folder):
    assert await list_files(folder) == (
        "2 files in project: package.json, README.md. 4 folders in project: a, b, docs, src."
    )
    assert await list_files(folder, folder="src") == (
        "2 files in src: main.py, README.md. There are no folders in src."
    )
    assert await Toolbox(folder).run("list_files", "") == await list_files(folder, folder=".")


async def test_the_list_is_limited(folder):
    for number in range(LONGEST_LIST + 5):
        (folder / "docs" / f"{number:03}.txt").touch()
    listing = await list_files(folder, folder="docs")
    assert listing.startswith(f"{LONGEST_LIST + 6} files in docs: 000.txt")
    assert ", and 6 more." in listing


@pytest.mark.parametrize(
    ("asked", "starts"),
    [
        ("README.md", "README.md:\n# Project"),
        ("readme", "README.md:\n# Project"),
        ("the readme file", "README.md:\n# Project"),
        ("Read me dot MD", "README.md:\n# Project"),
        ("package dot json", "package.json:\n{}"),
        ("src/main.py", "src/main.py:\nprint()"),
        ("source slash main", "There is no file named"),
        ("src slash main dot py", "src/main.py:\nprint()"),
        ("main", "src/main.py:\nprint()"),
        ("./src/../README.md", "README.md:\n# Project"),
        ("read me first", "docs/read_me_first.txt:\nfirst"),
        ("notes", "'notes' could be any of these: a/notes.txt, b/notes.txt. Say which."),
        ("a/notes", "a/notes.txt:\none"),
        ("src", "src is a folder"),
        ("nothing", "There is no file named 'nothing'"),
        ("", "Say which file"),
        ("?!", "There is no file named"),
    ],
)
async def test_a_file_is_found_by_what_was_said(folder, asked, starts):
    assert (await read(folder, asked)).startswith(starts)


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "src/../../outside.txt",
        "/etc/passwd",
        "link.txt",
        "linked/file.txt",
        "open.txt",
        ".env",
        "env",
        ".git/config",
        "config",
        "src/.hidden",
        "node_modules/x/index.js",
        "index",
        "lib",
        "ring",
        "\0",
        "x" * 5000,
        "~/.ssh/id_rsa",
        "file",
    ],
)
async def test_nothing_outside_and_nothing_hidden_is_ever_read(folder, path):
    (folder / "link.txt").symlink_to(folder.parent / "outside.txt")
    (folder / "linked").symlink_to(folder.parent / "elsewhere")
    (folder / "open.txt").symlink_to(folder / ".env")
    (folder / "ring").symlink_to(folder / "ring")
    output = await read(folder, path)
    assert "SECRET" not in output
    assert "root:" not in output
    assert output.endswith(".")  # a sentence
    listing = await list_files(folder)
    assert not {"link.txt", "linked", "open.txt", "ring"} & set(listing.replace(",", " ").split())


async def test_a_link_within_the_folder_is_followed(folder):
    (folder / "start.md").symlink_to(folder / "README.md")
    assert await read(folder, "start.md") == "README.md:\n# Project\n"


@pytest.mark.parametrize("asked", ["..", "/etc", "../elsewhere", "linked", ".git", "README.md"])
async def test_only_folders_inside_are_listed(folder, asked):
    (folder / "linked").symlink_to(folder.parent / "elsewhere")
    output = await list_files(folder, folder=asked)
    assert "file.txt" not in output
    assert "outside.txt" not in output
    assert output.endswith(".")
    assert "README.md," not in output


async def test_a_large_file_is_cut_between_characters_and_says_so(folder):
    text = "é" * LONGEST_TEXT
    (folder / "big.txt").write_text("x" + text, encoding="utf-8")
    output = await read(folder, "big.txt")
    head, _, body = output.partition("\n")
    assert head == f"big.txt, its first {LONGEST_TEXT} bytes of {2 * LONGEST_TEXT + 1}:"
    assert body == "x" + text[: (LONGEST_TEXT - 1) // 2]


@pytest.mark.parametrize("content", [b"\0binary", b"\x89PNG\r\n\xff\xfe"])
async def test_only_text_is_read(folder, content):
    (folder / "image.png").write_bytes(content)
    assert await read(folder, "image.png") == "image.png is not a text file."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
async def test_a_pipe_is_no_file_and_never_waited_for(folder):
    os.mkfifo(folder / "pipe")
    assert (await read(folder, "pipe")).startswith("There is no file")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("delete_file", "{}"),
        ("read_file", "{"),
        ("read_file", "[]"),
        ("read_file", "{}"),
        ("read_file", '{"path": 5}'),
        ("read_file", '{"path": "\\ud800"}'),
        ("list_files", '{"folder": null}'),
        ("list_files", "[" * 100_000),
    ],
)
async def test_a_wrong_call_is_answered_with_a_sentence(folder, name, arguments):
    output = await Toolbox(folder).run(name, arguments)
    assert output.endswith(".")
    assert len(output) < 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text() | st.text("./\\ab\0~-", max_size=12))
async def test_no_path_raises(folder, path):
    output = await read(folder, path)
    assert output
    assert "SECRET" not in output


def test_the_tools_are_declared_as_they_are_answered(folder):
    assert [tool.name for tool in SPECS] == ["list_files", "read_file"]
    assert all(tool.parameters["type"] == "object" for tool in SPECS)
