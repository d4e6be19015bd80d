"""What of the call page must be different in a webview of VS Code?

Its files come from another origin than the document, below an address that is known only when the
webview is there, so this document is a form with three blanks that the extension host fills in:
``{base}`` is the address of the page's folder, ``{source}`` where VS Code says that a webview's files
come from (``webview.cspSource``), ``{nonce}`` a new secret. The policy is a ``<meta>``; VS Code's own
scripts and styles stand before it.
"""

import re
from pathlib import Path

from voicepilot.bundle.assets import Asset
from voicepilot.bundle.interpreter import Interpreter
from voicepilot.bundle.page import TEMPLATE, Additions, Page, build_page
from voicepilot.bundle.policy import Webview, policy

ADDRESS = "/editor.html"
BASE, SOURCE, NONCE = "{base}", "{source}", "{nonce}"
_ROOT_RELATIVE = re.compile(r'"/(?=assets/)')
_SCRIPT = re.compile(r'<script (?!type="application/json")')


def build_editor_page(webview: Path, interpreter: Interpreter, page: Page) -> Asset:
    """Return the document of ``page`` for a webview."""
    additions = Additions(build=page.build, boot={"host": "editor"})
    built = build_page(webview, interpreter, TEMPLATE, additions)
    text = built.document.content.decode()
    text = _ROOT_RELATIVE.sub(f'"{BASE}/', text)
    text = _SCRIPT.sub(f'<script nonce="{NONCE}" ', text)
    guard = policy(built.contents, Webview(SOURCE, NONCE)).meta
    meta = f'<meta http-equiv="Content-Security-Policy" content="{guard}">'
    head, found, rest = text.partition("<head>\n")
    return Asset(ADDRESS, f"{head}{found}{meta}\n{rest}".encode())
