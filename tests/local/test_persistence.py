"""The embedded engine keeps acknowledged writes after any end, and no write that could not be stored."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scripts.local.data_directory import StartError
from scripts.local.database import FILE
from scripts.local.engine import EmbeddedEngine
from scripts.local.persistence import Persistence
from tests.local.conftest import EVENTS, PAIRS, Client, new_client

EVERY_TYPE: dict[str, Any] = {
    "id": {"S": "every type — é"},
    "user": {"S": "ann"},
    "position": {"S": "0002"},
    "B": {"B": b"\x00\xff"},
    "set": {"BS": [b"\x00", b"\x01"]},
    "deep": {"M": {"B": {"L": [{"B": b"\x02"}, {"N": "-1.50"}, {"NULL": True}]}}},
    "words": {"SS": ["a\nb", "c"]},
    "big": {"N": "12345678901234567890123456789012345678"},
    "flag": {"BOOL": False},
}


@pytest.fixture
def persistence(local: EmbeddedEngine, tmp_path: Path) -> Iterator[Persistence]:
    kept = Persistence(local, tmp_path)
    assert kept.restore() == 0
    yield kept
    kept.close()


@pytest.fixture
def patient_no_more() -> Client:
    return new_client(config=Config(retries={"total_max_attempts": 1}))  # type: ignore[no-untyped-call]


def items(engine: EmbeddedEngine) -> dict[str, list[dict[str, Any]]]:
    return {table: engine.items(table) for table in (EVENTS, PAIRS)}


def restarted(engine: EmbeddedEngine, persistence: Persistence, directory: Path) -> dict[str, list[dict[str, Any]]]:
    persistence.close()
    engine.clear()
    again = Persistence(engine, directory)
    again.restore()
    restored = items(engine)
    again.close()
    return restored


def write_in_every_way(client: Client) -> None:
    def event(name: str, **more: Any) -> dict[str, Any]:
        return {"id": {"S": name}, **more}

    client.put_item(TableName=EVENTS, Item=EVERY_TYPE)
    client.put_item(TableName=EVENTS, Item=event("updated"))
    client.update_item(
        TableName=EVENTS,
        Key=event("updated"),
        UpdateExpression="SET #u = :u",
        ExpressionAttributeNames={"#u": "user"},
        ExpressionAttributeValues={":u": {"S": "bob"}},
    )
    client.put_item(TableName=EVENTS, Item=event("deleted"))
    client.delete_item(TableName=EVENTS, Key=event("deleted"))
    client.batch_write_item(
        RequestItems={
            EVENTS: [{"PutRequest": {"Item": event("batched")}}, {"DeleteRequest": {"Key": event("no such")}}],
            PAIRS: [{"PutRequest": {"Item": {"owner": {"S": "a"}, "number": {"N": str(n)}}}} for n in (9, 10)],
        }
    )
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": EVENTS, "Item": event("in a transaction")}},
            {"Delete": {"TableName": PAIRS, "Key": {"owner": {"S": "a"}, "number": {"N": "9"}}}},
            {
                "ConditionCheck": {
                    "TableName": EVENTS,
                    "Key": event("batched"),
                    "ConditionExpression": "attribute_exists(id)",
                }
            },
        ]
    )


def test_whatever_was_written_in_whatever_way_is_there_again(
    local: EmbeddedEngine, client: Client, persistence: Persistence, tmp_path: Path
) -> None:
    write_in_every_way(client)
    before = items(local)
    assert len(before[EVENTS]) == 4
    assert len(before[PAIRS]) == 1
    assert restarted(local, persistence, tmp_path) == before
    assert client.get_item(TableName=EVENTS, Key={"id": EVERY_TYPE["id"]})["Item"] == EVERY_TYPE


def test_what_fits_the_disk_no_more_is_refused_with_the_reason_and_undone(
    local: EmbeddedEngine, client: Client, patient_no_more: Client, persistence: Persistence, tmp_path: Path
) -> None:
    write_in_every_way(client)
    before = items(local)
    assert persistence._database is not None
    connection = persistence._database._connection
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    large = {"S": "x" * 100_000}
    ways: list[tuple[Any, dict[str, Any]]] = [
        (patient_no_more.put_item, {"TableName": EVENTS, "Item": {"id": {"S": "batched"}, "large": large}}),
        (
            patient_no_more.update_item,
            {
                "TableName": EVENTS,
                "Key": {"id": {"S": "updated"}},
                "UpdateExpression": "SET doc = :l",
                "ExpressionAttributeValues": {":l": large},
            },
        ),
        (
            patient_no_more.batch_write_item,
            {
                "RequestItems": {
                    EVENTS: [
                        {"PutRequest": {"Item": {"id": {"S": "new"}, "large": large}}},
                        {"DeleteRequest": {"Key": {"id": {"S": "batched"}}}},
                    ]
                }
            },
        ),
        (
            patient_no_more.transact_write_items,
            {
                "TransactItems": [
                    {"Put": {"TableName": EVENTS, "Item": {"id": {"S": "new"}, "large": large}}},
                    {"Delete": {"TableName": PAIRS, "Key": {"owner": {"S": "a"}, "number": {"N": "10"}}}},
                ]
            },
        ),
    ]
    for write, request in ways:
        with pytest.raises(ClientError, match="full") as caught:
            write(**request)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert items(local) == before
    connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    client.put_item(TableName=EVENTS, Item={"id": {"S": "taken again"}, "large": large})
    after = items(local)
    assert restarted(local, persistence, tmp_path) == after


def test_an_engine_that_cannot_undo_answers_nothing_more(
    local: EmbeddedEngine, patient_no_more: Client, persistence: Persistence
) -> None:
    assert persistence._database is not None
    persistence._database._connection.close()
    for _ in range(2):
        with pytest.raises(ClientError, match="ServiceUnavailable"):
            patient_no_more.put_item(TableName=EVENTS, Item={"id": {"S": "a"}})
    with pytest.raises(ClientError, match="start again"):
        patient_no_more.get_item(TableName=EVENTS, Key={"id": {"S": "a"}})
    local.halt("")


def test_rows_of_a_table_that_is_not_there_are_refused(
    local: EmbeddedEngine, client: Client, persistence: Persistence, tmp_path: Path
) -> None:
    write_in_every_way(client)
    persistence.close()
    client.delete_table(TableName=PAIRS)
    with pytest.raises(StartError, match=f"there is no table '{PAIRS}'"):
        Persistence(local, tmp_path).restore()


@pytest.mark.parametrize("name", ["owner-token", "acknowledged", "gatebook.db-wal"])
def test_a_directory_whose_database_is_gone_is_no_new_one(local: EmbeddedEngine, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("0")
    with pytest.raises(StartError, match=f"{FILE} is missing"):
        Persistence(local, tmp_path).restore()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def earlier(directory: Path, snapshot: int | None = 100, **journals: list[dict[str, Any]]) -> Path:
    directory.mkdir(parents=True)
    if snapshot is not None:
        place = directory / f"snapshot-{snapshot}"
        place.mkdir()
        for table in ("api_keys", "audit_logs", "connection_logs", "organizations", "retention_runs", "users"):
            (place / f"{table}.table.jsonl").touch()
        lines = [json.dumps({"id": {"S": name}, "user": {"S": "ann"}}) for name in ("a", "b")]
        (place / f"{EVENTS}.table.jsonl").write_text("\n".join([*lines, ""]))
        (directory / "current").symlink_to(place.name)
        (directory / "owner-token").touch()
    for name, changes in journals.items():
        (directory / name.replace("_", "-")).write_text("".join(json.dumps(change) + "\n" for change in changes))
    return directory


def change(name: str, item: dict[str, Any] | None = None) -> dict[str, Any]:
    key = {"id": {"S": name}}
    return {"table": EVENTS, "key": key, "item": None if item is None else {**key, **item}}


def names(engine: EmbeddedEngine) -> list[str]:
    return sorted(item["id"]["S"] for item in engine.items(EVENTS))


def taken_over(engine: EmbeddedEngine, directory: Path) -> list[str]:
    """The names in an earlier directory after a start, and in the database that it made after the next."""
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    first = Persistence(engine, directory)
    first.restore()
    imported = names(engine)
    first.close()
    engine.clear()
    second = Persistence(engine, directory)
    second.restore()
    assert names(engine) == imported
    second.close()
    assert {path: path.read_bytes() for path in before} == before
    return imported


NEWER = [change("a"), change("c", {}), change("d", {}), change("d")]


def test_an_earlier_directory_is_taken_over_and_left_as_it_is(local: EmbeddedEngine, tmp_path: Path) -> None:
    directory = earlier(tmp_path / "data", journal_99=[change("stale", {})], journal_100=NEWER)
    (directory / "journal-abc").write_text("stray")
    assert taken_over(local, directory) == ["b", "c"]


def test_a_copy_of_an_earlier_directory_that_followed_its_links_is_taken_over(
    local: EmbeddedEngine, tmp_path: Path
) -> None:
    directory = earlier(tmp_path / "data", journal_99=[change("stale", {})], journal_100=NEWER)
    assert taken_over(local, Path(shutil.copytree(directory, tmp_path / "copy", symlinks=False))) == ["b", "c"]


def test_an_earlier_directory_that_never_had_a_snapshot_is_its_journals(local: EmbeddedEngine, tmp_path: Path) -> None:
    directory = earlier(tmp_path / "data", None, journal_5=NEWER)
    with (directory / "journal-5").open("a") as file:
        file.write('{"table": "cut by a ki')
    assert taken_over(local, directory) == ["c"]


def without_current(directory: Path) -> None:
    (directory / "current").unlink()


def with_a_dangling_current(directory: Path) -> None:
    (directory / "current").unlink()
    (directory / "current").symlink_to("snapshot-7")


def with_a_stray_current(directory: Path) -> None:
    (directory / "current").unlink()
    (directory / "current").write_text("snapshot-100")


def with_a_link_to_no_snapshot(directory: Path) -> None:
    (directory / "snapshot-100").rename(directory / "mine")
    (directory / "current").unlink()
    (directory / "current").symlink_to("mine")


def with_two_copies(directory: Path) -> None:
    (directory / "current").unlink()
    shutil.copytree(directory / "snapshot-100", directory / "current")
    shutil.copytree(directory / "snapshot-100", directory / "snapshot-101")


def without_a_table(directory: Path) -> None:
    (directory / "current" / "users.table.jsonl").unlink()


def cut_within_a_line(directory: Path) -> None:
    path = directory / "current" / f"{EVENTS}.table.jsonl"
    path.write_bytes(path.read_bytes()[:-5])


def with_a_line(line: str) -> Any:
    def damage(directory: Path) -> None:
        with (directory / "current" / f"{EVENTS}.table.jsonl").open("a") as file:
            file.write(line + "\n")

    return damage


def with_a_journal_line(line: str) -> Any:
    def damage(directory: Path) -> None:
        (directory / "journal-100").write_text(line + "\n")

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without_current, "current is missing, with snapshot-100 beside it"),
        (with_a_dangling_current, "current leads to no snapshot"),
        (with_a_stray_current, "current leads to no snapshot"),
        (with_a_link_to_no_snapshot, "mine is named as no snapshot is"),
        (with_two_copies, "current is a copy"),
        (without_a_table, "users is missing"),
        (cut_within_a_line, "is cut short"),
        (with_a_line('{"id": {"S": "half'), "line 3: not a line of JSON"),
        (with_a_line("[]"), "line 3: not an item"),
        (with_a_line('{"id": "no type"}'), "line 3: not an item"),
        (with_a_line('{"id": {"S": "a"}, "raw": {"B": "not base64"}}'), "line 3: not an item"),
        (with_a_line('{"user": {"S": "a"}}'), "line 3: it lacks the key 'id'"),
        (with_a_line('{"id": {"S": "c"}, "user": {"N": "1"}}'), "Type mismatch for Index Key user"),
        (with_a_journal_line("{"), "line 1: not a line of JSON"),
        (with_a_journal_line('{"table":"things"}'), "line 1: not a line of a journal"),
        (with_a_journal_line('{"table":"other","key":{},"item":null}'), "there is no table 'other'"),
    ],
)
def test_an_earlier_directory_that_is_not_whole_is_refused_in_one_sentence_and_left_as_it_is(
    local: EmbeddedEngine, tmp_path: Path, damage: Any, words: str
) -> None:
    directory = earlier(tmp_path / "data")
    damage(directory)
    before = sorted(path.relative_to(directory) for path in directory.rglob("*"))
    with pytest.raises(StartError) as caught:
        Persistence(local, directory).restore()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(path.relative_to(directory) for path in directory.rglob("*")) == before
