"""A PostgreSQL to measure: one that is named, or one made for the run in a temporary directory. Nothing is installed.

Both are spoken to through psql, so that no driver is needed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

Sql = Callable[[str], str]
"""Runs SQL and gives its output, rows as lines of text."""

USUAL_PLACES = "/usr/lib/postgresql"
_LESS_THAN_ROOT = ("postgres", "nobody")


class NoPostgres(Exception):
    """A program of PostgreSQL is not installed; the text names it."""


class Failed(Exception):
    """PostgreSQL refused something; the text is its own."""


@contextmanager
def named(connection: str) -> Iterator[Sql]:
    """A server that runs already. A schema is made in it for the run, and dropped afterwards.

    Args:
        connection: as psql takes it, for example `postgresql://user@host/database`.

    Raises:
        NoPostgres: there is no psql.
        Failed: it cannot be reached, or lets no schema be made.
    """
    schema = f"gatebook_bench_{os.getpid()}"
    psql = [_program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", connection]

    def sql(text: str) -> str:
        return _run(psql, f"SET search_path TO {schema};\n{text}")

    _run(psql, f"CREATE SCHEMA {schema}")
    try:
        yield sql
    finally:
        _run(psql, f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def temporary() -> Iterator[Sql]:
    """A server of its own, on a unix socket, gone afterwards. PostgreSQL does not run as root: then as another user.

    Raises:
        NoPostgres: its programs are not installed.
        Failed: it does not start.
    """
    psql, initdb, control = _program("psql"), _program("initdb"), _program("pg_ctl")
    user = _LESS_THAN_ROOT[[_exists(name) for name in _LESS_THAN_ROOT].index(True)] if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="gatebook-bench-") as directory:
        place = Path(directory)
        if user is not None:
            shutil.chown(place, user)
        data = str(place / "data")
        _run([initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"], user=user)
        options = f"-k {place} -c listen_addresses='' -c fsync=off"
        _run([control, "-D", data, "-o", options, "-l", str(place / "log"), "-w", "start"], user=user)
        try:
            client = [psql, "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", directory, "-U", "postgres", "-d", "postgres"]
            yield lambda text: _run(client, text)
        finally:
            _run([control, "-D", data, "-m", "immediate", "-w", "stop"], user=user)


def _program(name: str) -> str:
    versions = sorted(Path(USUAL_PLACES).glob("*/bin"), key=lambda place: _number(place.parent.name), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, versions)])
    executable = shutil.which(name, path=path)
    if executable is None:
        raise NoPostgres(f"There is no {name} on the PATH or under {USUAL_PLACES}: install PostgreSQL to compare.")
    return executable


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _run(command: Sequence[str], text: str | None = None, user: str | None = None) -> str:
    # Output to a file that the server keeps open would never end, so only psql's is read.
    reads = text is not None
    done = subprocess.run(  # noqa: S603 - programs found above, arguments made here
        command,
        input=text,
        stdout=subprocess.PIPE if reads else subprocess.DEVNULL,
        stderr=subprocess.PIPE if reads else None,
        text=True,
        check=False,
        user=user,
        cwd="/",
    )
    if done.returncode:
        raise Failed(f"{Path(command[0]).name} failed: {(done.stderr or '').strip()}")
    return done.stdout or ""
