"""The content security policy follows from what the build contains."""

import pytest

from voicepilot.bundle.policy import Contents, PageServer, Webview, policy

CONTENTS = Contents(
    inline_scripts=("sha256-map",),
    modules=("sha384-loader", "sha384-pyodide"),
    worklets=("/assets/level-meter.1.js",),
    styles=("/assets/page.2.css",),
    images=("/assets/icon.3.svg",),
    fetched=("/assets/pyodide-4/pyodide.asm.wasm", "/assets/python.5.zip"),
    endpoints=("/session",),
    sockets=("/bridge",),
)
SERVER = PageServer("http://127.0.0.1:8000")
WEBVIEW = Webview("https://*.vscode-cdn.net", "b64nonce")


def test_every_part_of_the_build_is_allowed_by_hash_or_exact_path():
    allowed = policy(CONTENTS, SERVER).directives
    assert allowed["script-src"] == (
        "'sha256-map'",
        "'sha384-loader'",
        "'sha384-pyodide'",
        "http://127.0.0.1:8000/assets/level-meter.1.js",
        "'wasm-unsafe-eval'",
    )
    assert allowed["style-src"] == ("http://127.0.0.1:8000/assets/page.2.css",)
    assert allowed["img-src"] == ("http://127.0.0.1:8000/assets/icon.3.svg",)
    assert allowed["connect-src"] == (
        "http://127.0.0.1:8000/assets/pyodide-4/pyodide.asm.wasm",
        "http://127.0.0.1:8000/assets/python.5.zip",
        "http://127.0.0.1:8000/session",
        "ws://127.0.0.1:8000/bridge",
    )


def test_an_empty_build_may_do_nothing_but_compile_webassembly():
    allowed = dict(policy(Contents(), SERVER).directives)
    assert allowed.pop("script-src") == ("'wasm-unsafe-eval'",)
    assert allowed.pop("require-trusted-types-for") == ("'script'",)
    assert set(allowed.values()) == {("'none'",)}


@pytest.mark.parametrize("host", [SERVER, WEBVIEW], ids=["server", "webview"])
def test_no_host_gets_a_dangerous_source(host):
    rendered = policy(CONTENTS, host).header
    sources = {word for part in rendered.split("; ") for word in part.split(" ")[1:]}
    assert sources.isdisjoint({"'unsafe-eval'", "'unsafe-inline'", "'strict-dynamic'", "*"})
    assert not [source for source in sources if source.endswith(":")], "a scheme-only source"


def test_a_webview_allows_scripts_by_nonce_and_files_by_its_source():
    allowed = policy(CONTENTS, WEBVIEW).directives
    assert allowed["script-src"] == ("'nonce-b64nonce'", WEBVIEW.source, "'wasm-unsafe-eval'")
    assert allowed["connect-src"] == (WEBVIEW.source,)


def test_the_meta_form_leaves_out_what_a_meta_cannot_say():
    page_policy = policy(CONTENTS, SERVER)
    assert "frame-ancestors 'none'" in page_policy.header
    assert "frame-ancestors" not in page_policy.meta
    assert page_policy.meta == page_policy.header.replace("frame-ancestors 'none'; ", "")


def test_the_place_of_the_origin_can_be_filled_in_later():
    template = policy(CONTENTS, PageServer()).header
    filled = template.replace("ws{origin}", "ws://127.0.0.1:8000").replace(
        "{origin}", SERVER.origin
    )
    assert filled == policy(CONTENTS, SERVER).header


def test_a_source_can_be_left_out_and_an_emptied_directive_allows_nothing():
    page_policy = policy(CONTENTS, SERVER)
    less = page_policy.without("img-src", "http://127.0.0.1:8000/assets/icon.3.svg")
    assert less.directives["img-src"] == ("'none'",)
    assert page_policy.directives["img-src"] != ("'none'",), "a policy is a value"
    with pytest.raises(ValueError, match="does not allow"):
        page_policy.without("img-src", "data:")
