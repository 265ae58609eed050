"""The serve command as a process of its own: run to its end, or started and used as its output says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "scripts.local.serve")
GIVE_UP_AFTER_SECONDS = 900


def environment(**changes: str) -> dict[str, str]:
    """The environment of this process without what would change where or how the service runs."""
    kept = {name: value for name, value in os.environ.items() if not re.match(r"AWS_|CODER_|GATEBOOK_", name)}
    return kept | changes


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(**changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=GIVE_UP_AFTER_SECONDS,
    )


def assert_refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("serve: ")
    for word in words:
        assert word in result.stderr


@dataclass
class Started:
    """A serve command that said it is ready."""

    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def url(self) -> str:
        return next(line for line in self.lines if line.startswith("Gatebook is ready at ")).rpartition(" ")[2]

    @property
    def token(self) -> str:
        return next(line for line in self.lines if line.startswith("The owner's token: ")).rpartition(" ")[2]

    @property
    def curls(self) -> list[str]:
        return [line.strip() for line in self.lines if line.startswith("  curl ")]

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal; status 0 shows that it ended by itself, before the alarm that ends what hangs."""
        self.process.send_signal(number)
        assert self.process.wait(GIVE_UP_AFTER_SECONDS) == 0


@contextmanager
def launched(
    *arguments: str, seconds: float = GIVE_UP_AFTER_SECONDS, **changes: str
) -> Iterator[subprocess.Popen[str]]:
    """The command, ended after so many seconds whatever it does."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, "--port", "0", *arguments], cwd=ROOT, env=environment(**changes), stdout=subprocess.PIPE, text=True
    ) as process:
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


@contextmanager
def started(*arguments: str, seconds: float = GIVE_UP_AFTER_SECONDS, **changes: str) -> Iterator[Started]:
    with launched(*arguments, seconds=seconds, **changes) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while sum(line.startswith("  curl ") for line in lines) < 3:
            line = process.stdout.readline()
            assert line, f"ended with {process.wait()} after {lines}"
            lines.append(line.rstrip("\n"))
        yield Started(process, lines)


def paste(curl: str) -> Any:
    """Run a printed line in a shell; the JSON it gets, whatever the status."""
    result = subprocess.run(  # noqa: S602 - pasting is what is tested
        f"{curl} -sS --fail-with-body", shell=True, capture_output=True, text=True, check=False, timeout=30
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def ongoing(service: Started) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = paste(service.curls[1])["connection_logs"]
    return rows
