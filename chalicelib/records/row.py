"""The common part of the rows of both logs: their data sets, the receipt of their event, a fast constructor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

CONNECTION_LOGS = "connection_logs"
AUDIT_LOGS = "audit_logs"
AUDIT_CONNECTION_EVENTS = "audit_connection_events"
API_KEYS = "api_keys"
DATA_SETS = (API_KEYS, AUDIT_CONNECTION_EVENTS, CONNECTION_LOGS, AUDIT_LOGS)
"""The data sets that have a retention of their own, in the order of the purge."""


class Receipt(NamedTuple):
    """When the service received an event, and the id of the token that sent it."""

    received_at: datetime
    written_by: str


class Row:
    """The common part of the rows of both logs.

    Attributes:
        spelled: the words of the row that came with capitals, as they were sent: field -> word. The fields have them
            in lower case, as lanes and searches do. None where there is none.
    """

    spelled: Mapping[str, str] | None

    @property
    def earlier(self) -> Iterator[Self]:
        """The row as it was stored before it became what it is, newest first; most rows never change."""
        return iter(())

    def as_sent(self, field: str) -> str:
        """The word of a field as it was sent, capitals included."""
        word: str = (self.spelled or {}).get(field) or getattr(self, field)
        return word

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """The row with these values, which are its own from now on; what has a default may be left out.

        To set frozen fields one by one is a tenth of the time that a page takes.
        """
        row = object.__new__(cls)
        object.__setattr__(row, "__dict__", values)
        return row
