"""What a local service keeps between two starts: the owner's token in a file, the engine's rows in a directory."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scripts.local.engine import EmbeddedEngine
    from scripts.local.journal import Journal

_TOKEN = re.compile(r"\w{10}-\w{22}", re.ASCII)


class StartError(Exception):
    """The service cannot start; the text is one line that says what to do."""


def read_kept_token(path: Path) -> str | None:
    """The token of an earlier start, None where there is none; makes sure that a token can be written there later.

    Raises:
        StartError: the directory is missing or closed to us, or the file cannot be read or is no token file.
    """
    parent = path.absolute().parent
    try:
        if not parent.is_dir():
            raise StartError(f"--token-file {path}: its directory does not exist; create it first")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise StartError(f"--token-file {path}: its directory is not writable; give another path")
        held = path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"--token-file {path} cannot be read; remove it or give another path") from error
    if held and not _TOKEN.fullmatch(held):
        raise StartError(f"--token-file {path} holds something else; remove it or give another path")
    return held or None


def write_token(path: Path, token: str) -> None:
    """Put the token in its file in one step, readable by its owner alone from the first byte on."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(token + "\n")
    fresh.replace(path)


@contextmanager
def claimed(directory: Path) -> Iterator[None]:
    """Hold the data directory, made where missing, against a second process that would overwrite what is kept.

    Raises:
        StartError: it cannot be read and written, or another process holds it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StartError(f"--data {directory}: {error.strerror}; give a directory you may read and write") from error
    try:
        if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            raise StartError(f"--data {directory}: Permission denied; give a directory you may read and write")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(f"--data {directory} is in use; stop the other server or give another one") from error
        yield
    finally:
        os.close(handle)


class Kept:
    """What an embedded engine holds, in a data directory: a snapshot and the journal of every write since.

    Snapshots are whole, and the last one is named by the link `current`. Every write is in a journal before it is
    answered; a snapshot only makes the next start quick, so a process may be killed at any point.
    """

    def __init__(self, engine: EmbeddedEngine, directory: Path) -> None:
        self._engine = engine
        self._directory = directory
        self._saved_at: int | None = None
        self._journal: Journal | None = None

    def restore(self) -> bool:
        """Fill the tables with what was kept; whether there was anything.

        Raises:
            StartError: it is damaged. It is left as it is.
        """
        from scripts.local import journal, snapshot  # noqa: PLC0415 - they need moto, which is slow to import

        current = self._directory / "current"
        since = _moment(current.resolve()) if current.is_dir() else 0
        try:
            found = snapshot.restore(self._engine, current)
            for path in self._journals():
                if _moment(path) >= since:
                    found += journal.replay(self._engine, path)
        except snapshot.SnapshotDamaged as error:
            raise StartError(f"{error}; repair it or give another --data directory") from error
        self._journal = journal.Journal(self._engine)
        self._journal.turn(self._directory / f"journal-{time.time_ns()}")
        return found > 0

    def save(self) -> None:
        """Keep everything as it is now in one piece, unless nothing was written since; the journal has it already."""
        from scripts.local import snapshot  # noqa: PLC0415 - as above

        writes = self._engine.writes
        if writes == self._saved_at:
            return
        now = time.time_ns()
        fresh = self._directory / f"snapshot-{now}"
        if self._journal is not None:
            self._journal.turn(self._directory / f"journal-{now}")
        snapshot.save(self._engine, fresh)
        link = self._directory / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(fresh.name)
        # One rename makes the new snapshot the current one: a process killed at any point leaves the old or the new.
        link.replace(self._directory / "current")
        self._saved_at = writes
        for old in self._directory.glob("snapshot-*"):
            if old != fresh:
                shutil.rmtree(old)
        for old in self._journals():
            if _moment(old) < now:
                old.unlink()

    def close(self) -> None:
        """Write down no more."""
        if self._journal is not None:
            self._journal.close()

    def _journals(self) -> list[Path]:
        return sorted(self._directory.glob("journal-*"), key=_moment)


def _moment(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
