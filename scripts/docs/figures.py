"""The counts of the tests, for docs/reliability.md: faults and their outcomes, and the costs of answers.

Tests write here where they are run with `--write-figures`; `scripts.docs.reference` makes tables of it.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path

from scripts.markdown import markdown, number

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "reliability.json"
Counts = Mapping[str, int]
_OUTCOMES = ("done", "honest", "finished")
_LISTED_ROUTES = 20


def read(section: str) -> dict[str, dict[str, int]]:
    """The counts of a section by name; empty where nothing has been written."""
    whole: dict[str, dict[str, dict[str, int]]] = json.loads(FIGURES.read_text() or "{}")
    return whole.get(section, {})


def write(section: str, name: str, counts: Counts) -> None:
    """Put the counts of one thing in the place of those that were there."""
    with FIGURES.open("r+") as file:
        # Tests may run in several processes.
        fcntl.flock(file, fcntl.LOCK_EX)
        whole = json.loads(file.read() or "{}")
        whole.setdefault(section, {})[name] = dict(counts)
        file.seek(0)
        file.truncate()
        file.write(json.dumps(whole, indent=1, sort_keys=True) + "\n")


def faults() -> str:
    """Operations by what came of faults in their calls, as Markdown."""
    counted = read("faults")
    rows = [
        (name, str(counts["calls"]), *(number(counts.get(outcome, 0)) for outcome in _OUTCOMES))
        for name, counts in counted.items()
    ]
    sums = (sum(counts.get(outcome, 0) for counts in counted.values()) for outcome in _OUTCOMES)
    calls = sum(counts["calls"] for counts in counted.values())
    rows.append(("**all**", number(calls), *(number(total) for total in sums)))
    return markdown(("operation", "calls", *_OUTCOMES), rows)


def answers() -> str:
    """Requests by what their largest answer takes, as Markdown."""
    rows = [
        (name, *(number(counts[what]) for what in ("bytes", "calls", "functions")))
        for name, counts in read("answers").items()
    ]
    return markdown(("request", "bytes of the answer", "calls of the store", "calls of functions"), rows)


def routes() -> str:
    """The routes with the largest answers by what their largest requests take, as Markdown."""
    largest = sorted(read("routes").items(), key=lambda one: -one[1]["bytes"])[:_LISTED_ROUTES]
    rows = [
        (f"`{route}`", *(number(counts[what]) for what in ("bytes", "rows", "calls", "functions")))
        for route, counts in largest
    ]
    return markdown(("route", "bytes of the answer", "rows read", "calls of the store", "calls of functions"), rows)
