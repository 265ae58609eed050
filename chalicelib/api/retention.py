"""Retention over HTTP and by schedule: the policy, what it has done, runs on demand, and legal holds."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from chalicelib import times
from chalicelib.access.decide import Object, decide
from chalicelib.api import answer_limits, log_names
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.retention_trail import hold_trail, run_trail
from chalicelib.api.saving import saved
from chalicelib.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound, NotYet, Validation
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import plan
from chalicelib.models.base import parse
from chalicelib.models.retention import (
    HoldJSON,
    HoldsJSON,
    PutHold,
    RetentionJSON,
    RunJSON,
    StartRun,
    counts_json,
    cut_offs_json,
)
from chalicelib.retention import placing, waiting
from chalicelib.retention.holds import CHANGING, Hold
from chalicelib.retention.holds import read as read_holds
from chalicelib.retention.policy import policy, raised
from chalicelib.retention.purge import ENDING_SECONDS, purge
from chalicelib.search import parser
from chalicelib.search.criteria import criteria
from chalicelib.search.filter import UserReference
from chalicelib.search.filters import FILTERS
from chalicelib.search.values import quoted
from chalicelib.settings import current
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import LOG_TABLES, LogTable
from chalicelib.store.retention import runs as retention_runs
from chalicelib.store.retention import state as retention_state
from chalicelib.store.retention.state import State

LISTED_RUNS = 20
_LOGS: dict[str, LogTable[Any]] = {log.name: log for log in LOG_TABLES}
_ENDING_SECONDS = 20.0
"""Kept back, of the time that a scheduled run has, for the round under way and its record."""
_ANSWERING_SECONDS = ENDING_SECONDS + 1.0
"""The time that a run started by a request leaves for its answer."""
_PLACING_SECONDS = 9.0
"""Kept back, of the time that there is to place a hold, for the last look at the run under way and the answer."""
WAIT_SECONDS = 18.0
"""How long a new hold waits for a purge that is under way to go by it."""
_RELATIVE = "A hold cannot ask how old a row is, which changes by itself. Ask for a moment: after:2026-01-31"
Fields = Mapping[str, frozenset[str]]
"""Field of a row -> the values that a hold names."""
_NAME = r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}"


_CHANGES = (
    "A hold cannot ask about the status, which changes by itself: what it holds would be lost."
    " Ask about the type, and about the time by connected_after and connected_before"
)


def scheduled(context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own, or what stands in for it
    """Run the purge for as long as the function may run, unless another run is under way."""
    seconds = context.get_remaining_time_in_millis() / 1_000 - _ENDING_SECONDS
    record = purge(seconds, trail=run_trail(None, None))
    if record is None:
        return {"message": "Another run is under way."}
    return {**record}


@authenticated
def show(_call: Call, caller: Caller) -> Answer:
    """The policy, the cut-offs at this moment, how much is past them, how much of that is held, and the last runs."""
    _check(caller, "read")
    rules = policy(current())
    state = retention_state.read(consistent=False)
    cut_offs = raised(rules.cut_offs(times.now()), state.floors)
    counts = waiting.count(rules, cut_offs, read_holds(state.holds))
    body: RetentionJSON = {
        "policy": {**counts_json(rules.retention), "keep_ongoing": rules.keep_ongoing},
        "cutoffs": cut_offs_json(cut_offs),
        "waiting": counts_json({name: counted.waiting for name, counted in counts.items()}),
        "held": counts_json({name: counted.held for name, counted in counts.items()}),
        "waiting_cap": waiting.CAP,
        "running": _running(state),
        "runs": cast("list[RunJSON]", retention_runs.latest(LISTED_RUNS)),
    }
    return Answer(body)


@authenticated
def start(call: Call, caller: Caller) -> Answer:
    """Run the purge now, within the time there is to answer."""
    _check(caller, "update")
    asked = parse(StartRun, call.body or b"{}")
    trail = run_trail(call, caller)
    record = purge(call.remaining_seconds - _ANSWERING_SECONDS, dry_run=asked.dry_run, trail=trail)
    if record is None:
        raise Conflict("Another run is under way.", "Wait until it has ended; GET /api/v2/retention shows it.")
    return Answer(record)


@authenticated
def list_holds(_call: Call, caller: Caller) -> Answer:
    """Every hold, by name."""
    _check(caller, "update")
    return Answer(HoldsJSON(holds=[_json(hold) for hold in placing.known()[1].values()]))


@authenticated
def put_hold(call: Call, caller: Caller, name: str) -> Answer:
    """Hold what a filter matches: 201 when the hold is new, 200 when it was there. Then no later delete ignores it."""
    _check(caller, "update")
    if not re.fullmatch(_NAME, name):
        problem = "must be 1 to 64 letters, digits, dots, dashes and underscores, and begin with a letter or a digit"
        raise Invalid([Validation("name", f'Path param "name" {problem}')])
    asked = parse(PutHold, call.body)
    give_up_at = time.monotonic() + min(WAIT_SECONDS, call.remaining_seconds - _PLACING_SECONDS)

    def write() -> Answer:
        state, known = placing.known()
        before = known.get(name)
        hold = _hold(caller, name, asked, before, answer_limits.reading_budget(call))
        version = state.version
        if before is None or before.saved() != hold.saved():
            try:
                after = [*({**known, name: hold}).values()]
                version = placing.save(state, after, *hold_trail(call, caller, 200 if before else 201, before, hold))
            except placing.TooMany as error:
                raise _too_many() from error
        if not placing.in_force(version, give_up_at=give_up_at):
            raise NotYet(
                "The hold is stored, and a purge that is under way may not go by it yet.",
                "Send the same request again to make sure.",
                retry_after_seconds=5,
            )
        return Answer(_json(hold), 200 if before else 201)

    return saved(write)


@authenticated
def lift_hold(call: Call, caller: Caller, name: str) -> Answer:
    """Lift a hold: what it held and no other hold does is hidden, and the next run deletes it."""
    _check(caller, "update")

    def write() -> Answer:
        state, known = placing.known()
        if name not in known:
            raise NotFound
        lifted = known.pop(name)
        placing.save(state, [*known.values()], *hold_trail(call, caller, 204, lifted, None))
        return Answer(None, 204)

    return saved(write)


def _check(caller: Caller, action: str) -> None:
    """Retention is part of how the deployment is set up: auditors may read that, and owners change it."""
    if not decide(caller.subject, action, Object("deployment_config")):
        raise Forbidden


def _running(state: State) -> RunJSON | None:
    return cast("RunJSON", dict(state.run)) if state.run is not None and state.leased(times.now()) else None


def _hold(caller: Caller, name: str, asked: PutHold, before: Hold | None, budget: Budget) -> Hold:
    table, log = FILTERS[asked.log], _LOGS[asked.log]
    parsed = parser.parse(
        asked.q,
        table,
        me=caller.user.id,
        organization=log_names.organizations_of(caller),
        has=partial(_has, log, budget, before.criteria.fields if before else {}),
    )
    if not CHANGING.isdisjoint(parsed.asked):
        raise Invalid([Validation("q", _CHANGES)], table.message)
    if parsed.newer_than is not None or parsed.older_than is not None:
        raise Invalid([Validation("q", _RELATIVE)], table.message)

    def user_ids(reference: UserReference) -> Sequence[str]:
        ids = log_names.user_ids(reference)
        if not ids:
            # A search for nobody finds nothing and is no error; a hold that holds nothing would be one.
            problem = f"nobody is known by the {reference.by} {quoted(reference.text)}"
            raise Invalid([Validation("q", f"The hold would hold nothing: {problem}")], table.message)
        return ids

    meant = criteria(parsed, table, user_ids, times.now())
    if plan(meant, log.lanes, current().log_shards).nothing:
        raise Invalid([Validation("q", "The hold would hold nothing: no row can be all of this")], table.message)
    same = before is not None and (before.log, before.q, before.reason) == (asked.log, asked.q, asked.reason)
    if before is not None and same and before.criteria == meant:
        return before
    made_at = before.created_at if before else times.now()
    return Hold(name, asked.log, asked.q, asked.reason, caller.user.id, made_at, meant)


def _has(log: LogTable[Any], budget: Budget, held: Fields, field: str, word: str) -> bool:
    """Whether a row has a word that is not known, of a server that is newer than the words.

    It may be past its time already: a hold that is placed before the purge keeps it. What the hold has named before,
    its owner may send again, whatever rows there are by now.
    """
    if word in held.get(field, ()):
        return True
    meant = Criteria({field: frozenset({word})})
    planned = plan(meant, log.kept().read, current().log_shards)
    return bool(read_page(log, [planned], budget, Window(limit=1)).rows)


def _json(hold: Hold) -> HoldJSON:
    return {
        "name": hold.name,
        "log": hold.log,
        "q": hold.q,
        "reason": hold.reason,
        "created_by": hold.created_by,
        "created_at": times.wire(hold.created_at),
        "matches": {name: sorted(allowed) for name, allowed in hold.criteria.fields.items()},
        "conditions": [str(condition) for condition in hold.criteria.conditions],
    }


def _too_many() -> BadRequest:
    return BadRequest(
        "There are too many holds.",
        f"There may be {placing.MOST_HOLDS} of them, of {placing.MOST_BYTES} bytes together; lift one or shorten some.",
    )
