"""A log in order of arrival over HTTP, for those who follow it: ascending, by a cursor that misses nothing.

An event is stored under the time at which it happened, so one that comes late is behind every poller that asks by time.
Here rows stand in the order of their latest write. A row that changes comes again, with a higher `revision`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import times
from chalicelib.access.decide import reach
from chalicelib.api import answer_limits, links, log_files, log_pages, request_log
from chalicelib.api.caller import Caller
from chalicelib.api.fit_rows import fit_rows
from chalicelib.api.http import Answer, Call, Encoded, encoded
from chalicelib.api.log_resource import Log, known_by
from chalicelib.api.parameters import boolean, page
from chalicelib.errors import Invalid, Validation
from chalicelib.lanes.catalogue import ARRIVAL
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.positions import TIME_LENGTH
from chalicelib.models.directory import Beside
from chalicelib.retention import holds
from chalicelib.search import cursor
from chalicelib.search.cursor import Cursor
from chalicelib.search.filter import Filter
from chalicelib.settings import current
from chalicelib.store.logs.arrivals import FIRST, Arrivals, Span, Tests, read_arrivals
from chalicelib.store.logs.tables import Row

SETTLED_TO = "Gatebook-Settled-To"
"""The header that says up to which moment a file has every row that arrived."""
_WRITTEN_WITHIN = timedelta(seconds=35)
"""The gateway's 29 seconds, and a margin for clocks that differ and an index that lags."""
_WRITTEN_FROM_QUEUE_WITHIN = timedelta(seconds=130)
"""The time of the function that reads the queue, which runs for 120 seconds at most, with the same margin."""
_LAST_ID = "#ffffffff-ffff-ffff-ffff-ffffffffffff"
_WRONG = "Query parameters have invalid values."
_UNKNOWN_ORDER = 'Query param "order" has invalid value: it takes arrival'
_ELSEWHERE = ("offset", "after_id", "explain", "conflicts")


def is_asked(call: Call) -> bool:
    """Whether a request asks for rows in order of arrival.

    Raises:
        Invalid: it asks for an order that there is not.
    """
    order = call.query("order")
    if order not in ("", ARRIVAL):
        raise Invalid([Validation("order", _UNKNOWN_ORDER)], _WRONG)
    return order == ARRIVAL


def answer(call: Call, caller: Caller, log: Log[Row]) -> Answer:
    """The rows that `q` asks for and the caller may see, which arrived beyond the cursor, oldest arrival first.

    Raises:
        Invalid: `q` or the page asked for is wrong, or the deployment does not keep the lane.
    """
    _check(call, log)
    settled_to = times.now() - settling()
    budget = answer_limits.reading_budget(call)
    asked = log_pages.filter_of(call, caller, log, budget)
    beyond = _beyond(call, log, asked)
    # A cursor of another process may stand beyond what this one takes for settled.
    last = max(beyond, times.fixed(settled_to) + _LAST_ID)
    limit = min(page(call).limit, answer_limits.MOST_ROWS)
    if reach(caller.subject, "read", log.resource).nothing:
        read: Arrivals[Row] = Arrivals((), {}, {}, {}, last, ended=True)
    else:
        span = Span(beyond, last)
        read = read_arrivals(log.stored, _tests(asked, caller, log), span, limit, budget, answer_limits.LARGEST_ANSWER)
    request_log.note(RowsRead=budget.rows_read)
    beside = Beside(read.users, read.organizations, known_by(caller.subject), read.mirrored)
    rows = [{**log.as_json(one.row, beside), "revision": one.revision} for one in read.rows]
    file = log_files.asked_format(call)
    if file:
        lines = log_files.lines(file, log.stored.name, rows)
        number = lines.rows
    else:
        texts, number = fit_rows(rows, answer_limits.LARGEST_ANSWER)
    following = cursor.encode(Cursor(_going_on(read, number, beyond)), _name(log), asked)
    headers = links.next_page(call, {"cursor": following})
    if file:
        if not headers:
            problem = Validation("q", 'Query param "q" is too long for a file of several pages. Ask for JSON')
            raise Invalid([problem], _WRONG)
        return log_files.answer(file, log.rows, lines, {**headers, SETTLED_TO: times.wire(settled_to)})
    fields: dict[str, Any] = {"settled_to": times.wire(settled_to), "next_cursor": following}
    if number < limit and (number < len(read.rows) or not read.ended):
        fields["partial"] = True
    return Answer(Encoded(f'{{"{log.rows}":[{",".join(texts)}],{encoded(fields).text[1:]}'), headers=headers)


def settling() -> timedelta:
    """How long after its moment a write is surely done, and seen."""
    return _WRITTEN_FROM_QUEUE_WITHIN if current().ingest_queue_url else _WRITTEN_WITHIN


def _check(call: Call, log: Log[Row]) -> None:
    wrong = [
        Validation(name, f'Query param "{name}" cannot be combined with order {ARRIVAL}')
        for name in _ELSEWHERE
        if (boolean(call.query(name)) if name in ("explain", "conflicts") else call.query(name) not in ("", "0"))
    ]
    if ARRIVAL not in (lane.name for lane in log.stored.kept().read):
        variable = f"GATEBOOK_{log.stored.name.upper()}_LANES"
        problem = f'Query param "order" takes {ARRIVAL} where the deployment keeps that lane: {variable}=*,{ARRIVAL}'
        wrong.append(Validation("order", problem))
    if wrong:
        raise Invalid(wrong, _WRONG)


def _beyond(call: Call, log: Log[Row], asked: Filter) -> str:
    text = call.query("cursor")
    if not text:
        return FIRST
    try:
        return cursor.decode(text, _name(log), asked).position
    except cursor.WrongCursor as error:
        raise Invalid([Validation("cursor", 'Query param "cursor" is not valid')], _WRONG) from error


def _name(log: Log[Row]) -> str:
    """The name that distinguishes cursors of this order from those of the log's own."""
    return f"{log.stored.name} by {ARRIVAL}"


def _tests(asked: Filter, caller: Caller, log: Log[Row]) -> Tests[Row]:
    """Which rows the caller may see of what is asked, and retention keeps."""
    wanted = log_pages.visible(asked, caller, log)
    keeping = holds.keeping(log.stored.name)
    early = _without(wanted, log.stored.base.fields)
    return Tests(early.match, lambda row: wanted.match(row) and keeping.keeps(row), keeping.recent)


def _without(wanted: Criteria, names: frozenset[str]) -> Criteria:
    """The criteria without these fields."""
    fields: Mapping[str, frozenset[str]] = {name: values for name, values in wanted.fields.items() if name not in names}
    conditions = tuple(condition for condition in wanted.conditions if condition.field not in names)
    return replace(wanted, fields=fields, conditions=conditions)


def _going_on(read: Arrivals[Row], number: int, beyond: str) -> str:
    """The place that the next page goes on from; it does not reveal the id of a row that the caller may not see.

    Where the row that was read last is not in the answer, the page goes on from the moment before it. Rows of this
    moment may be repeated, and none is missed.
    """
    if number < len(read.rows):
        return read.rows[number - 1].place
    if read.ended or (read.rows and read.rows[-1].place == read.reached):
        return read.reached
    moment: datetime = times.from_fixed(read.reached[:TIME_LENGTH])
    before = f"{times.fixed(moment - timedelta.resolution)}{_LAST_ID}"
    return before if before > beyond else read.reached
