"""The packages that Lambda runs, as files whose hashes are in requirements.lock: nothing else gets into a build."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
"""The platform of Lambda for Python 3.11: glibc 2.26."""
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


class Mismatch(Exception):
    """A file cannot be had, or is another than the one that was locked; the text is pip's."""


class Pinned(NamedTuple):
    """A package: its version, and the SHA-256 of each of its files."""

    version: str
    hashes: tuple[str, ...]


def pinned() -> Mapping[str, Pinned]:
    """The packages of requirements.lock by name."""
    return {
        name: Pinned(version, tuple(re.findall(r"sha256:([0-9a-f]{64})", hashes)))
        for name, version, hashes in _PINNED.findall(LOCK.read_text())
    }


def download(to: Path, lock: Path = LOCK) -> None:
    """Put the wheel of each package into a directory.

    Raises:
        Mismatch: one of them is not what the lock says.
    """
    command = [sys.executable, "-m", "pip", "download", "-q", "--require-hashes", "--no-deps", "--dest", str(to)]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11"]
    for platform in _PLATFORMS:
        command += ["--platform", platform]
    result = subprocess.run(  # noqa: S603 - our own Python
        [*command, "-r", str(lock)], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise Mismatch(result.stderr)
