"""Writes what the platform mirrors in: the newest version of an object stays, in whatever order versions come.

    put        one conditional write; an older version than the stored one changes nothing
    rejoined   what a workspace has of its latest build and its job, and a template of its active version, anew

A workspace is read first when it is rejoined, and written on the condition that nobody rejoined it meanwhile. So the
last of several that rejoin it has seen what each of the others was for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.platform import daemons, workspaces
from chalicelib.platform.jobs import Values, tag_set
from chalicelib.platform.kinds import BUILD, DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE, Kind
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.contention import back_off
from chalicelib.store.dynamodb.definitions import DOC, FORGET_AT, PACKED_DOC
from chalicelib.store.dynamodb.packing import packed
from chalicelib.store.platform import presence, tag_sets
from chalicelib.store.platform.rows import JOINED, TABLE, Reference, from_item, get, get_item, key

T = TypeVar("T")
S = TypeVar("S")

REVISION = "revision"
LATEST_NUMBER = "latest_number"
LATEST_BUILD = "latest_build"
_TIMES_OF_KIND = ("queue_place", "ended_place", "seen_place")
_ATTEMPTS = 8
_WRITERS = 16


class Outcome(StrEnum):
    """The result of a put."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OLDER = "older"
    """A newer version is stored; it stays."""


class Put(NamedTuple):
    """One version of an object.

    Attributes:
        values: its fields; `id` is one of them.
        updated_at: when the platform says that it was so.
    """

    kind: Kind
    values: Values
    updated_at: datetime

    @property
    def id(self) -> str:
        """The id of the object."""
        return str(self.values["id"])


@dataclass(slots=True)
class _Update:
    """An update of an item, put together attribute by attribute."""

    sets: dict[str, Any]
    removes: set[str]

    def request(self, item_key: Item, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        removed = sorted(self.removes - self.sets.keys())
        names = {f"#{index}": name for index, name in enumerate([*self.sets, *removed])}
        places = {name: place for place, name in names.items()}
        written = ", ".join(f"{places[name]} = :{index}" for index, name in enumerate(self.sets))
        expression = f"SET {written}"
        if removed:
            expression += f" REMOVE {', '.join(places[name] for name in removed)}"
        return {
            "TableName": TABLE,
            "Key": item_key,
            "UpdateExpression": f"{expression} ADD #revision :one",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {**names, "#revision": REVISION},
            "ExpressionAttributeValues": {
                **{f":{index}": value for index, value in enumerate(self.sets.values())},
                ":one": {"N": "1"},
                **values,
            },
        }


def put(version: Put) -> Outcome:
    """Store a version of an object, unless a newer one is stored.

    Raises:
        Unavailable: the store did not answer.
    """
    kind, values = version.kind, version.values
    doc = packed(values)
    lanes = kind.keys(values, kind.lanes)
    texts = {"updated_at": times.fixed(version.updated_at), **kind.places(values), **lanes}
    sets: dict[str, Any] = {**doc, **{name: {"S": text} for name, text in texts.items()}}
    if kind is DAEMON:
        sets[FORGET_AT] = {"N": str(_forgotten(values))}
    removes = {DOC, PACKED_DOC, *kind.lanes, *_TIMES_OF_KIND}
    update = _Update(sets, removes)
    condition = "attribute_not_exists(updated_at) OR updated_at <= :updated"
    request = update.request(key(kind, version.id), condition, {":updated": {"S": texts["updated_at"]}})
    try:
        before: Item = call("UpdateItem", request | {"ReturnValues": "ALL_OLD"}).get("Attributes") or {}
    except ConditionFailed:
        return Outcome.OLDER
    if kind in (JOB, DAEMON):
        tag_sets.note(kind, str(values["organization_id"]), tag_set(values.get("tags") or {}))
    if "updated_at" not in before:
        return Outcome.CREATED
    same = all(before.get(name) == value for name, value in sets.items())
    return Outcome.UNCHANGED if same else Outcome.UPDATED


def put_all(versions: Iterable[Put]) -> list[Outcome | Unavailable]:
    """The result of each version, in their order; several are put at a time, and then what follows from them."""
    presence.mark()
    given = list(versions)
    outcomes = for_all(_put_or_error, given)
    stored = [
        version
        for version, outcome in zip(given, outcomes, strict=True)
        if outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)
    ]
    latest = {build for version in stored if version.kind is BUILD for build in [_latest_of(version)]}
    for_all(_point, sorted(latest))
    touched = sorted(
        {named for version in stored for named in _touched(version)}, key=lambda one: (one[0].name, one[1])
    )
    for_all(rejoined, touched)
    return outcomes


