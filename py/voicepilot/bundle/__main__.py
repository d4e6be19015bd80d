"""``python -m voicepilot.bundle [--packed] [--out FOLDER]``: build the page and print its policy."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from voicepilot.bundle.archive import build_archive
from voicepilot.bundle.assets import Asset, BundleError
from voicepilot.bundle.debug_page import ADDRESS, build_additions, build_debug_page
from voicepilot.bundle.editor_page import build_editor_page
from voicepilot.bundle.interpreter import serve
from voicepilot.bundle.memory import build_memory
from voicepilot.bundle.node import find_node
from voicepilot.bundle.page import Page, build_page
from voicepilot.bundle.policy import PageServer, policy
from voicepilot.bundle.runtime import read_runtime

SOURCES = Path(__file__).parents[1]
ROOT = SOURCES.parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Build the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m voicepilot.bundle", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "page")
    parser.add_argument(
        "--packed",
        action="store_true",
        help="for the extension: gzipped, with a document for webviews, without /debug",
    )
    parser.add_argument("--webview", type=Path, default=ROOT / "webview")
    parser.add_argument(
        "--wheels", type=Path, default=ROOT / ".venv" / "page-wheels", help="where micropip lies"
    )
    options = parser.parse_args(arguments)
    package = options.webview / "node_modules" / "pyodide"
    try:
        runtime = read_runtime(package)
        archive = build_archive(package, SOURCES)
        memory = build_memory(package, runtime, archive, find_node())
        interpreter = serve(runtime, archive, memory, packed=options.packed)
        page = build_page(options.webview, interpreter)
        if options.packed:
            editor = build_editor_page(options.webview, interpreter, page)
            write(page, options.out, unserved=(editor,))
        else:
            additions = build_additions(package, SOURCES, options.wheels)
            debug = build_debug_page(options.webview, interpreter, page, additions)
            write(page, options.out, {ADDRESS: debug})
    except (BundleError, OSError) as error:
        sys.stderr.write(f"The page was not built. {error}\n")
        return 1
    sys.stdout.write(f"{policy(page.contents, PageServer()).header}\n")
    return 0


def write(
    page: Page,
    out: Path,
    others: Mapping[str, Page] = MappingProxyType({}),
    unserved: tuple[Asset, ...] = (),
) -> None:
    """Put ``page`` in the folder ``out`` in one step, replacing what is there.

    ``others`` are further documents by the paths at which they are served; ``unserved`` lie beside
    the page and are for others than its server.

    ``manifest.json`` lists every file with its integrity and media type, and holds the policy
    with ``{origin}`` where the page server's origin goes, and the file and policy of every other
    document. ``csp.txt`` is the page's policy for people.
    """
    header = policy(page.contents, PageServer()).header
    files = {
        asset.path: asset
        for each in (page, *others.values())
        for asset in (each.document, *each.assets)
    }
    manifest = {
        "build": page.build,
        "policy": header,
        "documents": {
            path: {
                "file": other.document.path,
                "policy": policy(other.contents, PageServer()).header,
            }
            for path, other in others.items()
        },
        "files": {
            path: {"sha384": asset.integrity, "type": asset.media_type}
            for path, asset in files.items()
        },
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        fresh = Path(scratch) / "page"
        for asset in (
            *files.values(),
            *unserved,
            Asset("/manifest.json", f"{json.dumps(manifest, indent=1)}\n".encode()),
            Asset("/csp.txt", f"{header}\n".encode()),
        ):
            asset.write(fresh)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)


if __name__ == "__main__":
    sys.exit(main())
