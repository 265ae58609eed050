"""The formats that rows are taken along in, as a table: how a file is called, how it begins, and a row in it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.export import columns
from chalicelib.export.places import place, place_of
from chalicelib.models.sending import json_text


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        name: as it is asked for.
        media_type: as HTTP names it.
        heading: what a file of a log begins with, given the log.
        line: a row of a log, given the log and the row as the API answers it; it ends with a line end.
        places: the positions of the rows in a file, in its order, given the log and the lines of the file.
        is_wire: whether a line is just what the API answers.
    """

    name: str
    media_type: str
    heading: Callable[[str], str]
    line: Callable[[str, Mapping[str, Any]], str]
    places: Callable[[str, Iterable[str]], Iterator[str]]
    is_wire: bool = False

    @property
    def ending(self) -> str:
        """The ending of the name of a file."""
        return self.name if self.name != "ocsf" else "ocsf.ndjson"


def _places(log: str, lines: Iterable[str]) -> Iterator[str]:
    return (place(log, json.loads(line)) for line in lines)


def _event_places(_log: str, lines: Iterable[str]) -> Iterator[str]:
    events = (json.loads(line).get("metadata", {}) for line in lines)
    return (place_of(one.get("original_time"), one.get("uid")) for one in events)


def _event_line(log: str, row: Mapping[str, Any]) -> str:
    # Exports alone are written in it: a cold start need not pay for the tables.
    from chalicelib.export import ocsf_audit, ocsf_connections  # noqa: PLC0415

    event = ocsf_audit.audit_event if log == "audit" else ocsf_connections.connection_event
    return f"{json_text(event(row))}\n"


NDJSON: Final = Format(
    "ndjson", "application/x-ndjson", lambda _log: "", lambda _log, row: f"{json_text(row)}\n", _places, is_wire=True
)
CSV: Final = Format("csv", "text/csv", columns.heading, columns.line, columns.places)

OCSF: Final = Format("ocsf", "application/x-ndjson", lambda _log: "", _event_line, _event_places)

PAGE_FORMATS: Final[Mapping[str, Format]] = {one.name: one for one in (CSV, NDJSON)}
"""The formats of a page of a log beside JSON."""

FORMATS: Final[Mapping[str, Format]] = {one.name: one for one in (NDJSON, CSV, OCSF)}
"""The formats of an export."""
