"""How large what is deployed is; its cold start is measured by what packages it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scripts.meter import budgets
from scripts.meter.results import Result

_MEGABYTE = 1_000_000


def measure(archive: Path) -> Iterator[Result]:
    """The size of a deployment package.

    Raises:
        FileNotFoundError: it is not there.
    """
    size = archive.stat().st_size / _MEGABYTE
    yield Result("The deployment package", "the zip", size, "MB", budgets.PACKAGE_MEGABYTES)
