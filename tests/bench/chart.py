"""How does a row look as a bar? One SVG without scripts, fonts or colours from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_LABELS: Final = 250
_WIDTH: Final = 800
_STEP: Final = 26
_TOP: Final = 40
_OURS: Final = "#0a7d6c"
_OTHERS: Final = "#8a8f98"
_INK: Final = "#6b7280"  # seen on white and on black


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the median, and a line from the least to the greatest value."""

    label: str
    median: float
    least: float
    greatest: float
    is_ours: bool


def bars(title: str, rows: Sequence[Bar]) -> str:
    """The chart of these bars on one scale from zero."""
    scale = (_WIDTH - _LABELS - 90) / max((row.greatest for row in rows), default=1.0)
    drawn = [_bar(row, _TOP + place * _STEP, scale) for place, row in enumerate(rows)]
    height = _TOP + len(rows) * _STEP + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'role="img" aria-label="{escape(title)}" font-family="sans-serif" font-size="13" '
            f'fill="{_INK}">',
            f'<text x="0" y="18" font-size="15" font-weight="bold">{escape(title)}</text>',
            *drawn,
            "</svg>",
            "",
        ]
    )


def _bar(row: Bar, top: int, scale: float) -> str:
    middle = top + _STEP // 2 - 3
    least, greatest = (_LABELS + value * scale for value in (row.least, row.greatest))
    colour = _OURS if row.is_ours else _OTHERS
    value = f"{row.median:,.0f}" if row.median >= 10 else f"{row.median:.2g}"
    return (
        f'<text x="{_LABELS - 8}" y="{middle + 4}" text-anchor="end">{escape(row.label)}</text>'
        f'<rect x="{_LABELS}" y="{middle - 8}" width="{row.median * scale:.1f}" height="16" '
        f'rx="2" fill="{colour}"/>'
        f'<path d="M{least:.1f} {middle}H{greatest:.1f}M{least:.1f} {middle - 4}v8'
        f'M{greatest:.1f} {middle - 4}v8" stroke="{_INK}" fill="none"/>'
        f'<text x="{greatest + 8:.1f}" y="{middle + 4}">{value}</text>'
    )
