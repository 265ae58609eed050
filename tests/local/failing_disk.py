"""Writes to a database whose files may not grow beyond a limit, in processes that fail or die at the write that would.

    python -m tests.local.failing_disk WORK FATE PHASE LIMIT...
    python -m tests.local.failing_disk WORK endless

For each limit a directory `WORK/LIMIT` is made, and the limit set before a phase: the making of the database, its
writes, or its closing. Fate `full` is an error at each write beyond the limit, as on a full disk; `killed` is the end
of the process at the first of them, within the write where the limit is. A line of JSON says what was acknowledged.
`endless` writes to `WORK/endless` until it is killed, and says the number of each write that it acknowledges.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from itertools import count
from pathlib import Path
from typing import NoReturn

from scripts.local.database import Database, NotWritten, create
from scripts.local.row_sums import Row

FATES = ("full", "killed")
PHASES = ("create", "write", "close")
WRITES = 6
TABLES = ("events", "people")


def rows_of_write(number: int) -> list[Row]:
    """The rows of a write: one of its own, of several pages, and one that every write replaces."""
    events, people = TABLES
    return [
        Row(events, f"event-{number}", f"{number} " * 3_000),
        Row(people, "last", str(number)),
        Row(people, f"person-{number}", "{}"),
    ]


def main() -> None:
    """Try each limit, in a process of its own."""
    work, fate, *options = sys.argv[1:]
    if fate == "endless":
        _write_for_ever(Path(work) / fate)
    phase, *limits = options
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for limit in limits:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _write_under_limit(Path(work) / limit, fate, phase, int(limit), writing)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as heard:
            acknowledged = [int(line) for line in heard]
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{json.dumps({'limit': int(limit), 'acknowledged': acknowledged, 'ended': ended})}\n")


def _write_under_limit(directory: Path, fate: str, phase: str, limit: int, heard: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if fate == "killed" else signal.SIG_IGN)
    directory.mkdir()
    if phase == "create":
        _limit(limit)
        create(directory, rows_of_write(0))
        return
    create(directory, rows_of_write(0))
    database = Database(directory)
    if phase == "write":
        _limit(limit)
    for number in range(1, WRITES + 1):
        try:
            database.write(rows_of_write(number))
        except NotWritten:
            continue
        os.write(heard, f"{number}\n".encode())
    if phase == "close":
        _limit(limit)
    if phase == "write" and fate == "full":
        # There is room again.
        _limit(resource.RLIM_INFINITY)
        database.write(rows_of_write(WRITES + 1))
        os.write(heard, f"{WRITES + 1}\n".encode())
    database.close()


def _write_for_ever(directory: Path) -> NoReturn:
    directory.mkdir()
    create(directory, rows_of_write(0))
    database = Database(directory)
    for number in count(1):
        database.write(rows_of_write(number))
        os.write(sys.stdout.fileno(), f"{number}\n".encode())
    raise AssertionError("it ends by being killed")


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
