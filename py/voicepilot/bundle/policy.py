"""What may this build's page load, run and reach? Exactly what the build contains.

Nobody writes the content security policy by hand: it is computed from the files of the build, so
a file that is not part of it cannot run, and one that is needs no permission beyond its own.

Sources: W3C Content Security Policy Level 3; Trusted Types (``require-trusted-types-for``);
WebAssembly's ``'wasm-unsafe-eval'`` (CSP3, 4.4), which allows compiling WebAssembly and nothing
else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

ORIGIN = "{origin}"
"""Stands in a policy for the origin of the server, which is known only when it listens.
For its WebSockets, ``ws{origin}`` stands: the same origin with ``ws`` in the place of ``http``."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a build contains, as far as a browser must be told that it may use it.

    Paths are root-relative; hashes are CSP hash sources without their quotes.
    """

    inline_scripts: tuple[str, ...] = ()
    """Hashes of the scripts within the page: the import map."""

    modules: tuple[str, ...] = ()
    """Hashes of the module files; the import map gives the browser the same ones to compare."""

    worklets: tuple[str, ...] = ()
    """Paths of audio worklets. ``AudioWorklet.addModule`` takes no integrity value, so a hash
    cannot match (Chromium 156 refuses it); the path must."""

    styles: tuple[str, ...] = ()
    """Paths of style sheets."""

    images: tuple[str, ...] = ()
    """Paths of images."""

    fetched: tuple[str, ...] = ()
    """Paths that the page fetches: the WebAssembly and the archive."""

    endpoints: tuple[str, ...] = ()
    """Paths of the page server that the page talks to over HTTP."""

    sockets: tuple[str, ...] = ()
    """Paths of the page server that the page opens a WebSocket to."""


@dataclass(frozen=True, slots=True)
class PageServer:
    """The page comes from our own loopback server, under the policy as a header."""

    origin: str = ORIGIN


@dataclass(frozen=True, slots=True)
class Webview:
    """The page is a document of VS Code, under the policy as a ``<meta>``.

    Its files come from another origin, ``source`` (``webview.cspSource``), and its address
    changes at every opening, so scripts are allowed by ``nonce``, which imports inherit.
    """

    source: str
    nonce: str


Host = PageServer | Webview


@dataclass(frozen=True, slots=True)
class Policy:
    """A content security policy as a value: directive names, each with its sources."""

    directives: Mapping[str, tuple[str, ...]]

    @property
    def header(self) -> str:
        """The value of the ``Content-Security-Policy`` header."""
        return "; ".join(self._render(self.directives))

    @property
    def meta(self) -> str:
        """The content of the ``<meta>``, where ``frame-ancestors`` means nothing (CSP3, 3.3)."""
        return "; ".join(
            self._render(
                {
                    name: value
                    for name, value in self.directives.items()
                    if name != "frame-ancestors"
                }
            )
        )

    def without(self, directive: str, source: str) -> "Policy":
        """Return this policy less one source: what a test leaves out to see what it guards.

        A directive that keeps no source allows nothing. Raises ``ValueError`` for a source that
        is not there.
        """
        kept = list(self.directives.get(directive, ()))
        if source not in kept:
            raise ValueError(f"{directive} does not allow {source}")
        kept.remove(source)
        return replace(
            self,
            directives=MappingProxyType({**self.directives, directive: tuple(kept) or ("'none'",)}),
        )

    @staticmethod
    def _render(directives: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
        for name, sources in directives.items():
            yield " ".join((name, *sources))


def policy(contents: Contents, host: Host) -> Policy:
    """Return the policy for a page with ``contents`` at ``host``."""
    match host:
        case PageServer(origin):
            scripts = (
                *(f"'{value}'" for value in contents.inline_scripts + contents.modules),
                *_at(origin, contents.worklets),
            )
            styles = _at(origin, contents.styles)
            images = _at(origin, contents.images)
            # An http source does not cover ws (Chromium 156); 'self' does, with every path.
            reached = (
                *_at(origin, contents.fetched + contents.endpoints),
                *_at(f"ws{origin.removeprefix('http')}", contents.sockets),
            )
        case Webview(source, nonce):
            scripts = (f"'nonce-{nonce}'", source)
            styles = images = reached = (source,)
    return Policy(
        MappingProxyType(
            {
                "default-src": ("'none'",),
                "script-src": (*scripts, "'wasm-unsafe-eval'"),
                "style-src": styles or ("'none'",),
                "img-src": images or ("'none'",),
                "connect-src": reached or ("'none'",),
                "base-uri": ("'none'",),
                "form-action": ("'none'",),
                "frame-ancestors": ("'none'",),
                "require-trusted-types-for": ("'script'",),
                "trusted-types": ("'none'",),
            }
        )
    )


def _at(origin: str, paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(origin + path for path in paths)
