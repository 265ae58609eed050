"""What a snapshot saved comes back whole, in every index; a damaged one is named to the line and nothing is put."""

from __future__ import annotations

import json
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from scripts.local import snapshot
from scripts.local.engine import EmbeddedEngine
from scripts.local.snapshot import SnapshotDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Client = Any

EVENTS = "snapshot-events"
PAIRS = "snapshot-pairs"
EVENTS_FILE = f"{EVENTS}.table.jsonl"

EVERY_TYPE: dict[str, Any] = {
    "id": {"S": "every type — é"},
    "user": {"S": "ann"},
    "position": {"S": "0002"},
    "B": {"B": b"\x00\xff"},
    "set": {"BS": [b"\x00", b"\x01"]},
    "deep": {"M": {"B": {"L": [{"B": b"\x02"}, {"N": "-1.50"}, {"NULL": True}]}}},
    "words": {"SS": ["a\nb", "c"]},
    "numbers": {"NS": ["1", "2.5"]},
    "big": {"N": "12345678901234567890123456789012345678"},
    "flag": {"BOOL": False},
}


def make_tables(client: Client) -> None:
    client.create_table(
        TableName=EVENTS,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "user", "position")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": hash_key, "KeyType": "HASH"},
                    {"AttributeName": "position", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, hash_key in (("by-user", "user"), ("by-id", "id"))
        ],
    )
    client.create_table(
        TableName=PAIRS,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "owner", "AttributeType": "S"},
            {"AttributeName": "number", "AttributeType": "N"},
        ],
    )


@pytest.fixture(scope="module")
def client() -> Client:
    return botocore.session.Session().create_client(  # type: ignore[no-untyped-call]
        "dynamodb", region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local"
    )


@pytest.fixture
def local(client: Client) -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine() as running:
        make_tables(client)
        yield running


@pytest.fixture
def filled(local: EmbeddedEngine, client: Client) -> EmbeddedEngine:
    client.put_item(TableName=EVENTS, Item=EVERY_TYPE)
    for number in (3, 1):
        item = {"id": {"S": f"e{number}"}, "user": {"S": "ann"}, "position": {"S": f"{number:04d}"}}
        client.put_item(TableName=EVENTS, Item=item)
    client.put_item(TableName=EVENTS, Item={"id": {"S": "in no index"}})
    for count in (9, 10):
        client.put_item(TableName=PAIRS, Item={"owner": {"S": "a"}, "number": {"N": str(count)}})
    return local


def read(client: Client, index: str, name: str, value: str) -> list[dict[str, Any]]:
    answer = client.query(
        TableName=EVENTS,
        IndexName=index,
        KeyConditionExpression="#n = :v",
        ExpressionAttributeNames={"#n": name},
        ExpressionAttributeValues={":v": {"S": value}},
    )
    return list(answer["Items"])


def test_what_was_saved_comes_back_in_every_index(filled: EmbeddedEngine, client: Client, tmp_path: Path) -> None:
    before = {table: filled.items(table) for table in filled.tables()}
    assert snapshot.save(filled, tmp_path / "new" / "place") == 6
    filled.stop()
    filled.start()
    make_tables(client)
    assert snapshot.restore(filled, tmp_path / "new" / "place") == 6
    assert {table: filled.items(table) for table in filled.tables()} == before
    assert client.get_item(TableName=EVENTS, Key={"id": EVERY_TYPE["id"]})["Item"] == EVERY_TYPE
    assert [item["position"]["S"] for item in read(client, "by-user", "user", "ann")] == ["0001", "0002", "0003"]
    assert read(client, "by-id", "id", EVERY_TYPE["id"]["S"]) == [EVERY_TYPE]
    assert read(client, "by-id", "id", "in no index") == []


def test_a_restored_item_is_written_as_any_other(filled: EmbeddedEngine, client: Client, tmp_path: Path) -> None:
    snapshot.save(filled, tmp_path)
    filled.clear()
    snapshot.restore(filled, tmp_path)
    client.update_item(
        TableName=EVENTS,
        Key={"id": {"S": "e1"}},
        UpdateExpression="SET #p = :p",
        ExpressionAttributeNames={"#p": "position"},
        ExpressionAttributeValues={":p": {"S": "0009"}},
    )
    client.delete_item(TableName=EVENTS, Key={"id": {"S": "e3"}})
    assert [item["position"]["S"] for item in read(client, "by-user", "user", "ann")] == ["0002", "0009"]


def test_a_missing_directory_is_an_empty_snapshot(local: EmbeddedEngine, tmp_path: Path) -> None:
    assert snapshot.restore(local, tmp_path / "nothing") == 0


