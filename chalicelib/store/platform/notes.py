"""Notes that an object leaves at another: a build and an agent above them, a job at its daemon.

The other need not be there yet. A note says no more than that there may be something: who reads it looks the objects
up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from chalicelib import times
from chalicelib.platform.daemons import FORGOTTEN_AFTER
from chalicelib.platform.jobs import Values, is_under_way
from chalicelib.platform.kinds import AGENT, BUILD, DAEMON, JOB, WORKSPACE, Kind
from chalicelib.platform.section import whole
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.definitions import FORGET_AT
from chalicelib.store.platform.lane_reader import Range, rows
from chalicelib.store.platform.rows import Mirrored, get, key
from chalicelib.store.platform.update import Update

LATEST_NUMBER: Final = "latest_number"
LATEST_BUILD: Final = "latest_build"
AGENT_IDS: Final = "agent_ids"
JOB_IDS: Final = "job_ids"
HOLDER_IDS: Final = "holder_ids"
"""Of what leaves notes: where it may have some."""
_HOLDERS: Final[Mapping[str, str]] = {
    BUILD.name: "workspace_id",
    AGENT.name: "workspace_build_id",
    JOB.name: "worker_id",
}
"""Kind -> the field that names where it leaves a note."""
_UNDER_WAY: Final = ("pending", "running", "canceling")
_MOST_JOBS: Final = 20_000
MOST_IDS: Final = 1_000
"""Objects of which one may have notes: the statuses of the first thousand agents of a build count, and a daemon that
has a thousand jobs is busy whatever comes."""


def leave(kind: Kind, values: Values) -> None:
    """Leave the note that an object leaves, if any.

    Raises:
        Unavailable: the store did not answer.
    """
    if kind is BUILD:
        _point(str(values["workspace_id"]), int(values["build_number"]), str(values["id"]))
    elif kind is AGENT:
        _add(key(BUILD, str(values["workspace_build_id"])), AGENT_IDS, str(values["id"]), {})
    elif kind is JOB and is_under_way(values):
        # A daemon that is never mirrored in goes as one that is silent does; a heartbeat says anew how long it stays.
        forget_at = int((times.now() + FORGOTTEN_AFTER + timedelta(days=1)).timestamp())
        _add(key(DAEMON, str(values["worker_id"])), JOB_IDS, str(values["id"]), {FORGET_AT: {"N": str(forget_at)}})


def leave_again(daemon: Values) -> None:
    """Leave the notes of the jobs that a daemon has, where it is new or was silent for so long that it was deleted.

    Raises:
        Unavailable: the store did not answer.
    """
    keys = (JOB.key("by_status", daemon["organization_id"], status) for status in _UNDER_WAY)
    under_way = rows(Range("by_status", whole(keys)), _MOST_JOBS, Budget(), partial(_is_worked_by, daemon["id"]))
    for job in under_way[:MOST_IDS]:
        leave(JOB, job.values)


def _is_worked_by(daemon_id: str, job: Mirrored) -> bool:
    return is_under_way(job.values) and job.get("worker_id") == daemon_id


def holder_id(kind: Kind, values: Values) -> str | None:
    """The id of the object at which one leaves a note; None where it leaves none."""
    field = _HOLDERS.get(kind.name)
    return str(values[field]) if field and values.get(field) else None


def forget_former(kind: Kind, object_id: str, former: Collection[str], revision: int) -> None:
    """Have an object name no former holders, which know by now that it left; unless it was changed meanwhile.

    Args:
        kind: of the object.
        object_id: of the object.
        former: the ids of the holders.
        revision: of the item as it was left.
    """
    update = Update({}, deletes={HOLDER_IDS: sorted(former)})
    _send(update.request(key(kind, object_id), "#revision = :revision", {":revision": {"N": str(revision)}}))


def point_again(item: Item) -> None:
    """Have a workspace name the latest of the builds that are its own, where the one that it names is not.

    Builds are looked up in their lane, which may lag behind by a moment: no platform moves or renumbers them.
    """
    workspace_id = item["id"]["S"].partition("#")[2]
    lane = Range("parent", whole((BUILD.key("parent", workspace_id),)), newest_first=True)
    build = next(iter(rows(lane, 1, Budget(), lambda row: _is_of(workspace_id, row))), None)
    sets = {LATEST_NUMBER: {"N": str(build.get("build_number"))}, LATEST_BUILD: {"S": build.id}} if build else {}
    update = Update(sets, frozenset({LATEST_NUMBER, LATEST_BUILD}))
    _send(update.request({"id": item["id"]}, f"{LATEST_BUILD} = :before", {":before": item[LATEST_BUILD]}))


def _is_of(workspace_id: str, row: Mirrored) -> bool:
    """Whether a build is still one of a workspace, with the number that its row in the lane has."""
    stored = get(BUILD, row.id)
    return (
        stored is not None
        and stored.get("workspace_id") == workspace_id
        and stored.get("build_number") == row.get("build_number")
    )


def ids(item: Item, name: str) -> frozenset[str]:
    """The ids of the notes that an item has under a name."""
    return frozenset(item[name]["SS"]) if name in item else frozenset()


def _point(workspace_id: str, number: int, build_id: str) -> None:
    """Have a workspace name its latest build, unless it names a later one."""
    sets = {LATEST_NUMBER: {"N": str(number)}, LATEST_BUILD: {"S": build_id}}
    request = Update(sets).request(
        key(WORKSPACE, workspace_id),
        f"attribute_not_exists({LATEST_NUMBER}) OR {LATEST_NUMBER} <= :number",
        {":number": sets[LATEST_NUMBER]},
    )
    _send(request)


def _add(item_key: Item, name: str, object_id: str, defaults: Mapping[str, Any]) -> None:
    """Add an id to those that an item has notes of; it counts as a change of the item where the id was there before."""
    values = {":most": {"N": str(MOST_IDS)}, ":id": {"S": object_id}}
    fits = f"attribute_not_exists({name}) OR contains({name}, :id) OR size({name}) < :most"
    _send(Update({}, defaults=defaults, adds={name: [object_id]}).request(item_key, fits, values))


def _send(request: dict[str, Any]) -> None:
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return
