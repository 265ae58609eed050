"""Counts the rows of the platform's directory that a request reads, by kind and lane."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chalicelib.store.platform.rows import TABLE

_PLACEHOLDER: Final = re.compile(r":\w+")
BY_ID: Final = ""
"""Stands for the lane of what is read by its id."""
_OF_THE_QUEUE: Final = ("provisioner_job", "queue")
_BESIDE: Final = frozenset(
    {
        ("provisioner_job", "by_worker"),
        ("workspace_agent", "parent"),
    }
)
"""The lanes that are read for what an answer says beside its rows, where it lists another kind."""
_ABLE: Final = ("provisioner_daemon", "by_worker")
_NOTES: Final = frozenset({("tags", "listing"), ("templates", "listing")})
"""The notes of which values there are, few for many rows: they say which keys of a lane to read."""


@dataclass
class Reading:
    """The rows of one request.

    Attributes:
        rows: (kind, lane) -> how many, those that a condition left out included.
        calls: to the store, whatever they are for.
    """

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: int = 0

    def add(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """One call more; made to be given to `client.heard_by`."""
        self.calls += 1
        if operation == "Query" and request["TableName"] == TABLE:
            name = _PLACEHOLDER.search(request["KeyConditionExpression"])
            assert name is not None  # noqa: S101 - a condition compares the HASH first
            key = request["ExpressionAttributeValues"][name[0]]["S"]
            self.rows[key.partition(":")[0], request["IndexName"]] += answer["ScannedCount"]
        elif operation == "BatchGetItem":
            for item in answer["Responses"].get(TABLE, ()):
                self.rows[item["id"]["S"].partition("#")[0], BY_ID] += 1
        elif operation == "GetItem" and request["TableName"] == TABLE:
            self.rows[request["Key"]["id"]["S"].partition("#")[0], BY_ID] += 1

    def chosen(self, kind: str) -> int:
        """Rows of lanes that were read to see which objects of a kind a list has, whatever they are rows of."""
        return sum(number for read, number in self.rows.items() if self._chooses(kind, read))

    def by_id(self, kind: str) -> int:
        """Objects of a kind that were read by their ids."""
        return self.rows[kind, BY_ID]

    def beside(self, kind: str) -> int:
        """Rows that were read for what a list of a kind says of its objects, and that no other method counts."""
        apart = self.chosen(kind) + self.by_id(kind) + self.queue + self.able(kind) + self.notes
        return self.rows.total() - apart

    @property
    def queue(self) -> int:
        """Rows that were read to know the places in the queue of the deployment."""
        return self.rows[_OF_THE_QUEUE]

    def able(self, kind: str) -> int:
        """Rows of the daemons that could take a job of a list, which is none of daemons."""
        return 0 if kind == _ABLE[0] else self.rows[_ABLE]

    @property
    def notes(self) -> int:
        """Notes that were read to know the keys of a lane."""
        return sum(self.rows[read] for read in _NOTES)

    @staticmethod
    def _chooses(kind: str, read: tuple[str, str]) -> bool:
        of, lane = read
        if lane == BY_ID or read == _OF_THE_QUEUE or read in _NOTES:
            return False
        return of == kind or read not in {*_BESIDE, _ABLE}
