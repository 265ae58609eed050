"""One run: every measure in turn, on one engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from platform import python_version
from typing import Any

from bench import bill
from bench.measures import bulk, cpu, directory, dollars, gate, ingest, lanes, many_keys, mirror, pages, pairs, purge
from bench.measures.pages import Cost
from bench.peer import compare
from bench.peer.compare import Peer
from bench.results import Result, Table, lines
from bench.service import Service, at_noon, environment
from scripts.local.engine import EmbeddedEngine

ENGINE = "moto with ordered indexes, in this process (scripts/local/engine.py)"

Say = Callable[[str], object]


@dataclass
class Report:
    """The results of a run."""

    results: list[Result] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pages: list[Cost] = field(default_factory=list)
    peer: Peer | None = None

    def add(self, parts: Iterable[Result | Table | Cost], say: Say) -> None:
        """Keep results, and print them as they come."""
        section = ""
        for one in parts:
            match one:
                case Result():
                    self.results.append(one)
                    for line in lines([one]):
                        if line.startswith("  ") or one.section != section:
                            say(line)
                    section = one.section
                case Table():
                    self.tables.append(one)
                    for line in one.lines():
                        say(line)
                case _:
                    self.pages.append(one)

    @property
    def missed(self) -> list[Result]:
        """The results that are over their budgets, and need not be."""
        return [result for result in self.results if result.mark == "MISSED"]

    def json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "engine": ENGINE,
            "python": python_version(),
            "prices": bill.PRICES["date"],
            "results": [result.json() for result in self.results],
            "tables": {table.key: table.json() for table in self.tables},
            "pages": [asdict(cost) for cost in self.pages],
            "peer": None if self.peer is None else asdict(self.peer),
        }


def sizes(*, full: bool) -> Sequence[int]:
    """How many rows the tables have, one after the other."""
    return pages.FULL_SIZES if full else pages.QUICK_SIZES


def run(engine: EmbeddedEngine, report: Report, *, full: bool, say: Say) -> None:
    """Measure everything."""
    say(f"Engine: {ENGINE}")
    with at_noon():
        _run(engine, report, full=full, say=say)


def _run(engine: EmbeddedEngine, report: Report, *, full: bool, say: Say) -> None:
    service = Service(engine)
    report.add(gate.measure(service), say)
    report.add(ingest.measure(service), say)
    report.add(cpu.measure_ingest(service), say)
    report.add(bulk.measure(service), say)
    report.add(purge.measure(service), say)
    every = dollars.deployment(service)
    with environment(**lanes.lean()):
        lean = dollars.deployment(service)
    optional = lanes.costs_of_optional(service)
    report.add(dollars.of_events(every.costs, lean.costs), say)
    report.add(dollars.of_months(every, lean), say)
    report.add(many_keys.measure(service), say)
    report.add(pages.measure(service, sizes(full=full)), say)
    report.add(pairs.measure(service), say)
    report.add(dollars.of_pages(service, report.pages), say)
    report.add(dollars.of_capacity(service, every, report.pages), say)
    report.add(dollars.of_lanes(lanes.dropped(service, every.costs), "lanes", "Dropping a lane"), say)
    report.add(dollars.of_lanes(lanes.added(service, optional), "optional lanes", "Adding an optional lane"), say)
    report.add(lanes.measure_lean(service), say)
    report.add(cpu.measure_pages(service), say)
    report.add(mirror.measure(service), say)
    report.add(directory.measure(service), say)
    if report.peer is not None:
        report.add(compare.tables(report.peer, report.pages), say)
