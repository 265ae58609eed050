"""The measurements of the last published run, as the README and `bench/results.md` show it.

scripts/bench --full --postgres --json bench/results.json --chart bench/growth.svg
python -m scripts.docs.reference
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import budgets
from bench.budgets import Budget
from scripts.markdown import markdown, number

BENCH = Path(__file__).resolve().parent
RESULTS = BENCH / "results.json"
TABLES = BENCH / "results.md"
CHART = BENCH / "growth.svg"

Published = Mapping[str, Any]


def latest_run() -> Published:
    """The published run."""
    run: Published = json.loads(RESULTS.read_text())
    return run


def readme(run: Published) -> dict[str, str]:
    """The tables of README and docs by name."""
    bill = run["tables"]["dollars events"]
    rows = [row for row in bill["rows"] if row[0] == "the mix" or row[1] == "all lanes"]
    months, capacity = run["tables"]["dollars months"], run["tables"]["dollars capacity"]
    return {
        "budgets": _budgets(run),
        "bill": markdown(bill["head"], rows),
        "months": markdown(months["head"], months["rows"]),
        "capacity": markdown(capacity["head"], capacity["rows"]),
    }


def tables(run: Published) -> str:
    """Everything that the run measured, as a page."""
    parts = [
        "# What it costs, measured",
        f"Engine: {run['engine']}; Python {run['python']}; prices of {run['prices']}.",
        "Units are counted from the sizes of items and the definitions of the tables; times are this machine's.",
        "![Rows read for each row of a page](growth.svg)",
        "## Budgets",
        _budgets(run),
    ]
    for table in run["tables"].values():
        parts += [f"## {table['title']}", markdown(table["head"], table["rows"])]
    parts.append("## Everything else")
    rows = [[one["section"], one["name"], number(one["value"]), one["unit"], one["mark"]] for one in run["results"]]
    parts.append(markdown(("part", "what", "measured", "unit", ""), rows))
    return "\n\n".join(parts) + "\n"


def _budgets(run: Published) -> str:
    """Every budget with the worst that was measured."""
    rows = []
    for budget in _declared():
        measured = [one for one in run["results"] if one["budget_of"] == budget.what]
        if measured:
            worst = max(measured, key=lambda one: one["value"])
            rows.append(
                [budget.what, f"≤ {_amount(budget.most, budget)}", _amount(worst["value"], budget), worst["mark"]]
            )
    return markdown(("what", "budget", "measured, the worst", ""), rows)


def _amount(value: float, budget: Budget) -> str:
    match budget.unit:
        case "x":
            return f"{number(value)} times"
        case "$":
            return f"${value:.2f}"
        case "MB":
            return f"{number(value)} MB"
    return number(value)


def _declared() -> list[Budget]:
    return [value for value in vars(budgets).values() if isinstance(value, Budget)]
