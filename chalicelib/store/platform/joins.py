"""Reads the objects beside rows of the platform: those that they name, and those that these name in turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from chalicelib.platform.kinds import AGENT, BUILD, DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE, Kind
from chalicelib.store.platform.rows import Known, Mirrored, get_many

_NAMED: Final[Mapping[str, Mapping[str, Kind]]] = {
    JOB.name: {"worker_id": DAEMON, "template_version_id": VERSION, "workspace_build_id": BUILD},
    BUILD.name: {"workspace_id": WORKSPACE, "template_version_id": VERSION, "job_id": JOB},
    VERSION.name: {"template_id": TEMPLATE, "job_id": JOB},
    WORKSPACE.name: {
        "template_id": TEMPLATE,
        "latest_build_id": BUILD,
        "job_id": JOB,
        "template_version_id": VERSION,
    },
    TEMPLATE.name: {},
    AGENT.name: {"workspace_build_id": BUILD},
    DAEMON.name: {},
}
"""Kind -> the fields that name other objects, and of which kind."""

_DEEPEST: Final = 4


def known_beside(rows: Iterable[Mirrored], wanted: Iterable[Kind]) -> Known:
    """The rows, and the objects of the wanted kinds that they name, directly or by way of others.

    Each round of requests looks up what the rows of the one before it name.

    Raises:
        Unavailable: the store did not answer.
    """
    kinds = frozenset(kind.name for kind in wanted)
    fresh = list(rows)
    known = Known(fresh)
    for _ in range(_DEEPEST):
        named = {
            (kind.name, object_id): (kind, object_id)
            for row in fresh
            for field, kind in _NAMED[row.kind.name].items()
            if kind.name in kinds and (object_id := _id(row, field))
        }
        lacking = known.lacking(named.values())
        if not lacking:
            break
        fresh = get_many(lacking)
        known.add(fresh)
    return known


def _id(row: Mirrored, field: str) -> str | None:
    within = row.get("input") or {}
    matches = row.get(field) or row.joined.get(field) or within.get(field)
    return str(matches) if matches else None
