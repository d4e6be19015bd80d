"""``python -m voicepilot.bundle [--out FOLDER]``: build the page and print its policy."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from voicepilot.bundle.archive import build_archive
from voicepilot.bundle.assets import Asset, BundleError
from voicepilot.bundle.page import Page, build_page
from voicepilot.bundle.policy import PageServer, policy
from voicepilot.bundle.runtime import read_runtime

SOURCES = Path(__file__).parents[1]
ROOT = SOURCES.parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Build the page; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m voicepilot.bundle", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "page")
    parser.add_argument("--webview", type=Path, default=ROOT / "webview")
    options = parser.parse_args(arguments)
    package = options.webview / "node_modules" / "pyodide"
    try:
        runtime = read_runtime(package)
        page = build_page(options.webview, runtime, build_archive(package, SOURCES))
        write(page, options.out)
    except (BundleError, OSError) as error:
        sys.stderr.write(f"The page was not built. {error}\n")
        return 1
    sys.stdout.write(f"{policy(page.contents, PageServer()).header}\n")
    return 0


def write(page: Page, out: Path) -> None:
    """Put ``page`` in the folder ``out`` in one step, replacing what is there.

    ``manifest.json`` lists every file with its integrity and media type, and holds the policy
    with ``{origin}`` where the page server's origin goes. ``csp.txt`` is the same policy for
    people.
    """
    header = policy(page.contents, PageServer()).header
    files = (page.document, *page.assets)
    manifest = {
        "build": page.build,
        "policy": header,
        "files": {
            asset.path: {"sha384": asset.integrity, "type": asset.media_type} for asset in files
        },
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        fresh = Path(scratch) / "page"
        for asset in (
            *files,
            Asset("/manifest.json", f"{json.dumps(manifest, indent=1)}\n".encode()),
            Asset("/csp.txt", f"{header}\n".encode()),
        ):
            asset.write(fresh)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)


if __name__ == "__main__":
    sys.exit(main())
