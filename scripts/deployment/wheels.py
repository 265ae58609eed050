"""The packages that Lambda runs, as files whose hashes are in requirements.lock: nothing else gets into a build."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
X86, ARM = "x86_64", "arm64"
"""The architectures of Lambda, as it names them."""
_PLATFORMS = {
    X86: ("manylinux2014_x86_64", "manylinux_2_17_x86_64"),
    ARM: ("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
}
"""Platforms of every Python of Lambda: with 3.11 it has glibc 2.26, with later ones 2.34."""
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
    """Put the wheel of each package, for Python 3.11 on x86, into a directory.

    Raises:
        Mismatch: one of them is not what the lock says.
    """
    _pip(["download", f"--dest={to}"], lock, "3.11", X86)


def install(to: Path, python: str, architecture: str) -> None:
    """Unpack the wheel of each package into a directory, for a Python that need not be here.

    Raises:
        Mismatch: there is none for it, or one of them is not what the lock says.
    """
    _pip(["install", "--no-compile", f"--target={to}"], LOCK, python, architecture)


def _pip(command: list[str], lock: Path, python: str, architecture: str) -> None:
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp"]
    options += [f"--python-version={python}", *(f"--platform={name}" for name in _PLATFORMS[architecture])]
    whole = [sys.executable, "-m", "pip", *command, *options, f"--requirement={lock}"]
    result = subprocess.run(whole, capture_output=True, text=True, check=False)  # noqa: S603 - pip of our own Python
    if result.returncode:
        raise Mismatch(result.stderr)
