"""The export command as a process of its own, against a served instance."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.served import ROOT, Started, environment, started

COMMAND = (sys.executable, "-m", "scripts.exports.command")
GIVE_UP_AFTER_SECONDS = 120


@pytest.fixture(scope="module")
def service() -> Iterator[Started]:
    with started() as running:
        yield running
        running.end()


def arguments(service: Started, directory: Path) -> list[str]:
    return [*COMMAND, "--url", service.url, "--log", "connection", "--part-bytes", "4000", str(directory)]


def run(service: Started, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        words,
        cwd=ROOT,
        env=environment(GATEBOOK_TOKEN=service.token),
        capture_output=True,
        text=True,
        check=False,
        timeout=GIVE_UP_AFTER_SECONDS,
    )


def test_a_process_that_is_killed_goes_on_with_the_same_bytes(service: Started, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    result = run(service, *arguments(service, whole))
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("complete: ")
    end = json.loads((whole / "manifest.json").read_text())["to"]
    words = [*arguments(service, killed), "--to", end]
    with subprocess.Popen(words, cwd=ROOT, env=environment(GATEBOOK_TOKEN=service.token)) as process:  # noqa: S603
        give_up_at = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while not list(killed.glob("part-00001.*")) and time.monotonic() < give_up_at and process.poll() is None:
            time.sleep(0.001)
        process.kill()
    assert run(service, *words).returncode == 0
    names = sorted(path.name for path in whole.glob("part-*"))
    assert len(names) > 1
    assert [(killed / name).read_bytes() for name in names] == [(whole / name).read_bytes() for name in names]
    checked = run(service, *COMMAND, "--check", str(killed))
    assert (checked.returncode, checked.stdout) == (0, "complete: every part is as manifest.json says\n")
    (killed / names[0]).write_bytes(gzip.compress(b"{}\n"))
    assert run(service, *COMMAND, "--check", str(killed)).returncode == 1


def test_an_export_that_has_ended_is_taken_for_no_other_and_for_no_more_than_it_is(
    service: Started, tmp_path: Path
) -> None:
    words = arguments(service, tmp_path)
    assert run(service, *words).returncode == 0
    assert run(service, *words).returncode == 0
    for other in (["--q", "type:ssh"], ["--format", "csv"], ["--from", "2020-01-01"], ["--to", "2020-01-01"]):
        result = run(service, *words, *other)
        assert (result.returncode, result.stderr.startswith(f"export: {tmp_path} has another export")) == (2, True)
    written = tmp_path / "manifest.json"
    written.write_text(json.dumps({**json.loads(written.read_text()), "status": "partial"}))
    assert run(service, *words).returncode == 1
    written.write_text("{}")
    assert run(service, *words).returncode == 2


@pytest.mark.parametrize("words", [["--url", "gatebook"], ["--q", "color:red"], ["--check"], ["--token-file", "/no"]])
def test_what_stands_in_the_way_is_said_in_one_line(service: Started, tmp_path: Path, words: list[str]) -> None:
    result = run(service, *COMMAND, "--url", service.url, *words, str(tmp_path / "out"))
    assert result.returncode == 2
    assert result.stderr.startswith("export: ")
    assert result.stderr.count("\n") == 1
