"""Works out anew what an object has of others, and the rows by which it is found by parts of its name.

A workspace has something of its latest build, that one's job and agents; a template of its active version; a daemon of
the jobs that are under way. An object is read first, and written on the condition that nobody changed it meanwhile. So
the last of several that rejoin it has seen what each of the others was for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.errors import Unavailable
from chalicelib.platform import agents, workspaces
from chalicelib.platform.jobs import Values, is_under_way
from chalicelib.platform.kinds import AGENT, BUILD, DAEMON, JOB, LANES, TEMPLATE, VERSION, WORKSPACE
from chalicelib.platform.part_rows import Names
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.contention import back_off
from chalicelib.store.platform import notes, part_writer
from chalicelib.store.platform.part_writer import PARTS, State
from chalicelib.store.platform.rows import JOINED, Mirrored, Reference, from_item, get, get_item, get_many
from chalicelib.store.platform.update import REVISION, Update

_ATTEMPTS: Final = 8
_UNCHANGED: Final = "#revision = :revision"


@dataclass(frozen=True, slots=True)
class _Joined:
    """The fields that an object has of others.

    Attributes:
        fields: by name; what is None is not kept.
        done: notes of jobs that are of no use any more.
    """

    fields: Mapping[str, Any]
    done: frozenset[str] = frozenset()


class _Outdated(Exception):
    """An item said of others what was not so any more, and is mended: it is to be read again."""


def rejoined(reference: Reference, *, by_another: bool) -> None:
    """Work out anew what an object has of others.

    Args:
        reference: the object.
        by_another: whether one of the others was changed.

    Raises:
        Unavailable: the store did not answer, or others rejoined it at every attempt.
    """
    kind, object_id = reference
    written: list[State] = []
    for attempt in range(_ATTEMPTS):
        item = get_item(kind, object_id)
        if item is None:
            return
        row = from_item(item)
        try:
            if row is not None:
                _write_joined(row, item, written, by_another=by_another)
            elif kind is DAEMON:
                _drop_done(object_id, item)
        except (ConditionFailed, _Outdated):
            back_off(attempt)
        else:
            return
    raise Unavailable("Others were changing the same object.")


def _drop_done(daemon_id: str, item: Item) -> None:
    """Drop the notes of jobs that ended, at a daemon which is not mirrored in yet: there is no room for all of them."""
    done = _of_daemon(item, {"id": daemon_id}).done
    if done:
        _update(item, Update({}, deletes={notes.JOB_IDS: sorted(done)}), int(item[REVISION]["N"]))


def _write_joined(row: Mirrored, item: Item, written: list[State], *, by_another: bool) -> None:
    """Write what follows from others, and then the rows of the names.

    Args:
        row: the object.
        item: as it was read.
        written: the states whose rows attempts before this one wrote, which gains that of this one. If there are some,
            rows are written although the item says that they are, and those are deleted: somebody else changed the
            object meanwhile, and the attempts may have deleted what they wrote, or written what they deleted.
        by_another: whether one of the others was changed. Then it counts as a change of the object even if nothing
            follows: who has read the others before them must not come after.
    """
    kind = row.kind
    joined = _JOINS[kind.name](item, row.values)
    fields = {name: value for name, value in joined.fields.items() if value is not None}
    known = {**row.values, **joined.fields}
    sets = {JOINED: {"S": json.dumps(fields, sort_keys=True, separators=(",", ":"))}}
    lanes = {} if row.get("deleted") else kind.keys(known, kind.joined)
    places = kind.places(known)
    sets |= {name: {"S": value} for name, value in lanes.items()}
    sets |= {LANES[lane]: {"S": places[LANES[lane]]} for lane in lanes}
    names, stored = Names.of(kind, row.values), State.of(item)
    state = stored.renamed(names) if stored else State(names)
    if names.texts or stored:
        sets[PARTS] = state.attribute()
    revision = int(item[REVISION]["N"])
    outdated = {*kind.joined} - lanes.keys()
    is_changed = outdated & item.keys() or any(item.get(name) != value for name, value in sets.items())
    if by_another or joined.done or is_changed:
        deletes = {notes.JOB_IDS: sorted(joined.done)} if joined.done else {}
        _update(item, Update(sets, frozenset(outdated), deletes=deletes), revision)
        revision += 1
    if PARTS in sets and (written or not state.is_written):
        former = [one.texts() for one in written]
        written.append(state)
        part_writer.write(kind, row.id, state, former)
        _update(item, Update({PARTS: state.written().attribute()}), revision)


def _update(item: Item, update: Update, revision: int) -> None:
    call("UpdateItem", update.request({"id": item["id"]}, _UNCHANGED, {":revision": {"N": str(revision)}}))


def _of_workspace(item: Item, values: Values) -> _Joined:
    owner = people.get_user(str(values.get("owner_id")))
    names = {"owner": owner.username if owner else None}
    build_item = get_item(BUILD, item[notes.LATEST_BUILD]["S"]) if notes.LATEST_BUILD in item else None
    build = from_item(build_item)
    if build is None or build_item is None:
        return _Joined({**names, "template_version_id": None})
    if (build.get("workspace_id"), build.get("build_number")) != (values["id"], int(item[notes.LATEST_NUMBER]["N"])):
        notes.point_again(item)
        raise _Outdated
    job_id = build.get("job_id")
    named = [(AGENT, agent_id) for agent_id in notes.ids(build_item, notes.AGENT_IDS)]
    beside = get_many([*named, (JOB, str(job_id))] if job_id else named, consistent=True)
    job = next((one for one in beside if one.kind is JOB), None)
    statuses = agents.set_of(str(one.get("status")) for one in beside if one.get("workspace_build_id") == build.id)
    return _Joined(
        {
            **names,
            "latest_build_id": build.id,
            "job_id": job_id,
            "template_version_id": build.get("template_version_id"),
            "status": workspaces.status(build.values, job.values if job else None),
            "has_external_agent": bool(build.get("has_external_agent")),
            "agent_statuses": statuses or None,
        }
    )


def _of_template(_item: Item, values: Values) -> _Joined:
    version = get(VERSION, values["active_version_id"]) if values.get("active_version_id") else None
    return _Joined({"has_external_agent": bool(version and version.get("has_external_agent"))})


def _of_daemon(item: Item, values: Values) -> _Joined:
    noted = notes.ids(item, notes.JOB_IDS)
    jobs = get_many(((JOB, job_id) for job_id in noted), consistent=True)
    own = [job for job in jobs if is_under_way(job.values) and job.get("worker_id") == values["id"]]
    newest = max(own, key=lambda job: job.place, default=None)
    return _Joined(
        {"work": "busy" if newest else "idle", "job_id": newest.id if newest else None},
        frozenset({job.id for job in jobs} - {job.id for job in own}),
    )


_JOINS: Final[Mapping[str, Callable[[Item, Values], _Joined]]] = {
    TEMPLATE.name: _of_template,
    WORKSPACE.name: _of_workspace,
    DAEMON.name: _of_daemon,
}