def test_empty_tables_and_foreign_files_do_no_harm(local: EmbeddedEngine, tmp_path: Path) -> None:
    (tmp_path / "owner-token").write_text("secret")
    (tmp_path / "other.jsonl").write_text("not ours")
    assert snapshot.save(local, tmp_path) == 0
    assert snapshot.restore(local, tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "other.jsonl",
        "owner-token",
        EVENTS_FILE,
        f"{PAIRS}.table.jsonl",
    ]


def test_a_later_snapshot_replaces_the_earlier_and_drops_tables_that_are_gone(
    filled: EmbeddedEngine, client: Client, tmp_path: Path
) -> None:
    snapshot.save(filled, tmp_path)
    client.delete_table(TableName=PAIRS)
    client.delete_item(TableName=EVENTS, Key={"id": {"S": "e1"}})
    assert snapshot.save(filled, tmp_path) == 3
    assert [path.name for path in tmp_path.iterdir()] == [EVENTS_FILE]
    filled.clear()
    assert snapshot.restore(filled, tmp_path) == 3


def test_files_are_the_owner_s_alone(filled: EmbeddedEngine, tmp_path: Path) -> None:
    snapshot.save(filled, tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_write_that_fails_leaves_the_snapshot_of_before(
    filled: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot.save(filled, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    filled.clear()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            snapshot.save(filled, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_a_crash_left_behind_is_no_part_of_the_snapshot(filled: EmbeddedEngine, tmp_path: Path) -> None:
    leftover = tmp_path / f".{EVENTS_FILE}.tmp"
    leftover.write_text('{"id": {"S": "half')
    assert snapshot.restore(filled, tmp_path) == 0
    snapshot.save(filled, tmp_path)
    assert not leftover.exists()


def test_a_snapshot_is_of_one_moment(
    local: EmbeddedEngine, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_both_tables() -> None:
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": EVENTS, "Item": {"id": {"S": "late"}}}},
                {"Put": {"TableName": PAIRS, "Item": {"owner": {"S": "late"}, "number": {"N": "1"}}}},
            ]
        )

    writer = threading.Thread(target=write_both_tables)
    items = local.items

    def items_while_another_writes(table: str) -> list[dict[str, Any]]:
        found = items(table)
        if not writer.ident:
            writer.start()
            writer.join(timeout=0.3)  # it gets through here only when nothing holds it off
        return found

    monkeypatch.setattr(local, "items", items_while_another_writes)
    assert snapshot.save(local, tmp_path) == 0
    writer.join()
    assert snapshot.save(local, tmp_path) == 2


GOOD = {"id": {"S": "fine"}}


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": {"S": "half',
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"id": "no type"}',
        b'{"id": {"S": 1}}',
        b'{"id": {"S": "a", "N": "1"}}',
        b'{"id": {"X": "a"}}',
        b'{"id": {"S": "a"}, "raw": {"B": "not base64"}}',
        b'{"id": {"S": "a"}, "deep": {"M": {"x": "y"}}}',
        b'{"id": {"S": "a"}, "none": {"NULL": false}}',
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_put(local: EmbeddedEngine, tmp_path: Path, line: bytes) -> None:
    path = tmp_path / EVENTS_FILE
    path.write_bytes(json.dumps(GOOD).encode() + b"\n" + line + b"\n")
    with pytest.raises(SnapshotDamaged) as caught:
        snapshot.restore(local, tmp_path)
    assert (caught.value.path, caught.value.line) == (path, 2)
    assert str(caught.value).startswith(f"{path}, line 2: not ")
    assert local.items(EVENTS) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"user": {"S": "a"}}', "Missing the key id"),
        (b'{"id": {"N": "1"}}', "Type mismatch for Index Key id"),
        (b'{"id": {"S": "a"}, "user": {"N": "1"}}', "Type mismatch for Index Key user"),
        (b'{"id": {"S": "a"}, "n": {"N": "one"}}', "cannot be converted to a numeric value"),
    ],
)
def test_an_item_that_the_table_does_not_take_is_named(
    local: EmbeddedEngine, tmp_path: Path, line: bytes, reason: str
) -> None:
    (tmp_path / EVENTS_FILE).write_bytes(json.dumps(GOOD).encode() + b"\n" + line + b"\n")
    with pytest.raises(SnapshotDamaged, match=reason) as caught:
        snapshot.restore(local, tmp_path)
    assert caught.value.line == 2


def test_a_table_that_does_not_exist_is_named(filled: EmbeddedEngine, client: Client, tmp_path: Path) -> None:
    snapshot.save(filled, tmp_path)
    client.delete_table(TableName=PAIRS)
    filled.clear()
    with pytest.raises(SnapshotDamaged, match=f"there is no table '{PAIRS}'") as caught:
        snapshot.restore(filled, tmp_path)
    assert (caught.value.path, caught.value.line) == (tmp_path / f"{PAIRS}.table.jsonl", None)
    assert filled.items(EVENTS) == []
