"""The request of an export: a log, a query, a range of time, a format. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from chalicelib import times
from chalicelib.export.formats import FORMATS, Format
from chalicelib.export.places import MOMENTS

BOUNDS = ("after", "before")
"""The keys of a query that bound the range."""


class Question(NamedTuple):
    """The request of an export.

    Attributes:
        log: `connection` or `audit`.
        q: the filter, without the range.
        begin: the earliest moment, itself included; None for whatever is kept.
        end: the latest moment, itself included. Rows that come meanwhile are newer, and are not asked for.
        format: the name of the format.
    """

    log: str
    q: str
    begin: datetime | None
    end: datetime
    format: str

    @property
    def written_in(self) -> Format:
        """The format."""
        return FORMATS[self.format]

    @property
    def query(self) -> str:
        """The filter with the range in it, as the API takes it."""
        begin = [f'after:"{times.wire(self.begin)}"'] if self.begin else []
        return " ".join([*([self.q] if self.q else []), *begin, f'before:"{times.wire(self.end)}"'])

    def saved(self) -> dict[str, Any]:
        """The question as JSON."""
        return {
            "log": self.log,
            "q": self.q,
            "from": self.begin and times.wire(self.begin),
            "to": times.wire(self.end),
            "format": self.format,
        }

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """The question as JSON had it.

        Raises:
            ValueError: it is none.
        """
        try:
            begin = saved["from"] and times.from_wire(saved["from"])
            made = cls(saved["log"], saved["q"], begin, times.from_wire(saved["to"]), saved["format"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no question: {dict(saved)}") from error
        if made.log not in MOMENTS or made.format not in FORMATS or not isinstance(made.q, str):
            raise ValueError(f"no question: {dict(saved)}")
        return made
