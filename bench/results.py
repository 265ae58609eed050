"""Results, as they are printed and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bench.budgets import Budget
from scripts.markdown import number


@dataclass(frozen=True, slots=True)
class Result:
    """One number.

    Attributes:
        section: what part of the service it is of.
        name: what was measured.
        value: how much it is.
        unit: of the value.
        budget: the most that it may be; None for what has no budget.
    """

    section: str
    name: str
    value: float
    unit: str = ""
    budget: Budget | None = None

    @property
    def mark(self) -> str:
        """The state of the budget; empty without one.

        `ok`; `NEAR` for a ratio of times that is over by less than times vary; `FLOOR` for what is over and cannot be
        less as things are built; `MISSED`.
        """
        if self.budget is None:
            return ""
        if self.value <= self.budget.most:
            return "ok"
        return "MISSED" if self.budget.missed(self.value) else "NEAR" if self.budget.kept(self.value) else "FLOOR"

    def json(self) -> dict[str, Any]:
        """The result as plain values."""
        most = None if self.budget is None else self.budget.most
        return {
            "section": self.section,
            "name": self.name,
            "value": round(self.value, 6),
            "unit": self.unit,
            "budget": most,
            "budget_of": None if self.budget is None else self.budget.what,
            "mark": self.mark,
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers side by side.

    Attributes:
        key: what it is called in JSON and in the README.
        title: what it shows, in a sentence.
        head: the names of the columns.
        rows: the cells; numbers are aligned to the right.
    """

    key: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | float]]

    def json(self) -> dict[str, Any]:
        """The table as plain values, numbers as they are printed."""
        cells = [[number(cell) if isinstance(cell, (int, float)) else cell for cell in row] for row in self.rows]
        return {"title": self.title, "head": list(self.head), "rows": cells}

    def lines(self) -> Iterator[str]:
        """The lines to print."""
        cells = [list(self.head), *self.json()["rows"]]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.head))]
        right = [any(isinstance(row[column], (int, float)) for row in self.rows) for column in range(len(self.head))]
        yield ""
        yield self.title
        for row in cells:
            padded = (
                cell.rjust(width) if aligned else cell.ljust(width)
                for cell, width, aligned in zip(row, widths, right, strict=True)
            )
            yield f"  {'  '.join(padded)}".rstrip()


def lines(results: Iterable[Result]) -> Iterator[str]:
    """The lines to print, by section."""
    for section, grouped in groupby(results, key=lambda result: result.section):
        yield ""
        yield section
        for result in grouped:
            most = "" if result.budget is None else f"<= {number(result.budget.most)}"
            yield f"  {result.name:<78} {number(result.value):>9} {result.unit:<8} {most:>8} {result.mark}".rstrip()
