"""A merge beside a sorted list, without an engine: whatever the keys, the demands and the sizes of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lanes.catalogue import POSITION
from chalicelib.lanes.plan import Plan
from chalicelib.lanes.positions import position
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.rounds import IN_FLIGHT, Request
from chalicelib.store.logs.merge import Batch, Checkpoint, End, Merge, Spent

NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)


class Index:
    """Answers queries of one index from lists of positions, and notes how large each round was."""

    def __init__(self, keys: Mapping[str, Sequence[str]], largest: int = 1_000_000) -> None:
        self.keys = {key: sorted(positions, reverse=True) for key, positions in keys.items()}
        self.rounds: list[int] = []
        self.rows = 0
        self._largest = largest

    def next(self, merge: Merge, wanted: float) -> Batch:
        rounds = merge.round(wanted)
        try:
            requests = next(rounds)
            self.rounds.append(len(requests))
            rounds.send([self._answer(request) for request in requests])
        except StopIteration as end:
            batch: Batch = end.value
            return batch
        raise AssertionError("a batch is one round")

    def _answer(self, request: Request) -> dict[str, Any]:
        values = {name: value["S"] for name, value in request.parameters["ExpressionAttributeValues"].items()}
        inside = [one for one in self.keys[values[":key"]] if values[":low"] <= one <= values[":high"]]
        sent = inside[: min(request.parameters["Limit"], self._largest)]
        self.rows += len(sent)
        answer = {"Items": [_item(one) for one in sent], "ScannedCount": len(sent)}
        return answer | ({"LastEvaluatedKey": _item(sent[-1])} if len(sent) < len(inside) else {})


def _item(place: str) -> dict[str, Any]:
    return {"id": {"S": place[27:]}, POSITION: {"S": place}}


def places(steps: Sequence[int], first: int) -> list[str]:
    return [position(NOON - timedelta(milliseconds=step), str(UUID(int=first + n))) for n, step in enumerate(steps)]


def newest_first(keys: Mapping[str, Sequence[str]]) -> list[str]:
    return sorted((place for positions in keys.values() for place in positions), reverse=True)


spreads = st.lists(st.lists(st.integers(0, 3) | st.integers(0, 100_000_000), max_size=25), min_size=1, max_size=20)


@settings(deadline=None, max_examples=300)
@given(spreads, st.integers(1, 60), st.integers(1, 30), st.sampled_from([1, 7, 1_000_000]))
def test_every_row_comes_once_and_in_order(spread: list[list[int]], wanted: int, largest: int, rows: int) -> None:
    keys = {f"key-{n}": places(steps, 1_000 * n) for n, steps in enumerate(spread)}
    index = Index(keys, largest)
    merge = Merge("table", Plan("lane", tuple(keys)), Budget(10_000))
    met: list[str] = []
    state: Checkpoint | Spent | End = Checkpoint("")
    while isinstance(state, Checkpoint):
        items, state = index.next(merge, wanted)
        met += [item[POSITION]["S"] for item in items]
        if isinstance(state, Checkpoint):
            assert met == [one for one in newest_first(keys) if one >= state.position]
    assert state == End()
    assert met == newest_first(keys)
    assert len(index.rounds) < 2_000
    _stops_where_it_says(keys, rows)


def _stops_where_it_says(keys: dict[str, list[str]], rows: int) -> None:
    """A budget ends a merge at a checkpoint down to which all rows were passed on."""
    index, merge = Index(keys), Merge("table", Plan("lane", tuple(keys)), Budget(rows))
    met: list[str] = []
    state: Checkpoint | Spent | End = Checkpoint("")
    while isinstance(state, Checkpoint):
        items, state = index.next(merge, 10)
        met += [item[POSITION]["S"] for item in items]
    every = newest_first(keys)
    assert met == (every if isinstance(state, End) else [one for one in every if one >= state.position])
    assert met or not every or isinstance(state, End), "the first round always makes progress"


@pytest.mark.parametrize("keys", [2, 4, 16, 50])
def test_a_page_reads_little_more_than_its_rows_in_a_few_rounds(keys: int) -> None:
    random = Random(keys)
    spread: dict[str, list[int]] = {f"key-{n}": [] for n in range(keys)}
    for step in range(5_000):
        spread[random.choice(list(spread))].append(step * 1_000)
    index = Index({key: places(steps, 10_000 * n) for n, (key, steps) in enumerate(spread.items())})
    merge = Merge("table", Plan("lane", tuple(spread)), Budget())
    met = 0
    while met < 101:
        met += len(index.next(merge, 101 - met).items)
    assert index.rows <= 120
    assert len(index.rounds) <= 4


def read_page(spread: Mapping[str, list[int]], wanted: int = 101) -> Index:
    """The index after a page was read of keys."""
    index = Index({key: places(steps, 10_000 * n) for n, (key, steps) in enumerate(spread.items())})
    merge, met, state = Merge("table", Plan("lane", tuple(spread)), Budget()), 0, Checkpoint("")
    while met < wanted and isinstance(state, Checkpoint):
        batch = index.next(merge, wanted - met)
        met, state = met + len(batch.items), batch.state  # type: ignore[assignment]
    return index


@pytest.mark.parametrize("seed", range(10))
def test_rows_that_are_many_of_late_and_few_before_are_read_in_three_rounds(seed: int) -> None:
    """As open sessions are: of the last two hours many are open, and of those before a few that never closed."""
    random = Random(seed)
    spread: dict[str, list[int]] = {f"key-{n}": [] for n in range(4)}
    minutes = [m for m in range(120) if random.random() < (1 - m / 120) / 2]
    minutes += list(range(121, 40_000, 100))
    for minute in minutes:
        spread[random.choice(list(spread))].append(minute * 60_000)
    index = read_page(spread)
    assert len(index.rounds) <= 3
    assert sum(index.rounds) <= 12
    assert index.rows <= 125


@pytest.mark.parametrize("keys", [2, 4, 16])
def test_rows_that_end_before_the_page_does_are_not_looked_for_in_many_steps(keys: int) -> None:
    random = Random(keys)
    spread: dict[str, list[int]] = {f"key-{n}": [] for n in range(keys)}
    for step in range(81):
        spread[random.choice(list(spread))].append(step * 1_000)
    index = read_page(spread)
    assert index.rows == 81
    assert len(index.rounds) <= 6, "ten, when each step goes a little further back"


def test_a_busy_key_among_quiet_ones_is_not_read_far_beyond_the_page() -> None:
    index = read_page({"busy": list(range(0, 3_000_000, 1_000)), **{f"quiet-{n}": [n] for n in range(3)}})
    assert index.rows <= 130
    assert len(index.rounds) <= 3


def test_a_large_range_of_one_key_is_read_side_by_side() -> None:
    index = Index({"key": places([step * 1_000 for step in range(20_500)], 0)}, largest=2_200)
    merge = Merge("table", Plan("lane", ("key",)), Budget(20_000))
    wanted = 101
    while not isinstance(index.next(merge, wanted).state, Spent | End):
        wanted *= 8
    assert index.rows == 20_000
    assert len(index.rounds) <= 6, "one after the other they would be twenty-one"
    assert max(index.rounds) <= IN_FLIGHT
    assert sum(index.rounds) <= 40
