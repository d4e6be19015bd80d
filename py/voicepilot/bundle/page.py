"""How do the files in ``webview/`` become a page whose every part is named by its content?

``index.html`` is written as if it stood beside its files (``href="page.css"``). Here each local
reference is replaced by the hashed path of the file, and in front of the first script go:

* the import map: the names ``pyodide`` and ``python`` (``webview/interpreter.mjs``, which starts it), and
  the integrity of every module,
* ``modulepreload`` and ``preload``, so that the runtime is on its way before the loader runs,
* ``<script type="application/json" id="boot">``, the paths that the loader needs.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from voicepilot.bundle.assets import Asset, BundleError, digest, fingerprint
from voicepilot.bundle.interpreter import Interpreter
from voicepilot.bundle.policy import Contents

TEMPLATE = "index.html"
STARTER = "interpreter.mjs"
ENDPOINTS = ("/session",)
"""Where the page exchanges its token for a cookie."""
SOCKETS = ("/bridge", "/call")

_ATTRIBUTES = {"script": "src", "link": "href", "img": "src"}
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|/|#", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """The built page."""

    build: str
    """Names this build; page and backend compare it when they meet."""

    document: Asset
    assets: tuple[Asset, ...]
    """What the document refers to, the runtime and the archive included."""

    contents: Contents


@dataclass(frozen=True, slots=True)
class Additions:
    """What a document has beside what every document of ours has."""

    build: str = ""
    """The build that it belongs to; empty for the call page, whose files name the build."""

    template: str = ""
    """The document's text, where it is not the file as it was written."""

    imports: Mapping[str, Asset] = field(default_factory=dict)
    """Modules by the bare names under which other modules import them."""

    modules: tuple[Asset, ...] = ()
    """Modules that those import by their addresses."""

    fetched: Mapping[str, Asset] = field(default_factory=dict)
    """Files that the document fetches, by their names in ``boot``."""

    boot: Mapping[str, Any] = field(default_factory=dict)
    """What its program is told beside that, in ``boot``."""

    endpoints: tuple[str, ...] = ()
    """Further addresses of the page server that it asks; one that ends in a slash, with all below."""


NOTHING_MORE = Additions()


@dataclass(frozen=True, slots=True)
class _Reference:
    """A local file named in the template, with the place of its name in the text."""

    start: int
    end: int
    name: str


def build_page(
    webview: Path,
    interpreter: Interpreter,
    name: str = TEMPLATE,
    additions: Additions = NOTHING_MORE,
) -> Page:
    """Build the document ``name`` from the folder ``webview``, started by ``interpreter``."""
    template = additions.template or _read(webview, name, name).decode()
    references, first_script = _survey(name, template)
    named = {
        reference.name: Asset.named(reference.name, _read(webview, reference.name, name))
        for reference in references
    }
    worklets = {
        path.stem: Asset.named(path.name, path.read_bytes())
        for path in sorted((webview / "worklets").glob("*.js"))
    }
    starter = Asset.named(STARTER, _read(webview, STARTER, name))
    modules = (
        *interpreter.modules,
        starter,
        *(asset for name, asset in named.items() if name.endswith(".mjs")),
        *additions.imports.values(),
        *additions.modules,
    )
    assets = (
        *(*interpreter.modules, *interpreter.fetched, starter),
        *(*named.values(), *worklets.values()),
        *(*additions.imports.values(), *additions.modules, *additions.fetched.values()),
    )
    build = additions.build or fingerprint(template.encode(), *(asset.content for asset in assets))
    imports = {"pyodide": interpreter.runtime.loader, "python": starter, **additions.imports}
    import_map = _data(
        {
            "imports": {name: module.path for name, module in imports.items()},
            "integrity": {module.path: module.integrity for module in modules},
        }
    )
    boot = _data(
        {
            "build": build,
            **interpreter.boot,
            "worklets": {name: asset.path for name, asset in worklets.items()},
            **{name: asset.path for name, asset in additions.fetched.items()},
            **additions.boot,
        }
    )
    head = "\n".join(
        (
            f'<script type="importmap">{import_map}</script>',
            *(
                f'<link rel="modulepreload" href="{module.path}" integrity="{module.integrity}">'
                for module in modules
            ),
            *(
                f'<link rel="preload" as="fetch" crossorigin href="{asset.path}">'
                for asset in (*interpreter.urgent, *additions.fetched.values())
            ),
            f'<script type="application/json" id="boot">{boot}</script>\n',
        )
    )
    document = _rewrite(template, references, named, first_script, head)
    return Page(
        build=build,
        document=Asset(f"/{name}", document.encode()),
        assets=assets,
        contents=Contents(
            inline_scripts=(digest("sha256", import_map.encode()),),
            modules=tuple(module.integrity for module in modules),
            worklets=tuple(asset.path for asset in worklets.values()),
            styles=_paths(named, ".css"),
            images=_paths(named, ".svg", ".png"),
            fetched=tuple(
                asset.path for asset in (*interpreter.fetched, *additions.fetched.values())
            ),
            endpoints=ENDPOINTS + additions.endpoints,
            sockets=SOCKETS,
        ),
    )


def _read(webview: Path, name: str, document: str) -> bytes:
    file = webview / name
    if not file.is_file():
        raise BundleError(f"{document} refers to {name}, which is not in {webview}.")
    return file.read_bytes()


def _paths(named: Mapping[str, Asset], *extensions: str) -> tuple[str, ...]:
    return tuple(asset.path for name, asset in named.items() if name.endswith(extensions))


def _data(value: Any) -> str:
    """Return JSON that can stand within a ``<script>``."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _survey(name: str, template: str) -> tuple[tuple[_Reference, ...], int]:
    """Return the local references of ``template`` and where its first script begins."""
    survey = _Survey(name, template)
    survey.feed(template)
    survey.close()
    if survey.first_script is None:
        raise BundleError(f"{name} has no <script>: nothing would start Python.")
    return tuple(survey.references), survey.first_script


class _Survey(HTMLParser):
    """Finds places in the text and changes nothing, so that the rest stays as it was written."""

    def __init__(self, document: str, template: str) -> None:
        super().__init__()
        self._document = document
        self.references: list[_Reference] = []
        self.first_script: int | None = None
        self._lines = [0]
        for line in template.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, column = self.getpos()
        start = self._lines[line - 1] + column
        if tag == "script" and self.first_script is None:
            self.first_script = start
        name = dict(attrs).get(_ATTRIBUTES.get(tag, ""))
        if name is None or _ELSEWHERE.match(name):
            return
        written = html.escape(name)
        at = (self.get_starttag_text() or "").find(f'"{written}"')
        if at < 0:
            raise BundleError(f"{self._document}: write the reference to {name} in double quotes.")
        start += at + 1
        self.references.append(_Reference(start, start + len(written), name))


def _rewrite(
    template: str,
    references: tuple[_Reference, ...],
    named: Mapping[str, Asset],
    head_at: int,
    head: str,
) -> str:
    edits = [
        (reference.start, reference.end, named[reference.name].path) for reference in references
    ]
    result = template
    for start, end, text in sorted([*edits, (head_at, head_at, head)], reverse=True):
        result = result[:start] + text + result[end:]
    return result
