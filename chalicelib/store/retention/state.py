"""The one item that retention turns on: who purges and until when, what the run has done, and what is held.

A purge holds a *lease*: it must renew it before each round of deletes, and whoever finds it over may take it. The holds
are in the same item and have a version, and a renewal is conditional on the version that the purge has seen. So a hold
is in force from the moment at which the purge has acknowledged its version, or its lease is over: no later round of
deletes can have been begun without knowing of it.

    version        goes up with every change of the holds
    acknowledged   the version that the holder of the lease goes by
    holder, until  whose lease it is, and when it is over
    run            the run under way, as of the last renewal: what is left of it should its process die
    previous       the run that was there when the lease was taken, for a holder that did not hear that it has it
    swept          how far the last run looked at everything and kept it; see `chalicelib.retention.sweep`
    floors         of each data set the moment before which rows were purged, or are about to be: a purge stores it with
                   the renewal that comes before its stamps, and no reader goes below it, whatever the policy is by then
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chalicelib import times
from chalicelib.store.directory.claims import Changed
from chalicelib.store.dynamodb.client import ConditionFailed, Item, TransactionCancelled, call
from chalicelib.store.dynamodb.tables import RetentionItem
from chalicelib.store.dynamodb.transaction import Write, transact
from chalicelib.store.platform import presence

_KEY = {"id": {"S": "state"}}


@dataclass(frozen=True, slots=True)
class State:
    """The item; the docstring of the module says what is in it. `holds` is name -> hold, as it was saved."""

    version: int = 0
    acknowledged: int = 0
    holder: str = ""
    until: datetime = times.NEVER
    holds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    run: Mapping[str, Any] | None = None
    swept: Mapping[str, Any] = field(default_factory=dict)
    previous: Mapping[str, Any] | None = None
    floors: Mapping[str, datetime] = field(default_factory=dict)

    def leased(self, now: datetime) -> bool:
        """Whether a run holds the lease at a time."""
        return bool(self.holder) and now < self.until


class LeaseLost(Exception):
    """Another process has taken the lease over: whoever had it must not delete any more."""


def read(*, consistent: bool = True) -> State:
    """The state as it is, or with one read unit less as it was a moment ago."""
    answer = call("GetItem", {"TableName": RetentionItem.Meta.table_name, "Key": _KEY, "ConsistentRead": consistent})
    presence.learn(answer.get("Item", {}))
    return _state(answer.get("Item", {}))


def take(holder: str, now: datetime, until: datetime, run: Mapping[str, Any]) -> State | None:
    """Take the lease, where nobody has it. Whoever did not hear the answer may ask again, and has it then.

    Returns:
        The state before: with the run of a process that died, if one did, and the holds that the lease was taken
        knowing of. None while another has the lease.
    """
    try:
        answer = _update(
            # The version that is acknowledged is that of the holds which come back with this very write.
            "SET #holder = :holder, #until = :until, #run = :run, #version = if_not_exists(#version, :none),"
            " #acknowledged = if_not_exists(#version, :none), #previous = if_not_exists(#run, :nothing)",
            "attribute_not_exists(#holder) OR #until <= :now",
            {
                ":holder": {"S": holder},
                ":until": {"S": times.fixed(until)},
                ":now": {"S": times.fixed(now)},
                ":run": {"S": _text(run)},
                ":none": {"N": "0"},
                ":nothing": {"S": _text(None)},
            },
        )
    except ConditionFailed:
        known = read()
        return replace(known, run=known.previous, until=now) if known.holder == holder else None
    return _state(answer.get("Attributes", {}))


def renew(
    holder: str, version: int, until: datetime, run: Mapping[str, Any], floors: Mapping[str, datetime]
) -> State | None:
    """Keep the lease for the next round of deletes, and raise the floors to what it is about to purge.

    Returns:
        None when the holds are those of this version; otherwise the state that has the new ones, and nothing is
        renewed: the caller renews again once it goes by them.

    Raises:
        LeaseLost: another process has the lease.
    """
    try:
        _update(
            "SET #until = :until, #run = :run, #acknowledged = :version, #floors = :floors",
            "#holder = :holder AND #version = :version",
            {
                ":floors": {"S": _floors_text(floors)},
                ":holder": {"S": holder},
                ":until": {"S": times.fixed(until)},
                ":run": {"S": _text(run)},
                ":version": {"N": str(version)},
            },
        )
    except ConditionFailed:
        state = read()
        if state.holder != holder:
            raise LeaseLost from None
        return state
    return None


def release(
    holder: str,
    swept: Mapping[str, Any],
    floors: Mapping[str, datetime],
    *,
    left: tuple[Mapping[str, Any], datetime] | None = None,
) -> None:
    """Give the lease back; nothing happens where another has it by now.

    Args:
        holder: whose lease it is.
        swept: the memory for the next run.
        floors: with the cut-offs that the run has finished.
        left: a record that could not be stored, and when the run ended: whoever takes the lease next stores it.
    """
    values: Item = {
        ":holder": {"S": holder},
        ":swept": {"S": _text(swept)},
        ":floors": {"S": _floors_text(floors)},
    }
    update = "SET #swept = :swept, #floors = :floors REMOVE #holder, #until, #run"
    if left:
        update = "SET #swept = :swept, #floors = :floors, #run = :run, #until = :until"
        values |= {":run": {"S": _text(left[0])}, ":until": {"S": times.fixed(left[1])}}
    try:
        _update(update, "#holder = :holder", values)
    except ConditionFailed:
        return


def save_holds(holds: Mapping[str, Mapping[str, Any]], seen: State, *trail: Write) -> None:
    """Replace all holds and write the trail of it: both or neither.

    Raises:
        Changed: the holds are no longer those of the state that was seen.
    """
    first = seen.version == 0
    values: Item = {":holds": {"S": _text(holds)}, ":next": {"N": str(seen.version + 1)}}
    if not first:
        values[":seen"] = {"N": str(seen.version)}
    request = _request(
        "SET #holds = :holds, #version = :next",
        # A lease may have made the item before there was any hold.
        "attribute_not_exists(#holds)" if first else "#version = :seen",
        values,
    )
    try:
        transact([Write("Update", request), *trail])
    except TransactionCancelled as error:
        raise Changed from error


def _request(update: str, condition: str, values: Item) -> dict[str, Any]:
    names = {word for word in _NAMES if f"#{word}" in f"{update} {condition}"}
    return {
        "TableName": RetentionItem.Meta.table_name,
        "Key": _KEY,
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{word}": word for word in sorted(names)},
        "ExpressionAttributeValues": values,
    }


_NAMES = tuple(State.__slots__)


def _update(update: str, condition: str, values: Item) -> dict[str, Any]:
    return call("UpdateItem", _request(update, condition, values) | {"ReturnValues": "ALL_OLD"})


def _state(item: Item) -> State:
    return State(
        version=int(item["version"]["N"]) if "version" in item else 0,
        acknowledged=int(item["acknowledged"]["N"]) if "acknowledged" in item else 0,
        holder=item["holder"]["S"] if "holder" in item else "",
        until=times.from_fixed(item["until"]["S"]) if "until" in item else times.NEVER,
        holds=json.loads(item["holds"]["S"]) if "holds" in item else {},
        run=json.loads(item["run"]["S"]) if "run" in item else None,
        swept=json.loads(item["swept"]["S"]) if "swept" in item else {},
        previous=json.loads(item["previous"]["S"]) if "previous" in item else None,
        floors=_floors(item["floors"]["S"]) if "floors" in item else {},
    )


def _floors(text: str) -> Mapping[str, datetime]:
    return {name: times.from_fixed(moment) for name, moment in json.loads(text).items()}


def _floors_text(floors: Mapping[str, datetime]) -> str:
    return _text({name: times.fixed(moment) for name, moment in floors.items()})


def _text(value: Mapping[str, Any] | None) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
