"""The file that every command sources first: it installs once, and says what to do where it cannot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/asked"
case "$*" in
    '-c '|'-m pip --version') exit 0 ;;
    '-m uv --version') exit {has_uv} ;;
    '-m uv pip install '*) exit {uv_installs} ;;
    '-m pip install -q uv') exit 1 ;;
    *) exit {pip_installs} ;;
esac
"""
"""Stands in for the Python of .venv, and notes what it is asked to do."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout as far as its commands look before they begin."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/environment", tmp_path / "scripts")
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("nothing\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    return tmp_path


def source(place: Path, **python: int) -> subprocess.CompletedProcess[str]:
    stand_in = place / ".venv/bin/python"
    stand_in.write_text(PYTHON.format(**python))
    stand_in.chmod(0o755)
    command = ["bash", "-c", "source scripts/environment && echo ready"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - ours


def test_what_cannot_be_installed_is_told_with_what_to_do_and_is_tried_again(place: Path) -> None:
    result = source(place, has_uv=1, uv_installs=1, pip_installs=1)
    assert (result.returncode, result.stdout) == (2, "")
    last = result.stderr.splitlines()[-1]
    assert last == "Not installed: look at the network and at PIP_INDEX_URL, where you set it, and run this again."
    assert not (place / ".venv/installed").exists()


@pytest.mark.parametrize(("has_uv", "uv_installs", "by"), [(0, 0, "uv"), (0, 1, "pip"), (1, 1, "pip")])
def test_it_installs_once_by_uv_or_else_by_pip(place: Path, has_uv: int, uv_installs: int, by: str) -> None:
    result = source(place, has_uv=has_uv, uv_installs=uv_installs, pip_installs=0)
    assert (result.returncode, result.stdout) == (0, "ready\n"), result.stderr
    asked = (place / ".venv/bin/asked").read_text().splitlines()
    assert any(line.startswith("-m pip install -q -r") for line in asked) is (by == "pip")
    again = source(place, has_uv=1, uv_installs=1, pip_installs=1)
    assert (again.returncode, again.stdout, again.stderr) == (0, "ready\n", "")
