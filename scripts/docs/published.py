"""The measurements of the last published run, as the documents and `bench/results.md` show it.

All of it is read from the file that the bench wrote, so that the documents need none of its code:

scripts/bench --full --postgres --json bench/results.json --chart bench/growth.svg
python -m scripts.docs.reference
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.markdown import markdown, number

BENCH = Path(__file__).resolve().parents[2] / "bench"
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
    held = [one for one in run["results"] if one["budget_of"]]
    rows = []
    for what in dict.fromkeys(one["budget_of"] for one in held):
        worst = max((one for one in held if one["budget_of"] == what), key=lambda one: one["value"])
        budget, measured = (_amount(worst[name], worst["unit"]) for name in ("budget", "value"))
        rows.append([what, f"≤ {budget}", measured, worst["mark"]])
    return markdown(("what", "budget", "measured, the worst", ""), rows)


def _amount(value: float, unit: str) -> str:
    match unit:
        case "x":
            return f"{number(value)} times"
        case "$":
            return f"${value:.2f}"
        case "MB":
            return f"{number(value)} MB"
    return number(value)
