"""Measures how deep a JSON value nests: stored values are walked again by readers with less stack than their sender."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

DEEPEST = 200
"""About as deep as a JSON body may nest."""


def too_deep(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether objects and lists nest deeper than `DEEPEST`."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(outer: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer
