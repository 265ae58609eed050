"""The rows that every filter of the directory reads for each row that it returns, by who asks, at two sizes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Final

from bench import budgets, platform_objects
from bench.cost.kinds import Reading
from bench.measures import gate
from bench.platform_objects import ADMINISTRATOR, HOME, MEMBER, ORGANIZATIONS, OTHERS, SOMEBODY
from bench.platform_questions import DAEMONS, JOBS, QUESTIONS, WORKSPACES, Question
from bench.results import Result, Table
from bench.service import Service, environment
from chalicelib.store.dynamodb import client as store_engine
from chalicelib.store.platform.rows import TABLE

OWNER_ROLE, ADMINISTRATOR_ROLE, MEMBER_ROLE = "owner", "administrator of one organization", "member"
ROLES: Final = (OWNER_ROLE, ADMINISTRATOR_ROLE, MEMBER_ROLE)
SIZES: Final = (OTHERS, 2 * OTHERS)
"""Objects of each kind beside the parts."""
_LINES: Final = 1_000
_OF_ONE_ORGANIZATION: Final = (JOBS, DAEMONS)


@dataclass(frozen=True, slots=True)
class Cost:
    """The rows that one question reads.

    Attributes:
        role: of who asks.
        size: objects of no part, of each kind.
        returned: rows that match, all of which are answered.
        rows: rows of lanes read to choose them.
        by_id: of the objects themselves, those read by id.
        noted: how many the line of the request says.
        beside: rows read for what the answer says of them.
        queue: jobs read of the queue of the deployment.
        able: daemons read that could take a job of the answer.
        notes: notes read of which values there are.
        calls: to the store, the token check left out.
        ids: of the objects that are answered.
    """

    question: Question
    role: str
    size: int
    returned: int
    rows: int
    by_id: int
    noted: int
    beside: int
    queue: int
    able: int
    notes: int
    calls: int
    ids: frozenset[str]

    @property
    def most(self) -> int:
        """The rows that are held against those returned: of lanes or by id, whichever are more."""
        return max(self.rows, self.by_id)

    @property
    def per_row(self) -> float:
        """Rows read per row returned."""
        return self.most / max(1, self.returned)

    @property
    def beside_a_row(self) -> float:
        """Rows read beside, per row returned."""
        return self.beside / max(1, self.returned)


Places = Mapping[tuple[Question, str, int], Cost]
"""Costs by question, role and size."""


def costs(service: Service) -> Iterator[Cost]:
    """The cost of every question by who may ask it, at both sizes; the platform stays in the tables."""
    askers = _askers(service)
    mirror(service, platform_objects.base())
    mirror(service, platform_objects.parts(service.owner_id))
    begun = 0
    for size in SIZES:
        mirror(service, platform_objects.others(begun, size))
        begun = size
        for role, asker in askers.items():
            checked = gate.token_check(asker).calls.total()
            for question in QUESTIONS:
                if role != MEMBER_ROLE or question.of not in _OF_ONE_ORGANIZATION:
                    yield _cost(asker, question, role, size, checked)


def mirror(service: Service, objects: Iterable[Mapping[str, object]]) -> None:
    """Mirror objects in, a thousand a request.

    Raises:
        RuntimeError: one of them was refused.
    """
    lines = [json.dumps(one) for one in objects]
    for first in range(0, len(lines), _LINES):
        body = "\n".join(lines[first : first + _LINES])
        answer = service.call("PUT", "/api/v2/directory", body, {"results": "problems"}).json
        if answer["results"]:
            raise RuntimeError(f"not everything was mirrored in: {answer['results'][0]}")


def allowance(cost: Cost, known: Places) -> int:
    """The rows that a question is measured by.

    For who reads everything, and of jobs and daemons, those that are returned. Who reads a part of the deployment reads
    what the filter finds there, or all of their part: their own workspaces, or those of their organization.
    """
    if cost.role == OWNER_ROLE or cost.question.of in _OF_ONE_ORGANIZATION:
        return cost.returned
    everything = next(question for question in QUESTIONS if question.of is cost.question.of and not question.text)
    part = known[everything, cost.role, cost.size].returned
    if cost.role == MEMBER_ROLE and cost.question.of is WORKSPACES:
        return part
    return max(part, known[cost.question, OWNER_ROLE, cost.size].returned)


def by_place(measured: Iterable[Cost]) -> Places:
    """Costs by question, role and size."""
    return {(cost.question, cost.role, cost.size): cost for cost in measured}


def measure(service: Service) -> Iterator[Result | Table]:
    """The worst of every list, and all of them side by side; the tables have no platform afterwards."""
    measured = list(costs(service))
    service.forget(TABLE)
    known = by_place(measured)
    for role in ROLES:
        yield from _results([cost for cost in measured if cost.role == role], role, known)
    yield _table(known)


def _askers(service: Service) -> dict[str, Service]:
    """Who asks, by role, and the organizations and people that the objects name."""
    for number, organization in enumerate(ORGANIZATIONS):
        service.add_organization(organization, f"tenant-{number}", f"Tenant {number}")
    service.add_user(SOMEBODY, "somebody", "Somebody")
    administrator = service.add_user(ADMINISTRATOR, "administrator", "An", {HOME: ("organization-admin",)})
    member = service.add_user(MEMBER, "member", "A Member", {HOME: ()})
    return dict(zip(ROLES, (service, service.called_by(administrator), service.called_by(member)), strict=True))


def _cost(service: Service, question: Question, role: str, size: int, checked: int) -> Cost:
    reading, printed = Reading(), StringIO()
    kind, path = question.of.kind, {"organization": HOME} if "{organization}" in question.of.route else {}
    with environment(GATEBOOK_REQUEST_LOG="json"), store_engine.heard_by(reading.add), redirect_stdout(printed):
        answer = service.call("GET", question.of.route, query=question.query, **path).json
    listed = answer[question.of.rows] if question.of.rows else answer
    return Cost(
        question,
        role,
        size,
        # A page of workspaces is shorter than the list, which it counts.
        returned=answer["count"] if question.of.rows else len(listed),
        rows=reading.chosen(kind),
        by_id=reading.by_id(kind),
        noted=json.loads(printed.getvalue())["RowsRead"],
        beside=reading.beside(kind),
        queue=reading.queue,
        able=reading.able(kind),
        notes=reading.notes,
        calls=reading.calls - checked,
        ids=frozenset(row["id"] for row in listed),
    )


def _results(measured: Sequence[Cost], role: str, known: Places) -> Iterator[Result]:
    budget = budgets.DIRECTORY_ROWS_PER_ROW if role == OWNER_ROLE else budgets.DIRECTORY_ROWS_OF_A_PART
    section = f"Directory, one filter, asked by {'an' if role != MEMBER_ROLE else 'a'} {role}"
    for kind in dict.fromkeys(cost.question.of.kind for cost in measured):
        judged = [cost for cost in measured if cost.question.of.kind == kind]
        worst = max(judged, key=lambda cost: ratio(cost, known))
        yield Result(section, f"{kind}: the most ({worst.question.name})", ratio(worst, known), "", budget)
        worst = max(judged, key=lambda cost: cost.beside_a_row)
        name = f"{kind}: beside a row, the most ({worst.question.name})"
        yield Result(section, name, worst.beside_a_row, "", budgets.DIRECTORY_ROWS_BESIDE_A_ROW)


def ratio(cost: Cost, known: Places) -> float:
    """Rows read for each row that a question is measured by."""
    return cost.most / max(1, allowance(cost, known))


def _table(known: Places) -> Table:
    head = ("list", "filter", "returned", "rows of lanes", "by id", "per row", "if others double")
    apart = ("calls", "beside a row", "queue", "able", "notes")
    title = "Directory: rows read by every filter alone, asked by the owner; and by who may read a part"
    return Table(
        "directory filters",
        title,
        (*head, *apart, *ROLES[1:]),
        [_cells(question, known) for question in QUESTIONS],
    )


def _cells(question: Question, known: Places) -> list[str | float]:
    small, large = (known[question, OWNER_ROLE, size] for size in SIZES)
    of_parts = [known.get((question, role, SIZES[-1])) for role in ROLES[1:]]
    cells: list[str | float] = [question.of.kind, question.name, large.returned, large.rows, large.by_id]
    cells += [
        large.per_row,
        f"{large.most - small.most:+}",
        large.calls,
        large.beside_a_row,
        large.queue,
        large.able,
        large.notes,
    ]
    return [*cells, *(f"{cost.most} for {cost.returned}" if cost else "" for cost in of_parts)]
