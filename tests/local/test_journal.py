"""What an engine is asked to write is on disk before it is answered, and read back to the same tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from scripts.local.engine import EmbeddedEngine
from scripts.local.journal import Journal, replay
from scripts.local.kept import Kept
from scripts.local.snapshot import SnapshotDamaged

TABLE = "things"


@pytest.fixture
def running() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine() as engine:
        made()
        yield engine


def client() -> Any:
    return botocore.session.get_session().create_client("dynamodb")  # type: ignore[no-untyped-call]


def made() -> None:
    client().create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "lane")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "lane", "KeyType": "RANGE"}],
    )


def item(name: str, **more: Any) -> dict[str, Any]:
    return {"id": {"S": name}, "lane": {"S": "x"}, **more}


def write_everything() -> None:
    """Every way to change an item, some of them refused."""
    to = client()
    for name in "abcdef":
        to.put_item(TableName=TABLE, Item=item(name, raw={"B": b"\0\xff"}))
    to.update_item(
        TableName=TABLE, Key=item("a"), UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": "1"}}
    )
    to.delete_item(TableName=TABLE, Key=item("b"))
    to.batch_write_item(
        RequestItems={TABLE: [{"PutRequest": {"Item": item("g")}}, {"DeleteRequest": {"Key": item("c")}}]}
    )
    to.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": TABLE, "Item": item("h")}},
            {"Delete": {"TableName": TABLE, "Key": item("d")}},
            {"ConditionCheck": {"TableName": TABLE, "Key": item("e"), "ConditionExpression": "attribute_exists(id)"}},
        ]
    )
    with pytest.raises(to.exceptions.ConditionalCheckFailedException):
        to.put_item(TableName=TABLE, Item=item("a", n={"N": "9"}), ConditionExpression="attribute_not_exists(id)")


def by_name(engine: EmbeddedEngine) -> list[dict[str, Any]]:
    return sorted(engine.items(TABLE), key=lambda found: str(found["id"]))


def test_what_was_written_is_read_back(running: EmbeddedEngine, tmp_path: Path) -> None:
    journal = Journal(running)
    journal.turn(tmp_path / "journal")
    write_everything()
    journal.close()
    before = by_name(running)
    assert [found["id"]["S"] for found in before] == ["a", "e", "f", "g", "h"]
    client().put_item(TableName=TABLE, Item=item("unheard"))
    running.clear()
    replay(running, tmp_path / "journal")
    assert by_name(running) == before


def test_a_line_that_a_kill_has_cut_is_nothing(running: EmbeddedEngine, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(running)
    journal.turn(path)
    client().put_item(TableName=TABLE, Item=item("whole"))
    journal.close()
    path.write_bytes(path.read_bytes() + b'{"table":"things","ke')
    running.clear()
    assert replay(running, path) == 1
    assert [found["id"]["S"] for found in running.items(TABLE)] == ["whole"]


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"table":"things"}', b'{"table":"other","key":{},"item":null}'])
def test_a_damaged_line_is_told(running: EmbeddedEngine, tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(line + b"\n")
    with pytest.raises(SnapshotDamaged) as caught:
        replay(running, path)
    assert str(path) in str(caught.value)


def test_a_kill_between_two_snapshots_loses_no_answered_write(running: EmbeddedEngine, tmp_path: Path) -> None:
    kept = Kept(running, tmp_path)
    assert not kept.restore()
    write_everything()
    kept.save()
    client().put_item(TableName=TABLE, Item=item("after"))
    client().delete_item(TableName=TABLE, Key=item("a"))
    before = by_name(running)
    running.stop()
    running.start()
    made()
    again = Kept(running, tmp_path)
    assert again.restore()
    assert by_name(running) == before
    again.save()
    assert len(list(tmp_path.glob("journal-*"))) == 1
    assert len(list(tmp_path.glob("snapshot-*"))) == 1
    again.close()
