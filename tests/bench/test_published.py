"""The published tables are those of the published run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import bill, budgets
from bench.budgets import Budget
from bench.measures.pages import FULL_SIZES
from bench.queries import LOGS
from scripts.docs import published
from scripts.docs.reference import README

RUN = published.latest_run()


def test_the_page_of_tables_is_that_of_the_run() -> None:
    assert published.TABLES.read_text() == published.tables(RUN), "run: python -m scripts.docs.reference"


def test_the_documents_lead_to_the_tables_and_the_chart() -> None:
    text = (README.parent / "docs" / "cost.md").read_text()
    for place in (published.TABLES, published.CHART):
        assert f"(../{place.relative_to(README.parent)})" in text
        assert place.exists()


def test_the_run_was_a_full_one_beside_the_peer_at_the_prices_that_stand() -> None:
    assert {(cost["log"], cost["size"]) for cost in RUN["pages"]} == {
        (log.name, size) for log in LOGS for size in FULL_SIZES
    }
    assert RUN["peer"]["costs"]
    assert RUN["prices"] == bill.PRICES["date"]


@pytest.mark.parametrize("value", [7.77, 99_999])
def test_another_number_in_the_run_is_another_readme(value: float) -> None:
    other = json.loads(json.dumps(RUN))
    for one in other["results"]:
        one["value"] = value
    assert published.readme(other)["budgets"] != published.readme(RUN)["budgets"]


def test_every_budget_that_was_measured_is_shown_with_its_worst() -> None:
    table = published.readme(RUN)["budgets"]
    assert {one["budget_of"] for one in RUN["results"] if one["budget_of"]} <= {
        line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()
    }
    missed = {one["budget_of"] for one in RUN["results"] if one["mark"] == "MISSED"}
    assert table.count("MISSED") == len(missed)


def test_the_published_budgets_are_those_that_are_declared() -> None:
    declared = {budget.what: budget.most for budget in vars(budgets).values() if isinstance(budget, Budget)}
    published_budgets = {one["budget_of"]: one["budget"] for one in RUN["results"] if one["budget_of"]}
    assert published_budgets.items() <= declared.items()


def test_the_launcher_leaves_out_the_developers_settings() -> None:
    launcher = (Path(README).parent / "scripts" / "bench").read_text()
    assert all(f"{prefix}_*" in launcher for prefix in ("GATEBOOK", "CODER", "AWS"))
