"""The threat model names for each threat the tests that hold its defence, and they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line][1:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_threat_names_tests_that_are_there(row: str) -> None:
    named = NAMED.findall(row)
    assert named, "the row names no test, as `tests/room/test_file.py::test_name`"
    assert [f"{path}::{name}" for path, name in named if name not in names_in(path)] == []
