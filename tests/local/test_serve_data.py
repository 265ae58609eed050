"""The data directory of the serve command outlives every way in which a process can end."""

from __future__ import annotations

import re
import resource
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.local.served import (
    GIVE_UP_AFTER_SECONDS,
    Started,
    assert_refused,
    launched,
    ongoing,
    paste,
    run,
    started,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The output of one start, and the rows that its first two printed lines brought at its end."""

    service: Started
    page: Any
    ongoing: list[dict[str, Any]]

    @classmethod
    def of(cls, service: Started) -> Seen:
        return cls(service, paste(service.curls[0]), ongoing(service))


@dataclass(frozen=True, slots=True)
class History:
    """One data directory through four starts, as each is too slow for a test of its own; all have ended.

    The first was killed as soon as it was ready, the second got one more row and then two signals at once, the third
    got a signal while it started, the fourth came up and was told to end.
    """

    directory: Path
    killed: Started
    ongoing_before: int
    filled: Seen
    cut_short: int | None
    last: Seen


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    directory = tmp_path_factory.mktemp("data")
    option = ("--data", str(directory))
    with started(*option) as killed:
        killed.process.kill()
    with started(*option) as service:
        before = len(ongoing(service))
        paste(service.curls[2])
        filled = Seen.of(service)
        service.process.send_signal(signal.SIGINT)
        service.end()
    with launched(*option) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Starting")
        process.send_signal(signal.SIGTERM)
        cut_short = process.wait(GIVE_UP_AFTER_SECONDS)
    with started(*option) as service:
        last = Seen.of(service)
        service.end()
    return History(directory, killed, before, filled, cut_short, last)


def test_a_process_killed_outright_leaves_the_owner_it_announced(history: History) -> None:
    assert history.filled.service.token == history.killed.token


def test_a_second_signal_does_not_cut_the_ending_short(history: History) -> None:
    assert len(history.last.ongoing) == history.ongoing_before + 1


def test_a_signal_during_the_start_ends_it_and_leaves_what_was_kept(history: History) -> None:
    assert history.cut_short == 0
    assert history.last.ongoing == history.filled.ongoing


def test_rows_and_token_survive_a_restart_with_data(history: History) -> None:
    assert history.last.service.token == history.filled.service.token
    assert history.last.page == history.filled.page
    assert len(history.last.page["connection_logs"]) == 3
    assert "sample" in history.killed.text
    assert "sample" not in history.filled.service.text + history.last.service.text
    assert sorted(path.name for path in history.directory.iterdir()) == ["acknowledged", "gatebook.db", "owner-token"]


def test_a_damaged_file_is_one_line_and_exit_2_and_is_left_as_it_is(history: History, tmp_path: Path) -> None:
    data = shutil.copytree(history.directory, tmp_path / "data", symlinks=True)
    (data / "gatebook.db").write_text("{")
    assert_refused(run("--port", "0", "--data", str(data)), "gatebook.db", "--data")
    assert (data / "gatebook.db").read_text() == "{"


def limited(service: Started, size: int) -> None:
    """Let files of the service grow to so many bytes and no further, as a full disk would."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def acknowledged(service: Started, count: int) -> list[str]:
    """The ids of the events that were sent one by one and acknowledged."""
    sent: list[str] = []
    for _ in range(count):
        connection_id = str(uuid4())
        line = re.sub(r'"connection_id":"[^"]*"', f'"connection_id":"{connection_id}"', service.curls[2])
        answer = subprocess.run(  # noqa: S602 - as `paste`
            f"{line} -sS -o /dev/null -w '%{{http_code}}'", shell=True, capture_output=True, text=True, check=True
        )
        if answer.stdout == "200":
            sent.append(connection_id)
        else:
            assert answer.stdout == "503"
    return sent


def stored(service: Started, ids: list[str]) -> list[str]:
    return [known for known in ids if paste(_asking_for(service, known))["connection_logs"]]


def _asking_for(service: Started, connection_id: str) -> str:
    return service.curls[1].replace("q=status:ongoing type:ssh", f"q=connection_id:{connection_id}")


def test_a_full_disk_is_503_with_the_reason_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    option = ("--data", str(tmp_path), "--no-sample")
    with started(*option) as service:
        before = acknowledged(service, 2)
        limited(service, (tmp_path / "gatebook.db-wal").stat().st_size + 20_000)
        during = acknowledged(service, 6)
        assert len(during) < 6, "the disk was never full"
        refusal = subprocess.run(  # noqa: S602 - as `paste`
            f"{service.curls[2]} -sS", shell=True, capture_output=True, text=True, check=True
        )
        assert "gatebook.db cannot be written" in refusal.stdout
        page = paste(service.curls[0].replace("limit=3", "limit=100"))
        assert len(page["connection_logs"]) == len(before + during)
        limited(service, resource.RLIM_INFINITY)
        after = acknowledged(service, 1)
        assert after
        service.process.kill()
    with started(*option) as service:
        assert stored(service, before + during + after) == before + during + after
        assert service.token
        limited(service, 1)
        service.end()
    assert_refused_without_database(tmp_path)


def assert_refused_without_database(directory: Path) -> None:
    (directory / "gatebook.db").rename(directory / "elsewhere")
    assert_refused(run("--port", "0", "--data", str(directory)), "gatebook.db is missing", "--data")
    assert not (directory / "gatebook.db").exists()
