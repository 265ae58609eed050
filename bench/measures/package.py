"""The size of the package, and the time of a cold start of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import budgets
from bench.results import Result
from scripts.deployment import coldstart, package

_STAGE = "prod"
_ROUNDS = 5
_SECTION = "The deployment package"


def measure() -> Iterator[Result]:
    """Make a package and measure it; the embedded engine must not be running.

    Raises:
        PackageError: it cannot be made, for example without a package index in reach.
    """
    with TemporaryDirectory(prefix="gatebook-bench-") as out:
        archive = package.build(Path(out), _STAGE).archive
        yield from size(archive)
        ratios = coldstart.measured(archive, _ROUNDS)
    yield Result(_SECTION, "import of app.py against its bare libraries", ratios["import"], "x", budgets.IMPORT_TIME)
    yield Result(_SECTION, "start to the first answer against a minimal app", ratios["start"], "x", budgets.COLD_START)


def size(archive: Path) -> Iterator[Result]:
    """The size of the zip."""
    megabytes = archive.stat().st_size / budgets.MEGABYTE
    yield Result(_SECTION, "the zip", megabytes, "MB", budgets.PACKAGE_MEGABYTES)
