"""Units by the worked examples of DynamoDB's pages on reads and writes, on transactions, and on secondary indexes."""

from __future__ import annotations

from typing import Any

import pytest

from bench.cost.size import item_size
from bench.cost.units import Consistency, Index, Table, read_units, refused_units, write_units

KB = 1_024
EVENTUAL, STRONG, TRANSACTIONAL = Consistency.EVENTUAL, Consistency.STRONG, Consistency.TRANSACTIONAL

PLAIN = Table("plain", ("id",), ())
INDEX = Index("by_color", ("color", "at"), frozenset({"note"}))
INDEXED = Table("indexed", ("id",), (INDEX,))


def sized(size: float) -> dict[str, Any]:
    """An item of exactly so many bytes."""
    item = {"id": {"S": "a"}, "pad": {"S": ""}}
    item["pad"] = {"S": "x" * (int(size) - item_size(item))}
    assert item_size(item) == int(size)
    return item


@pytest.mark.parametrize(
    ("sizes", "consistency", "units"),
    [
        pytest.param([3.5 * KB], STRONG, 1, id="an item of 3.5 KB is read as one of 4 KB"),
        pytest.param([10 * KB], STRONG, 3, id="an item of 10 KB is read as one of 12 KB"),
        pytest.param([8 * KB], STRONG, 2, id="8 KB read strongly"),
        pytest.param([8 * KB], EVENTUAL, 1, id="8 KB read eventually"),
        pytest.param([8 * KB], TRANSACTIONAL, 4, id="8 KB read in a transaction"),
        pytest.param([10.2 * KB] * 4, STRONG, 11, id="a query of 40.8 KB in all is read as 44 KB"),
        pytest.param([64] * 1_500, STRONG, 24, id="1,500 items of 64 bytes are read as 96 KB"),
        pytest.param([4 * KB], STRONG, 1, id="exactly 4 KB"),
        pytest.param([4 * KB + 1], STRONG, 2, id="one byte more"),
        pytest.param([], EVENTUAL, 0.5, id="nothing found costs as well"),
        pytest.param([500], TRANSACTIONAL, 2, id="one of three 500-byte items of a transaction that takes six"),
    ],
)
def test_a_read_takes_the_units_of_the_example(sizes: list[float], consistency: Consistency, units: float) -> None:
    assert read_units(map(int, sizes), consistency) == units


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        pytest.param(None, 500, 1, id="a new item under 1 KB"),
        pytest.param(None, 1.5 * KB, 2, id="a new item of 1.5 KB"),
        pytest.param(None, KB, 1, id="exactly 1 KB"),
        pytest.param(None, KB + 1, 2, id="one byte more"),
        pytest.param(3.5 * KB, 500, 4, id="the larger of old and new: shrinking"),
        pytest.param(500, 3.5 * KB, 4, id="the larger of old and new: growing"),
        pytest.param(2.5 * KB, None, 3, id="a deletion takes what is deleted"),
        pytest.param(None, None, 1, id="deleting what is not there"),
    ],
)
def test_a_write_takes_the_units_of_the_example(before: float | None, after: float | None, units: int) -> None:
    old = None if before is None else sized(before)
    new = None if after is None else sized(after)
    assert write_units(PLAIN, old, new) == {"": units}


@pytest.mark.parametrize(
    ("stored", "incoming", "units"),
    [
        pytest.param(None, None, 1, id="an update of what is not there"),
        pytest.param(100, None, 1, id="a small item"),
        pytest.param(300 * KB, None, 300, id="what is stored"),
        pytest.param(300 * KB, 310 * KB, 310, id="what was to be put, where it is larger"),
        pytest.param(None, 310 * KB, 310, id="and where there is nothing"),
    ],
)
def test_a_write_whose_condition_fails_takes_the_units_of_the_larger_item(
    stored: int | None, incoming: int | None, units: int
) -> None:
    sizes = [None if size is None else sized(size) for size in (stored, incoming)]
    assert refused_units(*sizes) == units


def row(color: str | None, at: str = "1", note: str = "", other: str = "") -> dict[str, Any]:
    item: dict[str, Any] = {"id": {"S": "a"}, "at": {"S": at}, "note": {"S": note}, "other": {"S": other}}
    return item if color is None else item | {"color": {"S": color}}


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        pytest.param(None, row("red"), 1, id="a new item with the key: one put"),
        pytest.param(row(None), row("red"), 1, id="an item that gets the key: one put"),
        pytest.param(row("red"), row("blue"), 2, id="the key changes: a deletion and a put"),
        pytest.param(row("red"), row("red", at="2"), 2, id="the sort key changes: as much"),
        pytest.param(row("red"), row(None), 1, id="an item that loses the key: one deletion"),
        pytest.param(row("red"), None, 1, id="an item that goes: one deletion"),
        pytest.param(row(None), row(None, note="x"), 0, id="not in the index before nor after: nothing"),
        pytest.param(row("red"), row("red", note="x"), 1, id="a projected attribute changes: one update"),
        pytest.param(row("red"), row("red", other="x"), 0, id="what changes is not projected: nothing"),
        pytest.param(None, row("red", note="x" * 1_500), 2, id="an entry of more than 1 KB"),
        pytest.param(None, row("red", other="x" * 1_500), 1, id="what is not projected makes no entry larger"),
        pytest.param(row("red", note="x" * 1_500), row("red"), 2, id="an update takes the larger size"),
        pytest.param(row("red", note="x" * 1_500), row("blue"), 3, id="a changed key takes both sizes"),
    ],
)
def test_an_index_takes_the_units_of_what_happens_to_its_entry(
    before: dict[str, Any] | None, after: dict[str, Any] | None, units: int
) -> None:
    assert write_units(INDEXED, before, after).get("by_color", 0) == units


def test_an_index_of_everything_holds_the_item_and_one_of_keys_the_keys() -> None:
    described = {
        "TableName": "three",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": kind,
                "KeySchema": [{"AttributeName": "color", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": kind} | ({"NonKeyAttributes": ["note"]} if kind == "INCLUDE" else {}),
            }
            for kind in ("ALL", "KEYS_ONLY", "INCLUDE")
        ],
    }
    table, item = Table.described(described), row("red")
    entries = [table.entry(item, index) for index in table.indexes]
    assert [sorted(held or ()) for held in entries] == [sorted(item), ["color", "id"], ["color", "id", "note"]]
    assert [table.entry(row(None), index) for index in table.indexes] == [None, None, None]
