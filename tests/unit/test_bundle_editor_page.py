"""The document for a webview of VS Code: what the extension host fills in, and what it may do then."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from voicepilot.bundle.assets import Asset
from voicepilot.bundle.editor_page import BASE, NONCE, SOURCE, build_editor_page
from voicepilot.bundle.interpreter import Interpreter
from voicepilot.bundle.page import build_page
from voicepilot.bundle.runtime import Runtime

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="stylesheet" href="page.css">
<script type="module" src="loader.mjs"></script>
</head>
<body><img src="icon.svg" alt=""></body>
</html>
"""


class Tags(HTMLParser):
    """Every element that the document begins with."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of each element of this name."""
        return [attributes for tag, attributes in self.found if tag == name]


@pytest.fixture
def text(tmp_path):
    (tmp_path / "index.html").write_text(TEMPLATE)
    for name in ("page.css", "loader.mjs", "icon.svg", "interpreter.mjs"):
        (tmp_path / name).write_text(name)
    runtime = Runtime(
        folder="/assets/pyodide-1/",
        loader=Asset("/assets/pyodide-1/pyodide.mjs", b"l"),
        glue=Asset("/assets/pyodide-1/pyodide.asm.mjs", b"g"),
        machine=Asset("/assets/pyodide-1/pyodide.asm.wasm", b"m"),
        lock={},
    )
    archive = Asset.named("python.zip", b"a")
    boot = {"runtime": runtime.folder, "archive": archive.path}
    interpreter = Interpreter(runtime, runtime.machine, archive, None, boot)
    page = build_page(tmp_path, interpreter)
    asset = build_editor_page(tmp_path, interpreter, page)
    assert asset.path == "/editor.html"
    return asset.content.decode()


def test_the_policy_comes_first_and_allows_only_what_the_host_fills_in(text):
    first = Tags(text).of("meta")[0]
    assert first["http-equiv"] == "Content-Security-Policy"
    policy = first["content"] or ""
    assert text.index(policy) < text.index("<script")
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == f"'nonce-{NONCE}' {SOURCE} 'wasm-unsafe-eval'"
    assert directives["connect-src"] == SOURCE
    assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
    assert "frame-ancestors" not in directives


def test_every_script_that_runs_has_the_nonce(text):
    scripts = [each for each in Tags(text).of("script") if each.get("type") != "application/json"]
    assert len(scripts) == 2
    assert {each["nonce"] for each in scripts} == {NONCE}


def test_every_file_is_below_the_address_that_the_host_fills_in(text):
    assert not re.search(r'"/assets', text)
    tags = Tags(text)
    places = [each.get("href") or each.get("src") for _, each in tags.found]
    assert all(place.startswith(f"{BASE}/assets/") for place in places if place)
    assert f'"runtime":"{BASE}/assets/pyodide-1/"' in text


def test_the_program_is_told_where_it_is(text):
    assert '"host":"editor"' in text
