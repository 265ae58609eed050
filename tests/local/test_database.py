"""A write that returned is on disk and comes back; a file that is not as it was written is refused and named."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.local.acknowledged import FILE as ACKNOWLEDGED_FILE
from scripts.local.database import FILE, LOG_FILE, Damaged, Database, NotWritten, create
from scripts.local.row_sums import Row

FILES = (FILE, LOG_FILE, ACKNOWLEDGED_FILE)


def row(key: str, item: str | None = "{}", table: str = "things") -> Row:
    return Row(table, key, item)


def rows_of(directory: Path) -> list[Row]:
    database = Database(directory)
    try:
        return list(database.rows())
    finally:
        database.close()


def killed(database: Database, directory: Path, copy: Path) -> Path:
    """The files as they would be found after a kill at this moment."""
    copy.mkdir()
    for name in FILES:
        if (directory / name).exists():
            shutil.copy(directory / name, copy / name)
    assert database.row("no", "such") == row("such", None, "no")
    return copy


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    create(made, [row("a", "1"), row("b", "2"), row("a", "3", "others")])
    return made


@pytest.fixture
def database(directory: Path) -> Iterator[Database]:
    opened = Database(directory)
    yield opened
    opened.close()


def test_what_it_was_made_with_and_what_was_written_come_back(database: Database, directory: Path) -> None:
    database.write([row("a", "4"), row("b", None), row("c", "5"), row("a", "6"), row("no such row", None)])
    database.close()
    assert rows_of(directory) == [row("a", "3", "others"), row("a", "6"), row("c", "5")]


def test_files_are_the_owner_s_alone(database: Database, directory: Path) -> None:
    database.write([row("a", "4")])
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_a_kill_after_any_write_loses_none_of_them(database: Database, directory: Path, tmp_path: Path) -> None:
    for number in range(5):
        database.write([row(f"k{number}", str(number))])
        rows = rows_of(killed(database, directory, tmp_path / f"kill{number}"))
        assert [one.key for one in rows if one.key.startswith("k")] == [f"k{known}" for known in range(number + 1)]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("xyz"), st.sampled_from("abc"), st.none() | st.text(max_size=3)), max_size=4
        ),
        max_size=8,
    )
)
def test_it_holds_what_a_dictionary_holds(tmp_path_factory: pytest.TempPathFactory, writes: Any) -> None:
    directory = tmp_path_factory.mktemp("data")
    create(directory, [])
    database = Database(directory)
    model: dict[tuple[str, str], str] = {}
    for write in writes:
        database.write([row(key, item, table) for table, key, item in write])
        for table, key, item in write:
            model.pop((table, key), None)
            if item is not None:
                model[table, key] = item
    database.close()
    assert rows_of(directory) == [row(key, item, table) for (table, key), item in sorted(model.items())]


def test_nothing_of_a_write_on_a_full_disk_is_kept_and_the_next_one_is_taken(
    database: Database, directory: Path
) -> None:
    connection = database._connection
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    with pytest.raises(NotWritten, match="full"):
        database.write([row("small", "1"), row("large", "x" * 100_000)])
    assert database.row("things", "small").item is None
    connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    database.write([row("small", "2")])
    database.close()
    assert [one.key for one in rows_of(directory)] == ["a", "a", "b", "small"]


def flipped(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x01
    path.write_bytes(data)


def place_of(path: Path, text: bytes) -> int:
    return path.read_bytes().rindex(text)


def truncated(path: Path, size: int) -> None:
    os.truncate(path, size)


def test_a_byte_that_changed_within_a_row_is_refused(database: Database, directory: Path) -> None:
    database.write([row("k", "a long enough text to be found")])
    database.close()
    flipped(directory / FILE, place_of(directory / FILE, b"long enough"))
    with pytest.raises(Damaged, match=r"rows of things are not as they were written"):
        rows_of(directory)


def test_rows_that_are_gone_are_counted(database: Database, directory: Path) -> None:
    database.close()
    other = sqlite3.connect(directory / FILE)
    with other:
        other.execute("DELETE FROM items WHERE name = 'others'")
    other.close()
    with pytest.raises(Damaged, match="others has 0 rows, and 1 were written"):
        rows_of(directory)


@pytest.mark.parametrize("page", [1, 2, 3, 4, 5])
def test_a_file_cut_at_a_page_is_refused(database: Database, directory: Path, page: int) -> None:
    database.write([row(f"k{number}", "x" * 3_000) for number in range(20)])
    database.close()
    truncated(directory / FILE, page * 4_096)
    with pytest.raises(Damaged, match=FILE):
        rows_of(directory)


def test_no_flipped_bit_goes_unnoticed_or_changes_a_row(database: Database, directory: Path, tmp_path: Path) -> None:
    database.write([row(f"k{number}", "x" * 300) for number in range(40)])
    database.close()
    before = rows_of(directory)
    refused = 0
    for place in range(0, (directory / FILE).stat().st_size, 211):
        copy = shutil.copytree(directory, tmp_path / str(place))
        flipped(copy / FILE, place)
        try:
            assert rows_of(copy) == before
        except Damaged:
            refused += 1
        shutil.rmtree(copy)
    assert refused > 50


def test_a_log_of_the_latest_writes_that_is_missing_cut_or_damaged_is_refused(
    database: Database, directory: Path, tmp_path: Path
) -> None:
    for number in range(3):
        database.write([row(f"k{number}", str(number))])
    missing = killed(database, directory, tmp_path / "missing")
    (missing / LOG_FILE).unlink()
    cut = killed(database, directory, tmp_path / "cut")
    truncated(cut / LOG_FILE, (cut / LOG_FILE).stat().st_size - 4_096)
    damaged = killed(database, directory, tmp_path / "damaged")
    flipped(damaged / LOG_FILE, (damaged / LOG_FILE).stat().st_size // 2)
    for copy in (missing, cut, damaged):
        with pytest.raises(Damaged, match="3 were acknowledged"):
            rows_of(copy)


def test_a_log_cut_within_a_write_that_nobody_heard_of_is_none(
    database: Database, directory: Path, tmp_path: Path
) -> None:
    database.write([row("k", "1")])
    acknowledged = (directory / ACKNOWLEDGED_FILE).read_bytes()
    database.write([row("unheard", "2")])
    copy = killed(database, directory, tmp_path / "copy")
    (copy / ACKNOWLEDGED_FILE).write_bytes(acknowledged)
    truncated(copy / LOG_FILE, (copy / LOG_FILE).stat().st_size - 100)
    assert [one.key for one in rows_of(copy)] == ["a", "a", "b", "k"]


def test_an_older_copy_of_the_file_is_refused_and_taken_when_that_is_what_is_wanted(
    database: Database, directory: Path, tmp_path: Path
) -> None:
    database.write([row("k", "1")])
    database.close()
    older = shutil.copy(directory / FILE, tmp_path / "older")
    again = Database(directory)
    again.write([row("k", "2")])
    again.close()
    shutil.copy(older, directory / FILE)
    with pytest.raises(Damaged, match="holds 1 writes, and 2 were acknowledged"):
        rows_of(directory)
    (directory / ACKNOWLEDGED_FILE).write_text("1")
    assert row("k", "1") in rows_of(directory)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a database"),
        (b"{", "is not a database"),
        (b"x" * 200, "is not a database"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_database_is_said(directory: Path, content: bytes | None, words: str) -> None:
    (directory / FILE).unlink()
    if content is None:
        (directory / FILE).mkdir()
    else:
        (directory / FILE).write_bytes(content)
    with pytest.raises(Damaged, match=words):
        Database(directory)


@pytest.mark.parametrize(("pragma", "words"), [("application_id", "another program"), ("user_version", "version")])
def test_a_database_of_another_program_or_version_is_said(directory: Path, pragma: str, words: str) -> None:
    other = sqlite3.connect(directory / FILE)
    other.execute(f"PRAGMA {pragma} = 7")
    other.close()
    with pytest.raises(Damaged, match=words):
        Database(directory)


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5"])
def test_a_number_of_acknowledged_writes_that_is_none_is_refused(
    database: Database, directory: Path, text: str
) -> None:
    database.write([row("k", "1")])
    database.close()
    (directory / ACKNOWLEDGED_FILE).write_text(text)
    with pytest.raises(Damaged, match=ACKNOWLEDGED_FILE):
        Database(directory)


def test_a_missing_number_of_acknowledged_writes_is_refused(database: Database, directory: Path) -> None:
    database.write([row("k", "1")])
    database.close()
    (directory / ACKNOWLEDGED_FILE).unlink()
    with pytest.raises(Damaged, match=f"{ACKNOWLEDGED_FILE} is missing"):
        Database(directory)


def test_a_making_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / f".{FILE}").write_bytes(b"half")
    create(tmp_path, [row("a", "1")])
    assert rows_of(tmp_path) == [row("a", "1")]
