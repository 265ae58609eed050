"""Budgets, results and what is printed of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import budgets
from bench.budgets import NOISE, Budget
from bench.measures import package
from bench.results import Result, Table, lines
from scripts.deployment import coldstart
from scripts.markdown import number

COUNTED = Budget("units", 10)
FLOORED = Budget("units that have a floor", 10, floor=11)
TIMED = Budget("a ratio of times", 2, "x", timed=True)


@pytest.mark.parametrize(
    ("budget", "value", "kept"),
    [(COUNTED, 10, True), (COUNTED, 10.01, False), (TIMED, 2 * NOISE, True), (TIMED, 2 * NOISE + 0.01, False)],
)
def test_what_is_counted_must_be_within_and_what_is_timed_may_vary(budget: Budget, value: float, *, kept: bool) -> None:
    assert budget.kept(value) is kept


@pytest.mark.parametrize(("size", "mark"), [(6_562_102, "ok"), (12 * 1_024 * 1_024 + 1, "MISSED")])
def test_a_package_is_as_large_as_its_file(tmp_path: Path, size: int, mark: str) -> None:
    archive = tmp_path / "deployment.zip"
    with archive.open("wb") as file:
        file.truncate(size)
    (result,) = package.size(archive)
    assert (result.value, result.mark) == (size / 1_024 / 1_024, mark)


def test_every_budget_has_words_of_its_own() -> None:
    declared = [value.what for value in vars(budgets).values() if isinstance(value, Budget)]
    assert len(declared) == len({*declared}) >= 17


def test_a_result_is_marked_by_its_budget() -> None:
    assert Result("part", "name", 11, "", COUNTED).mark == "MISSED"
    assert Result("part", "name", 9, "", COUNTED).mark == "ok"
    assert Result("part", "name", 9).mark == ""
    assert [Result("part", "name", value, "", TIMED).mark for value in (2, 2.1, 2.5)] == ["ok", "NEAR", "MISSED"]
    assert [Result("part", "name", value, "", FLOORED).mark for value in (10, 11, 11.5)] == ["ok", "FLOOR", "MISSED"]


def test_results_are_printed_by_part_beside_their_budgets() -> None:
    printed = list(lines([Result("one", "a", 11, "WRU", COUNTED), Result("one", "b", 2), Result("two", "c", 3)]))
    assert [line for line in printed if line and not line.startswith(" ")] == ["one", "two"]
    assert printed[2].split() == ["a", "11", "WRU", "<=", "10", "MISSED"]
    assert printed[3].split() == ["b", "2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (12, "12"), (1_234_567, "1,234,567"), (1_234.5, "1,234"), (1.018, "1.02"), (99.94, "99.9")],
)
def test_numbers_have_three_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert number(value) == text


def test_a_table_aligns_numbers_to_the_right() -> None:
    table = Table("key", "Title", ("name", "value"), [["a", 1], ["longer", 1_000]])
    assert list(table.lines()) == ["", "Title", "  name    value", "  a           1", "  longer  1,000"]
    assert table.json() == {"title": "Title", "head": ["name", "value"], "rows": [["a", "1"], ["longer", "1,000"]]}


def test_every_cold_start_that_is_measured_has_its_budget() -> None:
    ratios = dict.fromkeys(coldstart.BUDGETS, 1.2)
    results = list(package.cold_starts(ratios))
    assert [result.budget.most for result in results if result.budget] == [*coldstart.BUDGETS.values()]
    late = package.cold_starts(ratios | {"page": 2.0})
    assert [result.name for result in late if result.mark == "MISSED"] == [results[-1].name]
