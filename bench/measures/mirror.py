"""The calls and units of each `PUT` by which a platform mirrors itself in, one object a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bench import budgets
from bench.budgets import Budget
from bench.events import NOON, made_id, wire
from bench.measures import gate
from bench.results import Result, Table
from bench.service import Service
from chalicelib.platform.kinds import KINDS
from chalicelib.store.platform.rows import TABLE

_ROUTES: Final = {
    "template": "/api/v2/templates/{template}",
    "template_version": "/api/v2/templateversions/{templateversion}",
    "workspace": "/api/v2/workspaces/{workspace}",
    "workspace_build": "/api/v2/workspacebuilds/{workspacebuild}",
    "workspace_agent": "/api/v2/workspaceagents/{workspaceagent}",
    "provisioner_daemon": "/api/v2/provisionerdaemons/{daemon}",
    "provisioner_job": "/api/v2/provisionerjobs/{job}",
}
_ORGANIZATION, _PERSON = made_id("organization", 0), made_id("user", 0)
_TEMPLATE, _VERSION, _WORKSPACE, _BUILD = (made_id(kind, 0) for kind in ("template", "version", "workspace", "build"))
_AGENT, _DAEMON, _JOB, _IMPORT = (made_id(kind, 0) for kind in ("agent", "daemon", "build job", "import job"))


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a platform.

    Attributes:
        name: as the table calls it.
        kind: of the object.
        object_id: its id.
        fields: its body.
        budget: of its write units, where there is one.
    """

    name: str
    kind: str
    object_id: str
    fields: dict[str, Any]
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one request, the token check left out.

    Attributes:
        calls: to DynamoDB.
        written: write units of the platform's table, but for the rows of names.
        lanes: those of them that the lanes take.
        names: write units of the rows of names, which are the only ones that are written in batches.
        read: read units.
    """

    calls: int
    written: int
    lanes: int
    names: int
    read: float


def _ago(**duration: float) -> str:
    return wire(NOON - timedelta(**duration))


_OF_TEMPLATE: Final = {"organization_id": _ORGANIZATION, "name": "rust", "display_name": "Rust in a container"}
_OF_BUILD: Final = {"workspace_id": _WORKSPACE, "template_version_id": _VERSION, "build_number": 1}
_OF_AGENT: Final = {"workspace_build_id": _BUILD, "name": "main", "architecture": "amd64", "operating_system": "linux"}
_OF_DAEMON: Final = {"organization_id": _ORGANIZATION, "name": "provisioner-0", "version": "v2.31.0"}
_OF_JOB: Final = {
    "organization_id": _ORGANIZATION,
    "initiator_id": _PERSON,
    "type": "workspace_build",
    "input": {"workspace_build_id": _BUILD},
    "created_at": _ago(minutes=5),
}
_OF_IMPORT: Final = {
    "organization_id": _ORGANIZATION,
    "initiator_id": _PERSON,
    "type": "template_version_import",
    "input": {"template_version_id": _VERSION},
    "created_at": _ago(minutes=5),
}
_BEGUN: Final = {"started_at": _ago(minutes=4), "worker_id": _DAEMON}
_ENDED: Final = {**_BEGUN, "completed_at": _ago(minutes=3)}
_NAMED_VERSION: Final = {"organization_id": _ORGANIZATION, "template_id": _TEMPLATE, "name": "v1"}
_OWNED: Final = {"organization_id": _ORGANIZATION, "owner_id": _PERSON, "template_id": _TEMPLATE, "name": "dev"}

STEPS: Final = (
    Step("daemon, new", "provisioner_daemon", _DAEMON, {**_OF_DAEMON, "last_seen_at": _ago(minutes=1)}),
    Step(
        "daemon, a heartbeat",
        "provisioner_daemon",
        _DAEMON,
        {**_OF_DAEMON, "last_seen_at": _ago(seconds=30)},
        budgets.HEARTBEAT_WRITE_UNITS,
    ),
    Step("job of an import, new", "provisioner_job", _IMPORT, _OF_IMPORT),
    Step("job of an import, begun", "provisioner_job", _IMPORT, {**_OF_IMPORT, **_BEGUN}),
    Step(
        "daemon at work, a heartbeat",
        "provisioner_daemon",
        _DAEMON,
        {**_OF_DAEMON, "last_seen_at": _ago(seconds=0)},
        budgets.HEARTBEAT_WRITE_UNITS,
    ),
    Step("job of an import, ended", "provisioner_job", _IMPORT, {**_OF_IMPORT, **_ENDED}),
    Step("template, new", "template", _TEMPLATE, _OF_TEMPLATE),
    Step("version, new", "template_version", _VERSION, _NAMED_VERSION),
    Step("template, with its active version", "template", _TEMPLATE, {**_OF_TEMPLATE, "active_version_id": _VERSION}),
    Step("workspace, new", "workspace", _WORKSPACE, _OWNED),
    Step("build, the latest", "workspace_build", _BUILD, {**_OF_BUILD, "transition": "start", "job_id": _JOB}),
    Step("job of a build, new", "provisioner_job", _JOB, _OF_JOB),
    Step("job of a build, begun", "provisioner_job", _JOB, {**_OF_JOB, **_BEGUN}),
    Step("agent, new", "workspace_agent", _AGENT, _OF_AGENT),
    Step("job of a build, ended", "provisioner_job", _JOB, {**_OF_JOB, **_ENDED}),
    Step("agent, connected", "workspace_agent", _AGENT, {**_OF_AGENT, "status": "connected"}),
    Step("workspace, used", "workspace", _WORKSPACE, {**_OWNED, "last_used_at": _ago(seconds=5)}),
    Step("workspace, as it was", "workspace", _WORKSPACE, {**_OWNED, "last_used_at": _ago(seconds=5)}),
)
"""The life of a workspace and of a daemon, in the order in which a platform sends it."""
NAMED: Final = tuple(step for step in STEPS if step.name in ("template, new", "workspace, new"))
"""The steps in which an object gets its names."""


def letters_of(step: Step) -> int:
    """The letters of an object's names."""
    return sum(len(step.fields.get(field, "")) for field in KINDS[step.kind].named)


def costs(service: Service) -> dict[str, Cost]:
    """The cost of every step, by name; the table of the platform is empty before and afterwards."""
    service.forget(TABLE)
    # The first object, and the first with its tags, are noted once in the life of a process.
    for kind, fields in (("provisioner_daemon", _OF_DAEMON), ("provisioner_job", _OF_JOB)):
        _put(service, Step("", kind, made_id("first", 0), fields))
    checked = gate.token_check(service)
    by_name = {}
    for step in STEPS:
        with service.counting() as tally:
            _put(service, step)
        names = tally.written_by["BatchWriteItem"]
        units = tally.written_to(TABLE) - names
        by_name[step.name] = Cost(
            calls=tally.calls.total() - checked.calls.total(),
            written=units,
            lanes=units + names - tally.write_units[TABLE, ""],
            names=names,
            read=tally.read - checked.read,
        )
    service.forget(TABLE)
    return by_name


def measure(service: Service) -> Iterator[Result | Table]:
    """The budgets, and every step."""
    by_name = costs(service)
    section = "Mirror, one object a request"
    for step in STEPS:
        if step.budget is not None:
            yield Result(section, f"{step.name}: write units", by_name[step.name].written, "WRU", step.budget)
    most = max(STEPS, key=lambda step: by_name[step.name].calls)
    yield Result(section, f"calls, the most ({most.name})", by_name[most.name].calls, "calls", budgets.MIRROR_CALLS)
    most = max(STEPS, key=lambda step: by_name[step.name].written)
    yield Result(
        section, f"write units, the most ({most.name})", by_name[most.name].written, "WRU", budgets.MIRROR_WRITE_UNITS
    )
    for step in NAMED:
        letters = by_name[step.name].names / letters_of(step)
        yield Result(section, f"{step.name}: write units for each letter", letters, "WRU", budgets.LETTER_WRITE_UNITS)
    yield Table(
        "mirror",
        "Mirror: each request of a platform, one object a request, the token check left out",
        ("object", "calls", "write units", "of lanes", "of names", "read units"),
        [[name, cost.calls, cost.written, cost.lanes, cost.names, cost.read] for name, cost in by_name.items()],
    )


def _put(service: Service, step: Step) -> None:
    route = _ROUTES[step.kind]
    parameter = route.partition("{")[2].rstrip("}")
    service.call("PUT", route, step.fields, None, **{parameter: step.object_id})
