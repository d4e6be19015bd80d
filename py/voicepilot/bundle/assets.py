"""What is a file of the built page, under which name is it served, and how is it recognised?"""

import base64
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MEDIA_TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".gz": "application/gzip",  # inflated by the page, not by the browser: no Content-Encoding
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",  # WebAssembly.instantiateStreaming insists on it
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}


class BundleError(Exception):
    """The page cannot be built; the text is a sentence for the person who builds."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the built page.

    ``path`` is root-relative ("/assets/page.0f3c….css"); the content behind a path under
    ``/assets/`` never changes, because the path holds a hash of the content.
    """

    path: str
    content: bytes

    @classmethod
    def named(cls, name: str, content: bytes) -> "Asset":
        """Return the asset that serves ``content`` as ``/assets/STEM.HASH.EXTENSION``."""
        stem, extension = PurePosixPath(name).stem, PurePosixPath(name).suffix
        return cls(f"/assets/{stem}.{fingerprint(content)}{extension}", content)

    def packed(self) -> "Asset":
        """Return it gzipped, as ``/assets/NAME.HASH.gz``. The same bytes give the same bytes."""
        name = PurePosixPath(self.path).name
        return Asset.named(f"{name}.gz", gzip.compress(self.content, 9, mtime=0))

    @property
    def media_type(self) -> str:
        """The Content-Type to serve it with."""
        extension = PurePosixPath(self.path).suffix
        try:
            return MEDIA_TYPES[extension]
        except KeyError:
            raise BundleError(
                f"{self.path} has no known media type. Add {extension!r} to bundle/assets.py."
            ) from None

    @property
    def integrity(self) -> str:
        """Its subresource integrity value, ``sha384-…`` (W3C SRI, 3.5)."""
        return digest("sha384", self.content)

    def write(self, folder: Path) -> None:
        """Write it where a server of ``folder`` finds it."""
        target = folder / self.path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.content)


def fingerprint(*contents: bytes) -> str:
    """Return 16 hexadecimal digits that stand for ``contents`` in a file name."""
    total = hashlib.sha256()
    for content in contents:
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()[:16]


def digest(algorithm: str, content: bytes) -> str:
    """Return ``ALGORITHM-BASE64`` as integrity attributes and policies write a hash."""
    value = hashlib.new(algorithm, content).digest()
    return f"{algorithm}-{base64.b64encode(value).decode()}"
