"""How does a second document show the call page's parts without a copy of them to keep up to date?

Where its template says ``<!-- part: CLASS -->``, the build puts the element of ``index.html`` whose
class is CLASS, with all that is in it.
"""

import re
from html.parser import HTMLParser

from voicepilot.bundle.assets import BundleError

_MARK = re.compile(r"<!-- part: ([\w-]+) -->")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)


def with_parts(template: str, source: str) -> str:
    """Return ``template`` with its marks replaced. Raises BundleError for a part that is not there."""
    return _MARK.sub(lambda mark: part(source, mark[1]), template)


def part(source: str, style_class: str) -> str:
    """Return the first element of the document ``source`` that has exactly this class."""
    finder = _Finder(source, style_class)
    finder.feed(source)
    finder.close()
    if finder.start is None or finder.end is None:
        raise BundleError(f'There is no element with class="{style_class}" in the call page.')
    return source[finder.start : finder.end]


class _Finder(HTMLParser):
    """Finds where an element begins and ends. The document closes every element that it opens."""

    def __init__(self, source: str, style_class: str) -> None:
        super().__init__()
        self.start: int | None = None
        self.end: int | None = None
        self._class = style_class
        self._depth = 0
        self._lines = [0]
        for line in source.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.start is None and dict(attrs).get("class") == self._class:
            self.start = self._place()
        if self.start is not None and self.end is None and tag not in _VOID:
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self.start is None or self.end is not None:
            return
        self._depth -= 1
        if self._depth == 0:
            self.end = self._place() + len(f"</{tag}>")

    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
