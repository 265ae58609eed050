"""Prints every budget beside what is measured, and fails when one is broken: `scripts/bench`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bench import beside, growth
from bench.bench import Report, run, sizes
from bench.measures import package
from bench.peer import compare, server
from scripts.deployment.package import PackageError
from scripts.local import engine_port
from scripts.local.engine import EmbeddedEngine

_NOWHERE = "temporary"


def main() -> int:
    """Measure, print, and answer 1 when a budget is broken, 2 when something that was asked for is not there."""
    options = _options()
    # Else a temporary server would outlive the run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    postgres: AbstractContextManager[server.Sql] | None = None
    if options.postgres == _NOWHERE:
        postgres = server.temporary()
    elif options.postgres:
        postgres = server.named(options.postgres)
    report = Report()
    try:
        if options.beside:
            with EmbeddedEngine() as engine, engine_port.served(engine) as endpoint:
                report.add([beside.measure(options.beside, endpoint)], _say)
            return 0
        if postgres is not None:
            with postgres as sql:
                report.peer = compare.measure(sql, sizes(full=options.full))
        if options.package:
            report.add(package.measure(), _say)
        with EmbeddedEngine() as engine:
            run(engine, report, full=options.full, say=_say)
    except (PackageError, server.NoPostgres, server.Failed, beside.NotServed) as error:
        print(error, file=sys.stderr)
        return 2
    _written(options.json, lambda: json.dumps(report.json(), indent=1, ensure_ascii=False) + "\n")
    _written(options.chart, lambda: growth.chart(report.pages, report.peer))
    for result in report.missed:
        print(f"MISSED {result.section}: {result.name}", file=sys.stderr)
    return 1 if report.missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="tables of 200,000 rows as well")
    parser.add_argument("--json", metavar="FILE", type=_checked, help="write what was found there")
    parser.add_argument("--chart", metavar="FILE", type=_checked, help="draw there, as SVG, how reading grows")
    parser.add_argument(
        "--beside",
        metavar="DIR",
        type=Path,
        help="measure only the processor time of requests, of this checkout and of another one, in turns",
    )
    parser.add_argument(
        "--no-package", dest="package", action="store_false", help="leave out the package, which needs a package index"
    )
    parser.add_argument(
        "--postgres",
        metavar="CONNECTION",
        nargs="?",
        const=_NOWHERE,
        help="the same rows and filters in PostgreSQL: in a schema of this database, as psql names it, which is dropped"
        " afterwards; or without a value in a server of its own, in a temporary directory. Installs nothing",
    )
    return parser.parse_args()


def _checked(place: str) -> Path:
    path = Path(place)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {path.parent}")
    return path


def _written(place: Path | None, text: Callable[[], str]) -> None:
    if place is not None:
        place.write_text(text())


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
