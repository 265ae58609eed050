"""Audit rows are written once, whole or not at all, and never over another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.logs.audit_event import beside, join
from chalicelib.records import AuditLog
from chalicelib.store.dynamodb.client import TransactionCancelled, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.dynamodb.transaction import transact
from chalicelib.store.logs import audit_rows
from chalicelib.store.logs.audit_rows import writes_of
from chalicelib.store.logs.audit_writer import write, write_all, write_once
from chalicelib.store.logs.write_pool import NotWritten, Written
from scripts.local.engine import EmbeddedEngine
from tests.store.audit import TABLE, noise, soon, stored, wide
from tests.store.logs.test_audit_rows import ROW
from tests.transport import ObservedTransport

pytestmark = pytest.mark.usefixtures("tables")

OTHER_ID = str(UUID(int=7))
OTHER = replace(ROW, action="stop")
THIRD = replace(ROW, action="delete")


def huge(row: AuditLog, seed: int = 1, size: int = 9_000) -> AuditLog:
    """The row with more than one item takes, as small as items are here."""
    return wide(row, seed, size, size)


@pytest.fixture(autouse=True)
def _items_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_rows, "LARGEST_ITEM_BYTES", 6_000)


def send(rows: Sequence[AuditLog]) -> list[Written[AuditLog] | NotWritten]:
    return write_all(rows, join, give_up_at=soon())


@pytest.mark.needs("rows with refusals")
def test_an_event_is_one_put_and_so_is_its_repetition(transport: ObservedTransport) -> None:
    assert write(ROW, join) == Written(None, ROW)
    assert write(ROW, join) == Written(ROW, ROW)
    assert transport.operations == ["PutItem", "PutItem"]
    assert stored() == [ROW]


@pytest.mark.needs("rows with refusals")
def test_another_event_under_a_used_id_is_kept_beside_it_once(transport: ObservedTransport) -> None:
    write(ROW, join)
    kept = beside(OTHER)
    assert write(OTHER, join) == Written(None, kept)
    assert write(OTHER, join) == Written(kept, kept)
    assert write(ROW, join) == Written(ROW, ROW)
    assert transport.operations == ["PutItem"] * 6
    assert {row.action for row in stored()} == {"start", "stop"}


def test_an_event_whose_other_id_is_taken_too_finds_a_third() -> None:
    write(ROW, join)
    squatter = replace(THIRD, id=beside(OTHER).id)
    write(squatter, join)
    written = write(OTHER, join)
    assert written == Written(None, beside(beside(OTHER)))
    assert write(OTHER, join) == Written(written.after, written.after)
    assert {row.action for row in stored()} == {"start", "stop", "delete"}


def test_a_row_of_several_items_is_one_transaction_and_is_known_again(transport: ObservedTransport) -> None:
    row = huge(ROW)
    assert write(row, join) == Written(None, row)
    assert transport.operations == ["TransactWriteItems"]
    assert stored() == [row]
    assert write(row, join) == Written(row, row)
    other = replace(row, action="stop")
    assert write(other, join) == Written(None, beside(other))
    assert len(stored()) == 2


def test_what_is_left_of_a_row_that_was_purged_stands_in_the_way_of_none() -> None:
    row = huge(ROW)
    call("PutItem", {"TableName": TABLE, "Item": {"id": {"S": f"{row.id}#1"}, "rest": {"B": b"old"}}})
    assert write(row, join) == Written(None, row)
    assert stored() == [row]


def test_a_small_event_under_the_id_of_a_huge_one_and_the_other_way_round() -> None:
    pairs = ((replace(ROW, id=OTHER_ID), huge(replace(ROW, id=OTHER_ID))), (huge(ROW), ROW))
    for first, second in pairs:
        write(first, join)
        assert write(second, join) == Written(None, beside(second))
    assert len(stored()) == 4


def test_of_events_with_one_id_in_a_batch_the_first_keeps_it() -> None:
    answers = send([ROW, OTHER, ROW, OTHER, THIRD])
    actions = [answer.after.action for answer in answers if isinstance(answer, Written)]
    assert actions == ["start", "stop", "start", "stop", "delete"]
    assert [row for row in stored() if row.id == ROW.id] == [ROW]
    assert len(stored()) == 3
    assert answers[0] == Written(None, ROW)
    assert answers[2] == Written(ROW, ROW)


def test_a_batch_that_comes_again_in_another_order_stores_nothing_more() -> None:
    send([ROW, OTHER, huge(THIRD)])
    before = stored()
    for answer in send([huge(THIRD), OTHER, ROW]):
        assert isinstance(answer, Written)
        assert answer.before == answer.after
    assert stored() == before


def test_a_trail_row_of_any_size_is_written_with_its_change() -> None:
    row = huge(ROW)
    transact(writes_of(row))
    assert stored() == [row]
    with pytest.raises(TransactionCancelled) as caught:
        transact(writes_of(OTHER))
    assert caught.value.failed == (0,)
    assert stored() == [row]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda row: row, id="small"),
        # Without transactions another writer meets a row of several items half written.
        pytest.param(lambda row: huge(row, row.status_code), id="huge", marks=pytest.mark.needs("transactions")),
    ],
)
def test_of_many_writers_of_one_id_one_has_it_and_no_event_is_lost(made: Callable[[AuditLog], AuditLog]) -> None:
    rows = [made(replace(ROW, status_code=200 + number % 8)) for number in range(32)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(partial(write, join=join), rows))
    assert sum(answer.before is None for answer in answers) == 8
    kept = stored()
    assert sorted(row.status_code for row in kept) == list(range(200, 208))
    assert sum(row.id == ROW.id for row in kept) == 1
    for row, answer in zip(rows, answers, strict=True):
        assert (answer.after.status_code, answer.after.diff) == (row.status_code, row.diff)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)
CHANGES = st.fixed_dictionaries({"secret": st.booleans()}, optional={"old": JSON, "new": JSON})
DIFFS = st.dictionaries(st.text(max_size=20), CHANGES, max_size=12)
WIDTHS = st.sampled_from([0, 0, 0, 900, 9_000])


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(diff=DIFFS, fields=st.dictionaries(st.text(max_size=9), JSON, max_size=5), width=WIDTHS, seed=st.integers(0, 99))
def test_any_diff_that_goes_in_comes_out_equal(
    tables: EmbeddedEngine, *, diff: dict[str, Any], fields: dict[str, Any], width: int, seed: int
) -> None:
    tables.clear()
    if width:
        diff = {**diff, "wide": {"old": "", "new": noise(seed, width), "secret": False}}
    row = replace(ROW, diff=diff, additional_fields=fields)
    assert write(row, join) == Written(None, row)
    # Python takes true for 1 and 1.0 for 1; the texts do not.
    (kept,) = stored()
    assert repr(kept) == repr(row)


def event(number: int, status: int, *, large: bool) -> AuditLog:
    row = replace(ROW, id=str(UUID(int=number)), status_code=status)
    return huge(row, status) if large else row


EVENTS = st.builds(event, st.integers(1, 2), st.integers(200, 203), large=st.booleans())


@pytest.mark.needs("transactions")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(EVENTS, min_size=1, max_size=5), min_size=1, max_size=4))
def test_events_with_one_id_never_lose_one(tables: EmbeddedEngine, batches: list[list[AuditLog]]) -> None:
    tables.clear()
    for batch in batches:
        for row, answer in zip(batch, send(batch), strict=True):
            assert isinstance(answer, Written)
            assert replace(answer.after, id=row.id) == row
    kept = stored()
    distinct = {repr(row): row for batch in batches for row in batch}
    assert len(kept) == len(distinct)
    assert {row.id for row in kept} >= {row.id for row in distinct.values()}


@pytest.mark.parametrize("left", [{}, {FORGET_AT: {"N": "1"}}, {"position": {"S": "x"}}], ids=["none", "purged", "row"])
def test_a_row_of_something_unknown_is_never_stored(tables: EmbeddedEngine, left: dict[str, Any]) -> None:
    if left:
        call("PutItem", {"TableName": TABLE, "Item": {"id": {"S": ROW.id}, **left}})
    before = tables.items(TABLE)
    write_once(ROW, known=False)
    assert tables.items(TABLE) == before


def test_of_two_rows_with_one_id_the_first_stays() -> None:
    for row in (ROW, OTHER):
        write_once(row, known=True)
    assert stored() == [ROW]
