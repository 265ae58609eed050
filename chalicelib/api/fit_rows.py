"""Rows as JSON, as many as one answer may hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.api.http import encoded
from chalicelib.models.sending import bytes_sent, may_be_sent

_ROWS_AT_ONCE = 100


class Fitted(NamedTuple):
    """JSON texts of rows, comma-separated within each, and how many rows they have together."""

    texts: list[str]
    rows: int


def fit_rows(rows: Sequence[Any], max_bytes: int) -> Fitted:
    """The rows from the first, as many as have `max_bytes` as Lambda sends them; one at least.

    A hundred rows are encoded together, which is quicker; where the limit is among them, each is encoded alone.

    Args:
        rows: JSON values.
        max_bytes: of all texts together.
    """
    texts: list[str] = []
    size = number = 0
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        chunk = rows[start : start + _ROWS_AT_ONCE]
        text = encoded(chunk).text[1:-1]
        # Most pages are far from the limit: a bound is enough there, and an exact size is dear.
        bound = may_be_sent(text)
        if size + bound > max_bytes:
            bound = bytes_sent(text)
        if size + bound <= max_bytes:
            size += bound
            texts.append(text)
            number += len(chunk)
            continue
        for row in chunk:
            text = encoded(row).text
            size += bytes_sent(text)
            if number and size > max_bytes:
                break
            texts.append(text)
            number += 1
        break
    return Fitted(texts, number)
