"""Full disks, kills, torn and swapped files at every place of every file: nothing acknowledged is lost in silence."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from scripts.local.acknowledged import FILE as ACKNOWLEDGED_FILE
from scripts.local.database import FILE, LOG_FILE, Damaged, Database, create
from scripts.local.row_sums import Row
from tests.local.failing_disk import FATES, PHASES, WRITES, rows_of_write

SHARED = Path("/dev/shm")  # noqa: S108 - the directories in it have names that nobody guesses
ROOT = Path(__file__).parents[2]
FILES = (FILE, LOG_FILE, ACKNOWLEDGED_FILE)
BYTES_OF_WRITE = 6 * 4_120
"""The size of a write in the log of the latest writes: frames of a page each."""
NUMBER_BYTES = 21
"""Of `acknowledged`, which is written in place and at once: no limit lies within it."""


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory in memory, where there is one: what a kill leaves there is what it leaves on a disk."""
    with TemporaryDirectory(dir=SHARED if SHARED.is_dir() else None) as made:
        yield Path(made)


class Attempt(NamedTuple):
    """The end of a process: the writes that it acknowledged, and its exit code."""

    directory: Path
    acknowledged: list[int]
    ended: int


def made_of(writes: Iterable[int]) -> list[Row]:
    """The rows that some writes make."""
    rows = {(row.table, row.key): row for number in writes for row in rows_of_write(number)}
    return [rows[place] for place in sorted(rows)]


def rows_in(directory: Path) -> list[Row] | None:
    """The rows of a database; None where it is refused."""
    try:
        database = Database(directory)
    except Damaged:
        return None
    try:
        return list(database.rows())
    except Damaged:
        return None
    finally:
        database.close()


def attempts(work: Path, fate: str, phase: str, limits: Sequence[int]) -> list[Attempt]:
    command = [sys.executable, "-m", "tests.local.failing_disk", str(work), fate, phase, *map(str, limits)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    made = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [one["limit"] for one in made] == [*limits]
    return [Attempt(work / str(one["limit"]), one["acknowledged"], one["ended"]) for one in made]


def limits_of(work: Path, phase: str) -> list[int]:
    """Limits in the pages of the file that a phase writes, or in the frames of the log, at places that differ."""
    whole = work / "whole"
    whole.mkdir()
    (unlimited,) = attempts(whole, "killed", phase, [10**9])
    assert unlimited.ended == 0
    largest = WRITES * BYTES_OF_WRITE if phase == "write" else (unlimited.directory / FILE).stat().st_size
    return [0, *range(NUMBER_BYTES, largest, largest // 80 | 1)]


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("phase", PHASES)
def test_no_acknowledged_write_is_lost_wherever_the_disk_fails(memory: Path, fate: str, phase: str) -> None:
    failed = 0
    for attempt in attempts(memory, fate, phase, limits_of(memory, phase)):
        if phase == "create":
            failed += attempt.ended != 0
            if not (attempt.directory / FILE).exists():
                create(attempt.directory, rows_of_write(0))
            assert rows_in(attempt.directory) == made_of([0])
            continue
        assert attempt.ended == (-signal.SIGXFSZ if fate == "killed" and attempt.ended else 0)
        known = [0, *attempt.acknowledged]
        failed += attempt.ended != 0 or len(known) < WRITES + 1
        may_be = [made_of(known)]
        if attempt.ended:
            # It died before it could say so.
            may_be.append(made_of([*known, known[-1] + 1]))
        assert rows_in(attempt.directory) in may_be, attempt
    # SQLite may put off what it cannot do while it closes: then the log stays.
    assert failed > 3 or (fate, phase) == ("full", "close")


@pytest.fixture(scope="module")
def generations(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files after each write, as a kill would leave them; the database is closed and opened in the middle."""
    work = tmp_path_factory.mktemp("generations")
    directory = work / "data"
    directory.mkdir()
    create(directory, rows_of_write(0))
    made: list[Path] = []
    for first, last in ((1, 3), (4, 6)):
        database = Database(directory)
        for number in range(first, last + 1):
            database.write(rows_of_write(number))
            made.append(copied(directory, work / str(number)))
        database.close()
    return made


def copied(directory: Path, copy: Path, **sources: Path) -> Path:
    """A copy of the files, some of them from other directories by the stem of their names."""
    copy.mkdir()
    for name in FILES:
        shutil.copy(sources.get(name.replace(".", "_").replace("-", "_"), directory) / name, copy / name)
    return copy


def test_files_of_different_moments_are_refused_or_hold_all_that_was_acknowledged(
    generations: list[Path], memory: Path
) -> None:
    states = [made_of(range(number + 1)) for number in range(len(generations) + 1)]
    taken = 0
    for places in product(range(len(generations)), repeat=3):
        data, log, number = (generations[place] for place in places)
        mixed = copied(data, memory / "mixed", gatebook_db_wal=log, acknowledged=number)
        rows = rows_in(mixed)
        shutil.rmtree(mixed)
        assert rows is None or rows in states[places[2] + 1 :], places
        if len({*places}) == 1:
            assert rows == states[places[2] + 1]
        taken += rows is not None
    assert taken < len(generations) ** 3 // 2


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_torn_anywhere_is_refused_or_holds_all_that_was_acknowledged(
    generations: list[Path], memory: Path, name: str
) -> None:
    last = generations[-1]
    size = (last / name).stat().st_size
    refused = 0
    for length in range(0, size, max(1, size // 40)):
        torn = copied(last, memory / "torn")
        os.truncate(torn / name, length)
        rows = rows_in(torn)
        shutil.rmtree(torn)
        assert rows is None or rows == made_of(range(len(generations) + 1)), length
        refused += rows is None
    assert refused or name == ACKNOWLEDGED_FILE


def test_a_process_that_is_killed_at_any_moment_has_kept_what_it_acknowledged(memory: Path) -> None:
    random = Random(13)
    for attempt in range(6):
        work = memory / str(attempt)
        work.mkdir()
        command = [sys.executable, "-m", "tests.local.failing_disk", str(work), "endless"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
            assert process.stdout is not None
            # SQLite moves its log into the file at every 1,000 pages: some of these are after that.
            heard = [process.stdout.readline() for _ in range(random.randrange(1, 400))]
            time.sleep(random.uniform(0, 0.004))
            process.kill()
            heard += process.stdout.readlines()
        acknowledged = [int(line) for line in heard]
        assert acknowledged == [*range(1, len(acknowledged) + 1)]
        kept = rows_in(work / "endless")
        assert kept in (made_of(range(len(acknowledged) + 1)), made_of(range(len(acknowledged) + 2)))
