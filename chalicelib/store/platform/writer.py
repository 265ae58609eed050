"""Writes what the platform mirrors in: the newest version of an object stays, in whatever order versions come.

Each version is one conditional write; an older version than the stored one changes nothing. Then it leaves its notes at
other objects, and what others have of it is worked out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from chalicelib import times
from chalicelib.errors import Unavailable
from chalicelib.platform import daemons
from chalicelib.platform.jobs import Values, tag_set
from chalicelib.platform.kinds import AGENT, BUILD, DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE, Kind
from chalicelib.store.dynamodb.client import ConditionFailed, Item, call
from chalicelib.store.dynamodb.definitions import DOC, FORGET_AT, PACKED_DOC
from chalicelib.store.dynamodb.packing import packed
from chalicelib.store.platform import built_from, notes, presence, tag_sets
from chalicelib.store.platform.rejoin import rejoined
from chalicelib.store.platform.rows import Reference, get, key
from chalicelib.store.platform.update import REVISION, Update

T = TypeVar("T")
S = TypeVar("S")

_TIMES_OF_KIND: Final = frozenset({"queue_place", "worker_place", "seen_place", "state_place"})
_WRITERS: Final = 16


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


class _Stored(NamedTuple):
    """A version that was put.

    Attributes:
        before: the item as it was.
    """

    version: Put
    outcome: Outcome
    before: Item

    @property
    def holders(self) -> frozenset[str]:
        """The ids of the objects at which it may have left notes."""
        holder = notes.holder_id(self.version.kind, self.version.values)
        return notes.ids(self.before, notes.HOLDER_IDS) | ({holder} if holder else frozenset())

    @property
    def former_holders(self) -> frozenset[str]:
        """Those of them that it has left, since when they were not told of it before."""
        return self.holders - {notes.holder_id(self.version.kind, self.version.values)}


def put_all(versions: Iterable[Put]) -> list[Outcome | Unavailable]:
    """The result of each version, in their order; several are put at a time, and then what follows from them."""
    presence.mark()
    results = for_all(_put_or_error, versions)
    stored = [one for one in results if isinstance(one, _Stored) and one.outcome is not Outcome.OLDER]
    for_all(_leave_notes, stored)
    touched: dict[Reference, bool] = {}
    for one in stored:
        for named in _touched(one):
            touched[named] = touched.get(named, False) or named[0] is not one.version.kind
    ordered = sorted(touched.items(), key=lambda one: (one[0][0].name, one[0][1]))
    for_all(lambda one: rejoined(one[0], by_another=one[1]), ordered)
    for_all(_forget_former, [one for one in stored if one.former_holders])
    return [one.outcome if isinstance(one, _Stored) else one for one in results]


def for_all(action: Callable[[S], T], things: Iterable[S]) -> list[T]:
    """The result of an action for each thing, in their order, several at a time."""
    given = list(things)
    if len(given) <= 1:
        return [action(thing) for thing in given]
    futures = [_pool().submit(copy_context().run, action, thing) for thing in given]
    return [future.result() for future in futures]


def _put_or_error(version: Put) -> _Stored | Unavailable:
    try:
        return _put(version)
    except Unavailable as error:
        return error


def _put(version: Put) -> _Stored:
    """Store a version of an object, unless a newer one is stored."""
    kind, values = version.kind, version.values
    lanes = kind.keys(values, kind.lanes)
    texts = {"updated_at": times.fixed(version.updated_at), **kind.places(values), **lanes}
    sets: dict[str, Any] = {**packed(values), **{name: {"S": text} for name, text in texts.items()}}
    if kind is DAEMON:
        sets[FORGET_AT] = {"N": str(_forgotten(values))}
    # Where it leaves a note is kept until the former place knows, even if this request ends before that.
    holder = notes.holder_id(kind, values)
    adds = {notes.HOLDER_IDS: [holder]} if holder else {}
    update = Update(sets, frozenset({DOC, PACKED_DOC, *kind.lanes}) | _TIMES_OF_KIND, adds=adds)
    condition = "attribute_not_exists(updated_at) OR updated_at <= :updated"
    request = update.request(key(kind, version.id), condition, {":updated": {"S": texts["updated_at"]}})
    try:
        before: Item = call("UpdateItem", request | {"ReturnValues": "ALL_OLD"}).get("Attributes") or {}
    except ConditionFailed:
        return _Stored(version, Outcome.OLDER, {})
    if kind in (JOB, DAEMON):
        tag_sets.note(kind, str(values["organization_id"]), tag_set(values.get("tags") or {}))
    if kind is WORKSPACE:
        built_from.note(str(values["organization_id"]), str(values["template_id"]))
    if "updated_at" not in before:
        return _Stored(version, Outcome.CREATED, before)
    same = all(before.get(name) == value for name, value in sets.items())
    return _Stored(version, Outcome.UNCHANGED if same else Outcome.UPDATED, before)


def _touched(stored: _Stored) -> list[Reference]:
    """The objects that have something of this one, or had."""
    kind, values = stored.version.kind, stored.version.values
    touched: list[Reference] = []
    if kind in (TEMPLATE, WORKSPACE) or (kind is DAEMON and _is_to_rejoin(values, stored.before)):
        touched = [(kind, stored.version.id)]
    elif kind is BUILD:
        touched = [(WORKSPACE, holder) for holder in stored.holders]
    elif kind is VERSION and values.get("template_id"):
        touched = [(TEMPLATE, str(values["template_id"]))]
    elif kind is AGENT:
        touched = [named for holder in stored.holders for named in _workspace_of(holder)]
    elif kind is JOB:
        touched = [(DAEMON, holder) for holder in stored.holders]
        touched += _workspace_of((values.get("input") or {}).get("workspace_build_id"))
    return touched


def _leave_notes(stored: _Stored) -> None:
    kind, values = stored.version.kind, stored.version.values
    notes.leave(kind, values)
    if kind is DAEMON and stored.outcome is Outcome.CREATED:
        notes.leave_again(values)


def _forget_former(stored: _Stored) -> None:
    left = int(stored.before.get(REVISION, {"N": "0"})["N"]) + 1
    notes.forget_former(stored.version.kind, stored.version.id, stored.former_holders, left)


def _workspace_of(build_id: object) -> list[Reference]:
    """The workspace of a build, where the build is known."""
    build = get(BUILD, str(build_id)) if build_id else None
    return [(WORKSPACE, str(build.get("workspace_id")))] if build else []


def _is_to_rejoin(values: Values, before: Item) -> bool:
    """Whether a heartbeat may change what a daemon has of others; most of them do not, and cost one write alone."""
    if notes.JOB_IDS in before:
        return True
    return before.get("by_worker") != {"S": DAEMON.key("by_worker", values["organization_id"], "idle")}


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WRITERS, thread_name_prefix="platform-writer")


def _forgotten(values: Values) -> int:
    """When a daemon may go, in seconds since 1970: seven days after it was seen last, or made."""
    moment = values.get("last_seen_at") or values["created_at"]
    return int((times.from_wire(moment) + daemons.FORGOTTEN_AFTER).timestamp())
