"""Counts the rows of the platform's directory that a request reads, by kind and lane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chalicelib.store.platform.rows import TABLE

BY_ID: Final = ""
"""Stands for the lane of what is read by its id."""
_OF_THE_QUEUE: Final = ("provisioner_job", "queue")
_BESIDE: Final = frozenset(
    {
        _OF_THE_QUEUE,
        ("provisioner_job", "work"),
        ("provisioner_job", "worker"),
        ("provisioner_daemon", "seen"),
        ("workspace_agent", "parent"),
        ("tags", "listing"),
    }
)
"""The lanes that are read for what an answer says beside its rows, where it lists another kind."""


@dataclass
class Reading:
    """The rows of one request.

    Attributes:
        rows: (kind, lane) -> how many, those that a condition left out included.
    """

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """One call more; made to be given to `client.heard_by`."""
        if operation == "Query" and request["TableName"] == TABLE:
            (key,) = (value["S"] for name, value in request["ExpressionAttributeValues"].items() if name in _KEYS)
            self.rows[key.partition(":")[0], request["IndexName"]] += answer["ScannedCount"]
        elif operation == "BatchGetItem":
            for item in answer["Responses"].get(TABLE, ()):
                self.rows[item["id"]["S"].partition("#")[0], BY_ID] += 1
        elif operation == "GetItem" and request["TableName"] == TABLE:
            self.rows[request["Key"]["id"]["S"].partition("#")[0], BY_ID] += 1

    def chosen(self, kind: str) -> int:
        """Rows that were read to see which objects of a kind a list has: by id, and of any lane, whatever it is of."""
        return sum(number for read, number in self.rows.items() if _chooses(kind, *read))

    def beside(self, kind: str) -> int:
        """Rows that were read for what a list of a kind says of its objects, the queue left out."""
        return self.rows.total() - self.chosen(kind) - self.queue - self.able(kind)

    @property
    def queue(self) -> int:
        """Rows that were read to know the places in the queue of the deployment."""
        return self.rows[_OF_THE_QUEUE]

    def able(self, kind: str) -> int:
        """Rows of the daemons that could take a job of a list, which is none of daemons."""
        return 0 if kind == "provisioner_daemon" else self.rows["provisioner_daemon", "seen"]


_KEYS: Final = frozenset({":key", ":listing", ":worker"})
"""The names of the HASH value of a lane in requests."""


def _chooses(kind: str, of: str, lane: str) -> bool:
    if lane == BY_ID:
        return of == kind
    return (of, lane) not in _BESIDE or (of == kind and (of, lane) != _OF_THE_QUEUE)
