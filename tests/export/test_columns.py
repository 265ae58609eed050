from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.export import columns

TEXTS = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    [*columns.RUN_BY_SPREADSHEETS, "=1+1", "a;=b", ';"\n=b']
)


def cells(row: dict[str, Any], log: str = "audit") -> dict[str, str]:
    """A line as a spreadsheet reads it."""
    text = columns.heading(log) + columns.line(log, row)
    assert text.encode().startswith(b"\xef\xbb\xbf"), "a spreadsheet reads it as UTF-8"
    names, values = csv.reader(io.StringIO(text.removeprefix(columns.BYTE_ORDER_MARK), newline=""))
    return dict(zip(names, values, strict=True))


@pytest.mark.parametrize("first", columns.RUN_BY_SPREADSHEETS)
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(first: str) -> None:
    assert cells({"user_agent": f"{first}cmd|' /C calc'!A0"})["user_agent"] == f"'{first}cmd|' /C calc'!A0"


def test_a_number_is_a_number_also_below_zero() -> None:
    line = columns.line("connection", {"ssh_info": {"exit_code": -1}})
    assert ",-1," in line


def test_a_diff_is_json_in_a_cell() -> None:
    diff = {"name": {"old": 'a "b", c', "new": "=d\n", "secret": False}}
    assert json.loads(cells({"diff": diff})["diff"]) == diff


def test_a_cell_is_no_longer_than_a_spreadsheet_takes() -> None:
    cell = cells({"resource_target": "é" * 40_000})["resource_target"]
    assert len(cell) == columns.LONGEST_CELL
    assert cell.endswith("é…")


def test_what_a_row_does_not_have_is_an_empty_cell() -> None:
    assert set(cells({"id": "x", "user": None, "organization": "?"}).values()) == {"x", ""}


@pytest.mark.parametrize(
    ("text", "harmless"),
    [("a;=1;b", "a;'=1;b"), ('a;"+1', "a;\"'+1"), ("a\n @x", "a\n '@x"), ("a\t-1", "a\t'-1"), ("a,=1 -2", "a,=1 -2")],
)
def test_what_a_spreadsheet_would_run_that_splits_texts_is_made_harmless(text: str, harmless: str) -> None:
    assert cells({"user_agent": text})["user_agent"] == harmless


@given(TEXTS, TEXTS)
def test_no_text_leaves_its_cell_and_none_begins_a_formula(target: str, agent: str) -> None:
    read = cells({"resource_target": target, "user_agent": agent})
    for name, value in (("resource_target", target), ("user_agent", agent)):
        assert not read[name].startswith(columns.RUN_BY_SPREADSHEETS)
        sendable = value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        assert read[name].replace("'", "") == sendable.replace("'", "")
    line = columns.line("audit", {"resource_target": target, "user_agent": agent})
    assert line.startswith('"')
    assert line.endswith('"\r\n')
    assert not re.search(r"""[;\t\r\n]["\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]""", line)
