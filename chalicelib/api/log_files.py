"""A page of a log as a file: which format a request asks for, and the answer in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib import times
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Invalid, Validation
from chalicelib.export.formats import PAGE_FORMATS, Format
from chalicelib.models.sending import bytes_sent
from chalicelib.retention.keeping import DATA_SETS_OF
from chalicelib.retention.policy import CutOffs
from chalicelib.search.values import quoted

ROWS = "Gatebook-Rows"
"""The header that says how many rows a file has."""
KEPT_SINCE = "Gatebook-Kept-Since"
"""The header that says from which moment on each data set of a log was kept when the page was read."""
_JSON_TYPES = ("application/json", "application/*", "*/*")
LARGEST_FILE = 5_000_000
"""Bytes of a page as Lambda sends it, which is six million in all."""


class Lines(NamedTuple):
    """The text of a file, and how many rows it holds."""

    text: str
    rows: int


def asked_format(call: Call) -> Format | None:
    """The format that `format`, or else `Accept`, asks for; None for JSON.

    Raises:
        Invalid: there is no such format.
    """
    name = call.query("format")
    if not name:
        return _accepted(call.header("Accept"))
    if name == "json":
        return None
    if name not in PAGE_FORMATS:
        problem = f'Query param "format" has invalid value: {quoted(name)} is not json, {" or ".join(PAGE_FORMATS)}'
        raise Invalid([Validation("format", problem)], "Query parameters have invalid values.")
    return PAGE_FORMATS[name]


def lines(wanted: Format, log: str, rows: Sequence[Mapping[str, Any]]) -> Lines:
    """The rows from the first, as many as one answer may hold, and one at least."""
    texts = [wanted.heading(log)]
    size = bytes_sent(texts[0])
    for row in rows:
        text = wanted.line(log, row)
        size += bytes_sent(text)
        if size > LARGEST_FILE and len(texts) > 1:
            break
        texts.append(text)
    return Lines("".join(texts), len(texts) - 1)


def answer(wanted: Format, name: str, page: Lines, headers: Mapping[str, str]) -> Answer:
    """The answer that a browser saves as a file."""
    return Answer(
        page.text,
        headers={
            ROWS: str(page.rows),
            "Content-Type": f"{wanted.media_type}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}.{wanted.name}"',
            **headers,
        },
    )


def kept_since(log: str, cut_offs: CutOffs) -> dict[str, str]:
    """The header that says since when the rows of a log are kept; none where all are."""
    since = [f"{name}={times.wire(moment)}" for name in DATA_SETS_OF[log] if (moment := cut_offs[name])]
    return {KEPT_SINCE: ", ".join(since)} if since else {}


def _accepted(header: str) -> Format | None:
    """The format that a client likes best of those there are; JSON where it names none."""
    known: Mapping[str, Format | None] = {
        **dict.fromkeys(_JSON_TYPES),
        **{one.media_type: one for one in PAGE_FORMATS.values()},
    }
    # Of those that are liked as much, the one that is named first.
    liked = sorted(_media_ranges(header), key=lambda one: -one[1])
    return next((known[name] for name, weight in liked if name in known and weight > 0), None)


def _media_ranges(header: str) -> Iterable[tuple[str, float]]:
    for part in header.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        weights = [word.removeprefix("q=") for word in parameters if word.startswith("q=")]
        try:
            yield name, float(weights[0]) if weights else 1.0
        except ValueError:
            yield name, 0.0
