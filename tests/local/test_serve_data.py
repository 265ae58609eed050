"""What the serve command keeps in its data directory outlives every way in which a process can end."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """What one start said, and the rows that its first two printed lines brought at its end."""

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
    assert len(list(history.directory.glob("snapshot-*"))) == 1


def test_a_damaged_snapshot_is_one_line_and_exit_2_and_is_left_as_it_is(history: History, tmp_path: Path) -> None:
    data = shutil.copytree(history.directory, tmp_path / "data", symlinks=True)
    damaged = next(file for file in sorted((data / "current").iterdir()) if file.stat().st_size)
    damaged.write_text("{")
    assert_refused(run("--port", "0", "--data", str(data)), damaged.name, "--data")
    assert damaged.read_text() == "{"
