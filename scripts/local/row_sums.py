"""Rows as they are kept, and what is known of all rows of a table: enough to notice that one is gone or has changed."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

_DIGEST_BYTES = 16
_DIGESTS = 1 << 8 * _DIGEST_BYTES


class Row(NamedTuple):
    """An item as it is kept.

    Attributes:
        table: the full name.
        key: the values of its key in DynamoDB JSON, as `[{"S":"a"}]`.
        item: in DynamoDB JSON; None for one that is gone.
    """

    table: str
    key: str
    item: str | None


class Sum(NamedTuple):
    """The sums of the rows of a table: their number, and the sum of their digests."""

    rows: int = 0
    digest: int = 0

    def changed(self, before: Row | None, after: Row | None) -> Sum:
        """The sum after one row was put in the place of another."""
        rows = self.rows - (before is not None) + (after is not None)
        digest = self.digest - (_digest(before) if before else 0) + (_digest(after) if after else 0)
        return Sum(rows, digest % _DIGESTS)


def _digest(row: Row) -> int:
    text = "\0".join((row.table, row.key, row.item or ""))
    return int.from_bytes(blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest())
