"""Where a local service keeps something: the file of the owner's token, and the data directory, held by one process."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """Put the token in its file in one step, readable by its owner alone from the first byte on.

    Raises:
        StartError: it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(token + "\n")
        fresh.replace(path)
    except OSError as error:
        raise StartError(f"--token-file {path} cannot be written: {error.strerror}") from error


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
