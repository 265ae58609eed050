"""The progress of an export: the parts that are finished, and the place that the next page begins at. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from chalicelib.export.parts import Aside, Part

CutOffs = Mapping[str, str]
"""Data set -> the moment from which on its rows are kept; those without one are kept whole."""


class Page(NamedTuple):
    """A page of an export.

    Attributes:
        lines: its rows, newest first, each as a line of NDJSON with its line end.
        following: the cursor of the page after it; "" where it is the last.
        cut_offs: since when rows were kept as it was read.
    """

    lines: Sequence[str]
    following: str
    cut_offs: CutOffs


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an export.

    Attributes:
        parts: those that are finished.
        cursor: of the page in which the last of them ends, or of a later one where no row came between.
        aside: the part that was laid aside; None where none was since the last one was finished.
        cut_offs: since when rows were kept as it began; None before the first page.
        latest: since when they were kept as the last page was read.
        ended: whether there are no more rows.
    """

    parts: tuple[Part, ...] = ()
    cursor: str = ""
    aside: Aside | None = None
    cut_offs: CutOffs | None = None
    latest: CutOffs | None = None
    ended: bool = False

    @property
    def last(self) -> str:
        """The position of the last row that is written; "" before the first."""
        return self.parts[-1].last if self.parts else ""

    @property
    def rows(self) -> int:
        """How many rows the finished parts hold."""
        return sum(part.rows for part in self.parts)

    def read(self, page: Page) -> Progress:
        """The progress once a page was read."""
        first = page.cut_offs if self.cut_offs is None else self.cut_offs
        return replace(self, cut_offs=first, latest=page.cut_offs)

    def saved(self) -> dict[str, Any]:
        """The progress as JSON."""
        return {
            "parts": [part._asdict() for part in self.parts],
            "cursor": self.cursor,
            "aside": self.aside and self.aside._asdict(),
            "cut_offs": self.cut_offs,
            "latest": self.latest,
            "ended": self.ended,
        }

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """The progress as JSON had it.

        Raises:
            ValueError: it is none.
        """
        try:
            parts = tuple(map(Part.of, saved["parts"]))
            aside = saved["aside"] and Aside.of(saved["aside"])
            return cls(parts, saved["cursor"], aside, saved["cut_offs"], saved["latest"], saved["ended"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no progress: {dict(saved)}") from error