def for_all(action: Callable[[S], T], things: Iterable[S]) -> list[T]:
    """The result of an action for each thing, in their order, several at a time."""
    given = list(things)
    if len(given) <= 1:
        return [action(thing) for thing in given]
    futures = [_pool().submit(copy_context().run, action, thing) for thing in given]
    return [future.result() for future in futures]


def rejoined(reference: Reference) -> None:
    """Work out anew what an object has of others.

    Raises:
        Unavailable: the store did not answer, or others rejoined it at every attempt.
    """
    kind, object_id = reference
    for attempt in range(_ATTEMPTS):
        item = get_item(kind, object_id)
        if from_item(item) is None or item is None:
            return
        try:
            _write_joined(kind, item)
        except ConditionFailed:
            back_off(attempt)
        else:
            return
    raise Unavailable("Others were changing the same object.")


def _write_joined(kind: Kind, item: Item) -> None:
    row = from_item(item)
    assert row is not None  # noqa: S101 - the caller has looked
    joined = _JOINS[kind.name](item, row.values)
    lanes = {} if row.get("deleted") else kind.keys({**row.values, **joined}, kind.joined)
    text = json.dumps(joined, sort_keys=True, separators=(",", ":"))
    sets: dict[str, Any] = {JOINED: {"S": text}, **{name: {"S": value} for name, value in lanes.items()}}
    if all(item.get(name) == value for name, value in sets.items()) and not {*kind.joined} - lanes.keys() & item.keys():
        return
    request = _Update(sets, {*kind.joined}).request(
        {"id": item["id"]}, "#revision = :revision", {":revision": item[REVISION]}
    )
    call("UpdateItem", request)


def _of_workspace(item: Item, values: Values) -> dict[str, Any]:
    build = get(BUILD, item[LATEST_BUILD]["S"]) if LATEST_BUILD in item else None
    owner = people.get_user(str(values.get("owner_id")))
    names = {"owner": owner.username} if owner else {}
    if build is None:
        return names
    job_id = build.get("job_id")
    job = get(JOB, job_id) if job_id else None
    joined = {
        "latest_build_id": build.id,
        "job_id": job_id,
        "template_version_id": build.get("template_version_id"),
        "status": workspaces.status(build.values, job.values if job else None),
        "has_external_agent": bool(build.get("has_external_agent")),
    }
    return {**names, **{name: value for name, value in joined.items() if value is not None}}


def _of_template(_item: Item, values: Values) -> dict[str, Any]:
    version = get(VERSION, values["active_version_id"]) if values.get("active_version_id") else None
    return {"has_external_agent": bool(version and version.get("has_external_agent"))}


_JOINS: Mapping[str, Callable[[Item, Values], dict[str, Any]]] = {
    TEMPLATE.name: _of_template,
    WORKSPACE.name: _of_workspace,
}


def _put_or_error(version: Put) -> Outcome | Unavailable:
    try:
        return put(version)
    except Unavailable as error:
        return error


class _Latest(NamedTuple):
    """A build that may be the latest of its workspace."""

    workspace_id: str
    number: int
    build_id: str


def _latest_of(version: Put) -> _Latest:
    values = version.values
    return _Latest(str(values["workspace_id"]), int(values["build_number"]), version.id)


def _point(latest: _Latest) -> None:
    """Have a workspace name its latest build, unless it names a later one; it need not be there yet."""
    sets = {LATEST_NUMBER: {"N": str(latest.number)}, LATEST_BUILD: {"S": latest.build_id}}
    request = _Update(sets, set()).request(
        key(WORKSPACE, latest.workspace_id),
        f"attribute_not_exists({LATEST_NUMBER}) OR {LATEST_NUMBER} <= :number",
        {":number": sets[LATEST_NUMBER]},
    )
    try:
        call("UpdateItem", request)
    except ConditionFailed:
        return


def _touched(version: Put) -> list[Reference]:
    """The objects that have something of this one."""
    kind, values = version.kind, version.values
    if kind in (TEMPLATE, WORKSPACE):
        return [(kind, version.id)]
    if kind is BUILD:
        return [(WORKSPACE, str(values["workspace_id"]))]
    if kind is VERSION and values.get("template_id"):
        return [(TEMPLATE, str(values["template_id"]))]
    if kind is JOB:
        build_id = (values.get("input") or {}).get("workspace_build_id")
        build = get(BUILD, build_id) if build_id else None
        return [(WORKSPACE, str(build.get("workspace_id")))] if build else []
    return []


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WRITERS, thread_name_prefix="platform-writer")


def _forgotten(values: Values) -> int:
    """When a daemon may go, in seconds since 1970: seven days after it was seen last, or made."""
    moment = values.get("last_seen_at") or values["created_at"]
    return int((times.from_wire(moment) + daemons.FORGOTTEN_AFTER).timestamp())
