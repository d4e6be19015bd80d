"""The document of the built page: every reference named by content, nothing else touched."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from voicepilot.bundle.__main__ import write
from voicepilot.bundle.assets import Asset, BundleError, digest
from voicepilot.bundle.interpreter import serve
from voicepilot.bundle.memory import key
from voicepilot.bundle.page import build_page
from voicepilot.bundle.runtime import read_runtime

TEMPLATE = """<!doctype html>
<html><head><title>A &amp; B</title>
<link rel="icon" href="icon.svg"><link rel="stylesheet" href="page.css">
<script type="module" src="loader.mjs"></script>
</head><body><img src="icon.svg" alt=""><a href="https://example.org/page.css">elsewhere</a>
</body></html>
"""
ARCHIVE = Asset.named("python.zip", b"archive")


@pytest.fixture
def runtime(tmp_path):
    package = tmp_path / "node_modules" / "pyodide"
    package.mkdir(parents=True)
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
        (package / name).write_bytes(name.encode())
    lock = {"info": {"python": "3.14.2"}, "packages": {"numpy": {}}}
    (package / "pyodide-lock.json").write_text(json.dumps(lock))
    return read_runtime(package)


@pytest.fixture
def webview(tmp_path):
    (tmp_path / "worklets").mkdir()
    (tmp_path / "index.html").write_text(TEMPLATE)
    (tmp_path / "page.css").write_text("main { color: green }")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "loader.mjs").write_text('import "pyodide";')
    (tmp_path / "interpreter.mjs").write_text("export const startPython = null;")
    (tmp_path / "worklets" / "level-meter.js").write_text("registerProcessor();")
    return tmp_path


def test_references_are_replaced_and_everything_else_stays(webview, runtime):
    text = build_page(webview, serve(runtime, ARCHIVE)).document.content.decode()
    head_start, head_end = text.index('<script type="importmap">'), text.index('<script type="mod')
    kept = text[:head_start] + text[head_end:]
    assert re.sub(r"/assets/(\w+)\.[0-9a-f]{16}\.", r"\1.", kept) == TEMPLATE


def test_the_name_of_a_file_changes_with_its_content_and_so_does_the_build(webview, runtime):
    before = build_page(webview, serve(runtime, ARCHIVE))
    (webview / "page.css").write_text("main { color: blue }")
    after = build_page(webview, serve(runtime, ARCHIVE))
    changed = {asset.path for asset in before.assets} ^ {asset.path for asset in after.assets}
    assert len(changed) == 2
    assert all(path.startswith("/assets/page.") for path in changed)
    assert before.build != after.build


def test_the_import_map_gives_every_module_its_hash_and_the_policy_the_same(webview, runtime):
    page = build_page(webview, serve(runtime, ARCHIVE))
    found = re.search(r'<script type="importmap">(.*?)</script>', page.document.content.decode())
    assert found
    import_map = json.loads(found[1])
    assert list(import_map["imports"]) == ["pyodide", "python"]
    assert import_map["imports"]["pyodide"] == runtime.loader.path
    files = {asset.path: asset.content for asset in page.assets}
    for path, integrity in import_map["integrity"].items():
        expected = base64.b64encode(hashlib.sha384(files[path]).digest()).decode()
        assert integrity == f"sha384-{expected}"
    assert set(page.contents.modules) == set(import_map["integrity"].values())
    inline = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert page.contents.inline_scripts == (f"sha256-{inline}",)


def test_the_loader_finds_what_it_needs(webview, runtime):
    page = build_page(webview, serve(runtime, ARCHIVE))
    found = re.search(r'id="boot">(.*?)</script>', page.document.content.decode())
    assert found
    boot = json.loads(found[1])
    assert boot["build"] == page.build
    assert boot["archive"] == ARCHIVE.path
    assert boot["runtime"] + "pyodide.asm.wasm" == runtime.machine.path
    assert boot["lock"] == {"info": {"python": "3.14.2"}, "packages": {}}
    assert list(boot["worklets"]) == ["level-meter"]
    assert boot["worklets"]["level-meter"] in page.contents.worklets


def test_a_page_with_a_memory_asks_for_it_first_and_for_the_archive_when_it_runs(webview, runtime):
    memory = Asset.named("memory.bin", b"memory")
    page = build_page(webview, serve(runtime, ARCHIVE, memory))
    text = page.document.content.decode()
    preloaded = re.findall(r'rel="preload"[^>]* href="([^"]+)"', text)
    assert preloaded == [runtime.machine.path, memory.path]
    assert page.contents.fetched == (runtime.machine.path, memory.path, ARCHIVE.path)
    assert {*page.contents.fetched} <= {asset.path for asset in page.assets}
    found = re.search(r'id="boot">(.*?)</script>', text)
    assert found
    boot = json.loads(found[1])
    assert boot["memory"] == {
        "path": memory.path,
        "key": key(runtime, ARCHIVE),
        "digest": digest("sha256", b"memory"),
    }
    assert boot["packed"] is False


def test_a_packed_page_has_the_same_files_gzipped_and_none_of_them_raw(webview, runtime):
    memory = Asset.named("memory.bin", b"memory")
    page = build_page(webview, serve(runtime, ARCHIVE, memory, packed=True))
    files = {asset.path: asset for asset in page.assets}
    fetched = [files[path] for path in page.contents.fetched]
    assert [gzip.decompress(file.content) for file in fetched] == [
        runtime.machine.content,
        b"memory",
        ARCHIVE.content,
    ]
    assert {file.media_type for file in fetched} == {"application/gzip"}
    assert {runtime.machine.path, memory.path, ARCHIVE.path}.isdisjoint(files)
    again = build_page(webview, serve(runtime, ARCHIVE, memory, packed=True))
    assert again == page, "no date is packed along"


def test_the_key_names_the_runtime_with_the_archive(runtime):
    other_archive = Asset.named("python.zip", b"another")
    other_runtime = replace(runtime, machine=replace(runtime.machine, content=b"another"))
    keys = {key(runtime, ARCHIVE), key(runtime, other_archive), key(other_runtime, ARCHIVE)}
    assert len(keys) == 3


def test_what_is_written_is_what_the_manifest_lists(webview, runtime, tmp_path):
    out = tmp_path / "dist" / "page"
    (out / "assets").mkdir(parents=True)
    (out / "assets" / "old.css").write_text("of an earlier build")
    write(build_page(webview, serve(runtime, ARCHIVE)), out)
    manifest = json.loads((out / "manifest.json").read_text())
    written = {f"/{file.relative_to(out).as_posix()}" for file in out.rglob("*") if file.is_file()}
    assert written == {*manifest["files"], "/manifest.json", "/csp.txt"}
    assert manifest["files"][runtime.machine.path]["type"] == "application/wasm"
    assert (out / "csp.txt").read_text() == manifest["policy"] + "\n"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ('<script src="missing.mjs"></script>', "refers to missing.mjs, which is not in"),
        ("<p>static</p>", "no <script>"),
        ("<script src='loader.mjs'></script>", "in double quotes"),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_a_sentence(
    webview, runtime, template, sentence
):
    (webview / "index.html").write_text(template)
    with pytest.raises(BundleError, match=re.escape(sentence)):
        build_page(webview, serve(runtime, ARCHIVE))


def test_a_missing_runtime_says_what_to_run(tmp_path):
    with pytest.raises(BundleError, match="npm ci"):
        read_runtime(Path(tmp_path) / "node_modules" / "pyodide")
