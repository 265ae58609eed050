"""Hydrating reads what a page lacks in one round, and no more than an answer has room for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.records import AuditLog, Closing, ConnectionLog, User
from chalicelib.store.directory.people_rows import user_item
from chalicelib.store.dynamodb.client import Item
from chalicelib.store.dynamodb.tables import UserItem
from chalicelib.store.logs import audit_rows
from chalicelib.store.logs.hydrate import hydrate, with_base_fields
from chalicelib.store.logs.tables import AUDIT_LOGS, CONNECTION_LOGS
from tests.store.audit import wide
from tests.store.index import FakeIndex, bases, sessions

ROOM = 1_000_000


@pytest.fixture
def rows(session_row: ConnectionLog) -> list[ConnectionLog]:
    return sessions(session_row, 3)


@pytest.fixture
def event_row(session_row: ConnectionLog) -> AuditLog:
    return AuditLog(
        id="b3c3a1de-3c1f-4f0e-9a54-6f4f6d2f8f10",
        time=session_row.connect_time,
        user_id=session_row.workspace_owner_id,
        organization_id=session_row.organization_id,
        ip=None,
        user_agent=None,
        resource_type="template",
        resource_id=session_row.workspace_id,
        resource_target="dev",
        resource_icon="",
        action="write",
        status_code=200,
        request_id=session_row.id,
        diff={},
        additional_fields={},
    )


@pytest.fixture
def ended(rows: list[ConnectionLog]) -> list[ConnectionLog]:
    return [row.closed(Closing(row.connect_time)) for row in rows]


def stored(user: User) -> Item:
    item: Item = user_item(user).to_dynamodb_dict()
    return item


def test_an_end_that_the_index_lacks_comes_from_the_table(
    rows: list[ConnectionLog], ended: list[ConnectionLog]
) -> None:
    index = FakeIndex((), bases(ended))
    assert index.run(hydrate(CONNECTION_LOGS, rows, ROOM)).rows == ended
    assert len(index.rounds) == 1


def test_a_whole_row_is_not_read_again(rows: list[ConnectionLog], ended: list[ConnectionLog]) -> None:
    index = FakeIndex((), bases(ended))
    whole = frozenset({rows[0].id, rows[2].id})
    assert index.run(hydrate(CONNECTION_LOGS, rows, ROOM, whole)).rows == [rows[0], ended[1], rows[2]]


def test_users_come_in_the_same_round(rows: list[ConnectionLog], alice: User) -> None:
    named = [replace(row, user_id=alice.id, workspace_owner_id=alice.id) for row in rows]
    index = FakeIndex((), [*bases(named), stored(alice)])
    hydrated = index.run(hydrate(CONNECTION_LOGS, named, ROOM))
    assert hydrated.users == {alice.id: alice}
    assert index.calls == ["BatchGetItem"]
    assert UserItem.Meta.table_name in index.rounds[0][0].parameters["RequestItems"]


def test_a_row_whose_item_is_gone_stays_as_the_index_has_it(rows: list[ConnectionLog]) -> None:
    assert FakeIndex().run(hydrate(CONNECTION_LOGS, rows, ROOM)).rows == rows


def test_rows_are_hydrated_as_far_as_an_answer_has_room_and_one_at_least(event_row: AuditLog) -> None:
    large = [wide(replace(event_row, id=f"00000000-0000-4000-8000-00000000000{n}"), n, 30_000) for n in range(3)]
    items = [item for row in large for item in audit_rows.to_items(row, shards=1)]
    read = [
        audit_rows.from_item({name: value for name, value in item.items() if name != audit_rows.OVERFLOW})
        for item in items
    ]
    size = audit_rows.overflow_bytes(read[0])
    assert size > 30_000
    for room, number in ((1, 1), (size, 1), (2 * size + 100, 2), (4 * size, 3)):
        assert FakeIndex((), items).run(hydrate(AUDIT_LOGS, read, room)).rows == large[:number]


def test_base_fields_are_read_where_a_log_has_them(rows: list[ConnectionLog], ended: list[ConnectionLog]) -> None:
    index = FakeIndex((), bases(ended))
    assert index.run(with_base_fields(CONNECTION_LOGS, rows)) == ended
    assert index.run(with_base_fields(CONNECTION_LOGS, ended)) == ended
    assert len(index.rounds) == 1, "a row with its end needs no request"


def test_a_log_without_base_fields_needs_no_request(event_row: AuditLog) -> None:
    index = FakeIndex()
    assert index.run(with_base_fields(AUDIT_LOGS, [event_row])) == [event_row]
    assert index.rounds == []


def test_rows_that_may_be_purged_are_looked_up_and_left_out_where_they_are(rows: list[ConnectionLog]) -> None:
    index = FakeIndex((), bases(rows[1:]))
    standing = index.run(with_base_fields(CONNECTION_LOGS, rows, past=frozenset({rows[0].data_set})))
    assert standing == rows[1:]
    (request,) = index.rounds[0]
    (wanted,) = request.parameters["RequestItems"].values()
    assert wanted["ConsistentRead"] is True
