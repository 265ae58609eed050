"""The size of the package, and the time of a cold start of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import budgets
from bench.results import Result
from scripts.deployment import coldstart, package

_STAGE = "prod"
_ROUNDS = 5
_SECTION = "The deployment package"
_COLD_STARTS = {
    "import": ("import of app.py against its bare libraries", budgets.IMPORT_TIME),
    "start": ("start to the first answer against a minimal app", budgets.COLD_START),
    "page": ("start to the first page of the connection log against a minimal app", budgets.COLD_PAGE),
}
"""Ratio of `scripts/coldstart` -> the name of its result, and its budget."""


def measure() -> Iterator[Result]:
    """Make a package and measure it; the embedded engine must not be running.

    Raises:
        PackageError: it cannot be made, for example without a package index in reach.
    """
    with TemporaryDirectory(prefix="gatebook-bench-") as out:
        archive = package.build(Path(out), _STAGE).archive
        yield from size(archive)
        ratios = coldstart.measured(archive, _ROUNDS)
    yield from cold_starts(ratios)


def cold_starts(ratios: Mapping[str, float]) -> Iterator[Result]:
    """Each ratio that `scripts/coldstart` measures, with its budget."""
    for name, (what, budget) in _COLD_STARTS.items():
        yield Result(_SECTION, what, ratios[name], budget.unit, budget)


def size(archive: Path) -> Iterator[Result]:
    """The size of the zip."""
    megabytes = archive.stat().st_size / budgets.MEGABYTE
    yield Result(_SECTION, "the zip", megabytes, "MB", budgets.PACKAGE_MEGABYTES)
