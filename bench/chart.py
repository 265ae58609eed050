"""Panels of lines side by side, drawn as SVG, both scales logarithmic.

The colours can be distinguished by people who see few of them, and every line has its name at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 960, 460
_TOP, _BOTTOM, _LEFT, _GAP = 96, 70, 86, 60
_LABELS = 150
"""Room at the right of a panel for the names of its lines."""
_LINE_HEIGHT = 15
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
_FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"
_INK, _SOFT, _RULE = "#1f2328", "#59636e", "#e4e7eb"


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the plots that stand side by side.

    Attributes:
        title: whose lines they are.
        lines: name -> (size of the table, value), by size.
    """

    title: str
    lines: Mapping[str, Points]


def drawn(title: str, subtitle: str, x: str, y: str, panels: Sequence[Panel]) -> str:
    """The SVG of panels on one scale.

    Args:
        title: what is seen.
        subtitle: how it was measured.
        x: the name of the horizontal axis.
        y: that of the vertical one.
        panels: from left to right; a line keeps its colour in all of them.
    """
    points = [point for panel in panels for line in panel.lines.values() for point in line]
    low, high = _decades(value for _, value in points)
    first, last = min(size for size, _ in points), max(size for size, _ in points)
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    colours = {name: _COLOURS[index % len(_COLOURS)] for index, name in enumerate(names)}
    width = (_WIDTH - _LEFT - _GAP * (len(panels) - 1)) / len(panels) - _LABELS
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' {_FONT}>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{_WIDTH}' height='{_HEIGHT}' fill='#ffffff'/>",
        _text(_LEFT - 66, 32, title, 19, _INK, weight=600),
        _text(_LEFT - 66, 54, subtitle, 13, _SOFT),
    ]
    for index, panel in enumerate(panels):
        left = _LEFT + index * (width + _LABELS + _GAP)
        frame = _Frame(left, width, first, last, low, high)
        parts += frame.axes(panel.title, x, sorted({size for size, _ in points}))
        parts += frame.lines(panel.lines, colours)
    parts.append(
        f"<text transform='translate({_LEFT - 62} {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)' text-anchor='middle'"
        f" font-size='12' fill='{_SOFT}'>{escape(y)}</text>"
    )
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the points of one panel are."""

    left: float
    width: float
    first: float
    last: float
    low: int
    high: int

    def across(self, size: float) -> float:
        return self.left + self.width * (log10(size) - log10(self.first)) / (log10(self.last) - log10(self.first))

    def down(self, value: float) -> float:
        share = (log10(max(value, 10**self.low)) - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)

    def axes(self, title: str, x: str, sizes: Iterable[float]) -> Iterable[str]:
        yield _text(self.left, _TOP - 16, title, 14, _INK, weight=600)
        for decade in range(self.low, self.high + 1):
            y = self.down(10**decade)
            yield f"<path d='M{self.left:.1f} {y:.1f}H{self.left + self.width:.1f}' stroke='{_RULE}'/>"
            yield _text(self.left - 8, y + 4, f"{10**decade:,}", 12, _SOFT, anchor="end")
        floor_ = self.down(10**self.low)
        for size in sizes:
            at = self.across(size)
            yield f"<path d='M{at:.1f} {floor_:.1f}v5' stroke='{_SOFT}'/>"
            yield _text(at, floor_ + 20, f"{size:,.0f}", 12, _SOFT, anchor="middle")
        yield _text(self.left + self.width / 2, floor_ + 44, x, 12, _SOFT, anchor="middle")

    def lines(self, lines: Mapping[str, Points], colours: Mapping[str, str]) -> Iterable[str]:
        for name, points in lines.items():
            path = " ".join(f"{self.across(size):.1f},{self.down(value):.1f}" for size, value in points)
            yield f"<polyline points='{path}' fill='none' stroke='{colours[name]}' stroke-width='2.5'/>"
            for size, value in points:
                at = f"cx='{self.across(size):.1f}' cy='{self.down(value):.1f}'"
                yield f"<circle {at} r='3.5' fill='{colours[name]}'/>"
        ends = sorted((self.down(points[-1][1]), name) for name, points in lines.items())
        places = _apart([y for y, _ in ends], self.down(10**self.low))
        for place, (y, name) in zip(places, ends, strict=True):
            right = self.left + self.width
            yield (
                f"<path d='M{right + 6:.1f} {y:.1f}L{right + 16:.1f} {place:.1f}'"
                f" stroke='{colours[name]}' stroke-opacity='.5' fill='none'/>"
            )
            yield _text(right + 20, place + 4, name, 12, colours[name])


def _apart(places: Sequence[float], lowest: float) -> list[float]:
    """The places, moved so that names lie neither on each other nor below `lowest`, but near where they belong."""
    groups: list[list[float]] = []
    for place in places:
        groups.append([place])
        while len(groups) > 1 and _end(groups[-2]) + _LINE_HEIGHT > _begin(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    apart = [_begin(group) + index * _LINE_HEIGHT for group in groups for index in range(len(group))]
    for index in reversed(range(len(apart))):
        apart[index] = min(apart[index], lowest)
        lowest = apart[index] - _LINE_HEIGHT
    return apart


def _begin(group: Sequence[float]) -> float:
    return sum(group) / len(group) - (len(group) - 1) * _LINE_HEIGHT / 2


def _end(group: Sequence[float]) -> float:
    return _begin(group) + (len(group) - 1) * _LINE_HEIGHT


def _decades(values: Iterable[float]) -> tuple[int, int]:
    positive = [value for value in values if value > 0]
    low, high = floor(log10(min(positive))), ceil(log10(max(positive)))
    return low, max(high, low + 1)


def _text(x: float, y: float, text: str, size: int, colour: str, *, anchor: str = "start", weight: int = 400) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' font-weight='{weight}' text-anchor='{anchor}'"
        f" fill='{colour}'>{escape(text)}</text>"
    )
