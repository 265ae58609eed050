"""How much of a job's log is kept: the cases of a Coder server."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.platform.job_logs import MOST_BYTES, NOTICE, kept


def line(output: str) -> dict[str, Any]:
    return {"id": 1, "log_level": "info", "output": output}


def test_the_notice_is_as_long_as_upstreams() -> None:
    assert len(NOTICE) == 111


@pytest.mark.parametrize(
    ("output", "overflowed"),
    [("x" * 1_048_577, True), ("x" * 16, False), ("x" * 1_048_465, False), ("x" * 1_048_466, True)],
    ids=["more than all", "little", "the most", "one more"],
)
def test_a_line_that_is_too_much_becomes_the_notice(output: str, *, overflowed: bool) -> None:
    result = kept([line(output)], 0, overflowed=False)
    assert result.overflowed is overflowed
    expected = {"output": NOTICE, "log_level": "warn"} if overflowed else {"output": output, "log_level": "info"}
    assert [{name: one[name] for name in expected} for one in result.lines] == [expected]


def test_what_comes_after_the_notice_is_dropped() -> None:
    first = kept([line("x" * 524_289)], 0, overflowed=False)
    assert not first.overflowed
    second = kept([line("x" * 524_289), line("y")], first.length, overflowed=first.overflowed)
    assert second.overflowed
    assert [one["output"] for one in second.lines] == [NOTICE]
    assert kept([line("z")], second.length, overflowed=True).lines == []
    assert second.length <= MOST_BYTES


def test_bytes_count_and_not_letters() -> None:
    assert kept([line("é" * 600_000)], 0, overflowed=False).overflowed
    assert kept([line("é" * 10)], 0, overflowed=False).length == 20


def test_a_full_log_takes_no_further_letter_and_any_number_of_empty_lines() -> None:
    full = kept([line("x" * 1_048_465)], 0, overflowed=False)
    assert not kept([line("")], full.length, overflowed=False).overflowed
    assert kept([line("x")], full.length, overflowed=False).overflowed
