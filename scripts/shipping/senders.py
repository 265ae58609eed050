"""The shippers that are tried: how each is installed from a registry, how it runs, and whether it sends again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

PROGRAMS = Path(__file__).parent / "programs"
NODE_PACKAGES = ("winston@3.19.0", "pino@9.14.0", "pino-http-send@0.4.2")
PYTHON_PACKAGES = ("python-logstash-async==4.1.0",)
SYSLOG_NG = ("syslog-ng-core", "syslog-ng-mod-http")
RSYSLOG = ("rsyslog", "libestr0", "libfastjson4", "liblognorm5")
"""Unpacked and not installed: Debian lets a machine have one of the two."""

_ENDS_WITHIN_SECONDS = 10
_INSTALLED_WITHIN_SECONDS = 120
"""The limit of a step: a longer one, such as a compiler on a busy machine, is left out."""


class Job(NamedTuple):
    """The task of a sender.

    Attributes:
        lines: the file that it sends.
        host: of the service.
        port: of the service.
        path: where the events go.
        token: of the owner.
        place: a directory of its own, empty.
        installed: where the packages are.
    """

    lines: Path
    host: str
    port: int
    path: str
    token: str
    place: Path
    installed: Path

    @property
    def address(self) -> str:
        """The whole address."""
        return f"http://{self.host}:{self.port}{self.path}"


@dataclass(frozen=True)
class Sender:
    """A shipper.

    Attributes:
        name: as its package is called.
        start: its processes for a job, which run until they are ended.
        install: makes what it runs on be there; raises OSError or SubprocessError where it cannot.
        sends_again: whether it does after a 503.
    """

    name: str
    start: Callable[[Job], list[subprocess.Popen[bytes]]]
    install: Callable[[Path], None]
    sends_again: bool = True


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the processes of a sender, as an operator would."""
    with ExitStack() as stack:
        for process in processes:
            stack.enter_context(process)
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(_ENDS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _started(
    *command: str | Path, source: int | IO[bytes] | None = subprocess.PIPE, sink: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    words = [str(word) for word in command]
    return subprocess.Popen(words, stdin=source, stdout=sink, stderr=subprocess.DEVNULL)  # noqa: S603 - of this module


def _syslog_ng(job: Job) -> list[subprocess.Popen[bytes]]:
    settings = (PROGRAMS / "syslog-ng.conf").read_text()
    for name, value in (("lines", str(job.lines)), ("address", job.address), ("token", job.token)):
        settings = settings.replace(f"{{{name}}}", value)
    written = job.place / "syslog-ng.conf"
    written.write_text(settings)
    own = {"--persist-file": "persist", "--control": "control", "--pidfile": "pid"}
    files = [f"{option}={job.place / name}" for option, name in own.items()]
    return [_started("syslog-ng", "--foreground", "--no-caps", "--stderr", f"--cfgfile={written}", *files)]


def _rsyslog(job: Job) -> list[subprocess.Popen[bytes]]:
    """Its program for other outputs, `omprog`, with curl: the module for HTTP is in none of Debian's packages."""
    settings = (PROGRAMS / "rsyslog.conf").read_text()
    words = {"lines": job.lines, "place": job.place, "program": PROGRAMS / "rsyslog-batch"}
    for name, value in ({**words, "address": job.address, "token": job.token}).items():
        settings = settings.replace(f"{{{name}}}", str(value))
    written = job.place / "rsyslog.conf"
    written.write_text(settings)
    root = job.installed / "rsyslog"
    libraries = [directory for directory in (root / "usr" / "lib").glob("*-linux-*") if directory.is_dir()]
    modules = ":".join(str(library / "rsyslog") for library in libraries)
    search = f"LD_LIBRARY_PATH={':'.join(map(str, libraries))}"
    daemon = root / "usr" / "sbin" / "rsyslogd"
    return [_started("env", search, daemon, "-n", "-f", written, "-i", job.place / "pid", "-M", modules)]


def _winston(job: Job) -> list[subprocess.Popen[bytes]]:
    program = shutil.copy(PROGRAMS / "winston.js", job.installed)
    return [_started("node", program, job.lines, job.host, str(job.port), job.path, job.token)]


def _pino(job: Job) -> list[subprocess.Popen[bytes]]:
    program = shutil.copy(PROGRAMS / "pino.js", job.installed)
    logged = _started("node", program, job.lines, sink=subprocess.PIPE)
    send = job.installed / "node_modules" / ".bin" / "pino-http-send"
    options = ("--batchSize=50", "--timeout=500", "--interval=300", "--retries=20", "--silent")
    who = ("--username=gatebook", f"--password={job.token}")
    return [logged, _started(send, f"--url={job.address}", *options, *who, source=logged.stdout)]


def _logstash(job: Job) -> list[subprocess.Popen[bytes]]:
    python = job.installed / "python" / "bin" / "python"
    program = PROGRAMS / "logstash.py"
    return [_started(python, program, job.lines, job.host, str(job.port), job.path, job.token)]


def _run(*command: str | Path, place: Path | None = None) -> None:
    words = [str(word) for word in command]
    subprocess.run(  # noqa: S603 - as above
        words,
        check=True,
        timeout=_INSTALLED_WITHIN_SECONDS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=place,
    )


def _from_debian(_installed: Path) -> None:
    if shutil.which("syslog-ng") is None:
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *SYSLOG_NG)


def _unpacked_from_debian(installed: Path) -> None:
    root = installed / "rsyslog"
    if not (root / "unpacked").exists():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        _run("apt-get", "update", "-qq")
        _run("apt-get", "download", "-qq", *RSYSLOG, place=root)
        for package in root.glob("*.deb"):
            _run("dpkg", "-x", package, root)
        (root / "unpacked").touch()


def _from_npm(installed: Path) -> None:
    if not (installed / "node_modules" / ".bin" / "pino-http-send").exists():
        options = ("--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts")
        _run("npm", "install", *options, "--prefix", installed, *NODE_PACKAGES)


def _from_pypi(installed: Path) -> None:
    place = installed / "python"
    if not (place / "installed").exists():
        _run(sys.executable, "-m", "venv", place)
        _run(place / "bin" / "python", "-m", "pip", "install", "-q", *PYTHON_PACKAGES)
        (place / "installed").touch()


def coder_logger(installed: Path) -> Path:
    """Coder's own logger, built from the Go proxy.

    Raises:
        OSError: there is no Go.
        SubprocessError: it cannot be built.
    """
    built = installed / "coder"
    if not built.exists():
        _run("go", "build", "-C", PROGRAMS / "coder", "-trimpath", "-o", built, ".")
    return built


SENDERS = (
    Sender("syslog-ng", _syslog_ng, _from_debian),
    Sender("rsyslog", _rsyslog, _unpacked_from_debian),
    Sender("winston", _winston, _from_npm, sends_again=False),
    Sender("pino-http-send", _pino, _from_npm),
    Sender("python-logstash-async", _logstash, _from_pypi),
)
