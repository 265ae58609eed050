"""An index and its table as lists: they answer the requests of a read, without an engine, and note what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from chalicelib.lanes.catalogue import ALL, EVENT_TIME, POSITION
from chalicelib.records import ConnectionLog
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.definitions import DOC, PACKED_DOC
from chalicelib.store.dynamodb.rounds import Request, Rounds
from chalicelib.store.logs.connection_rows import to_item

T = TypeVar("T")


class FakeIndex:
    """Answers `Query` by the key of a lane, and `BatchGetItem` by id.

    Attributes:
        rounds: the requests of every round.
        largest: how many rows an answer has at most.
    """

    def __init__(self, items: Iterable[Item] = (), table: Iterable[Item] = (), largest: int = 1_000) -> None:
        self.rounds: list[Sequence[Request]] = []
        self.largest = largest
        self._items = sorted(items, key=lambda item: str(item[POSITION]["S"]), reverse=True)
        self._table = {item["id"]["S"]: item for item in table}

    def run(self, rounds: Rounds[T]) -> T:
        """The result of a generator of rounds."""
        answers: list[dict[str, Any]] | None = None
        while True:
            try:
                requests = next(rounds) if answers is None else rounds.send(answers)
            except StopIteration as end:
                result: T = end.value
                return result
            self.rounds.append(requests)
            answers = [self._answer(request.operation, request.parameters) for request in requests]

    @property
    def calls(self) -> list[str]:
        """The operations of all requests."""
        return [request.operation for requests in self.rounds for request in requests]

    def _answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return self._query(request) if operation == "Query" else self._get(request)

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        lane, start = request["IndexName"], request.get("ExclusiveStartKey")
        inside = [
            item
            for item in self._items
            if item[lane]["S"] == values[":key"]
            and values[":low"] <= item[POSITION]["S"] <= values[":high"]
            and (start is None or item[POSITION]["S"] < start[POSITION]["S"])
        ]
        read = inside[: min(request["Limit"], self.largest)]
        passed = [item for item in read if "FilterExpression" not in request or EVENT_TIME not in item]
        answer: dict[str, Any] = {"ScannedCount": len(read), "Count": len(passed)}
        if request.get("Select") != "COUNT":
            answer["Items"] = passed
        if len(read) < len(inside):
            answer["LastEvaluatedKey"] = {name: read[-1][name] for name in ("id", POSITION, lane)}
        return answer

    def _get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Responses": {
                name: [self._table[key["id"]["S"]] for key in wanted["Keys"] if key["id"]["S"] in self._table]
                for name, wanted in request["RequestItems"].items()
            }
        }


def sessions(
    row: ConnectionLog, number: int, first: int = 0, step: timedelta = timedelta(seconds=1)
) -> list[ConnectionLog]:
    """Sessions like one, each begun a step later than the one before."""
    return [
        replace(row, id=str(UUID(int=first + index)), connect_time=row.connect_time + (first + index) * step)
        for index in range(number)
    ]


def entries(rows: Iterable[ConnectionLog], lane: str = ALL, shards: int = 1) -> list[Item]:
    """The entries that rows have in a lane."""
    items = [to_item(row, shards=shards, revision=1) for row in rows]
    held = ("id", POSITION, lane, DOC, PACKED_DOC)
    return [{name: item[name] for name in held if name in item} for item in items if lane in item]


def bases(rows: Iterable[ConnectionLog]) -> list[Item]:
    """The items of rows in the table."""
    return [to_item(row, shards=1, revision=1) for row in rows]
