"""A page of a log over HTTP: the same for every log, from `q` and the caller to rows, count and cursor."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, Generic

from chalicelib import times
from chalicelib.access.decide import Reach, reach
from chalicelib.api import answer_limits, links, log_files, request_log
from chalicelib.api.authentication import Names
from chalicelib.api.caller import Caller
from chalicelib.api.fit_rows import fit_rows
from chalicelib.api.http import Answer, Call, Encoded, encoded
from chalicelib.api.log_explanation import explanation
from chalicelib.api.log_names import known_user_ids, organizations_of
from chalicelib.api.log_resource import Log, known_by, visible_row
from chalicelib.api.parameters import Page, boolean, page
from chalicelib.errors import Forbidden, Invalid, Validation
from chalicelib.export.formats import Format
from chalicelib.lanes.criteria import Criteria
from chalicelib.lanes.plan import UNREADABLE, Plan
from chalicelib.lanes.positions import TIME_LENGTH
from chalicelib.models.directory import Beside
from chalicelib.models.log_answers import LogPageJSON
from chalicelib.retention import holds
from chalicelib.retention.keeping import Keeping
from chalicelib.search import cursor, parser
from chalicelib.search.criteria import criteria
from chalicelib.search.cursor import CarriedCount, Cursor
from chalicelib.search.filter import Filter
from chalicelib.search.parser import parse
from chalicelib.settings import current
from chalicelib.store.dynamodb import client
from chalicelib.store.dynamodb.budget import Bill, Budget
from chalicelib.store.logs.count import Counted
from chalicelib.store.logs.page import PageRead, Place, Window, read_page
from chalicelib.store.logs.tables import Row

COUNT_CAP = 2_000
Planner = Callable[[Criteria], list[Plan]]
_WRONG_PAGE = "Query parameters have invalid values."


@dataclass(frozen=True, slots=True)
class _Request:
    """The request for a page, parsed.

    Attributes:
        page: limit, offset and the row to begin after.
        asked: the filter that `q` means.
        start: where the cursor begins; None without one.
        readable: the rows that the caller may see.
        counting: whether the answer has a count.
        explained: whether the answer says how it was read.
        file: the format of a file that is asked for; None for JSON.
    """

    page: Page
    asked: Filter
    start: Cursor | None
    readable: Reach
    counting: bool
    explained: bool
    file: Format | None

    @property
    def carried(self) -> int | None:
        """The count that the cursor carries, if it was counted for a caller who may read the same rows."""
        total = self.start and self.start.total
        return total.number if total and total.reader == _reader(self.readable) else None


@dataclass(frozen=True, slots=True)
class _Result(Generic[Row]):
    """The rows that were read, after retention, and the cost of reading them."""

    read: PageRead[Row]
    keeping: Keeping
    budget: Budget
    bill: Bill


def names(call: Call, log: Log[Row]) -> Names:
    """The names of users and organizations in `q`."""
    return parser.names(call.query("q"), log.filters)


def answer(call: Call, caller: Caller, log: Log[Row]) -> Answer:
    """The rows that match `q` and that the caller may read, newest first.

    Raises:
        Invalid: `q` or the page asked for is wrong.
        Forbidden: `explain` from a caller who may not read the whole log.
    """
    bill = Bill()
    budget = answer_limits.reading_budget(call)
    with client.heard_by(bill.add) if boolean(call.query("explain")) else nullcontext():
        request = _parse_request(call, caller, log, budget)
        result = _execute(request, caller, log, budget, bill)
    request_log.note(RowsRead=budget.rows_read)
    beside = Beside(result.read.users, result.read.organizations, known_by(caller.subject), result.read.mirrored)
    rows = [log.as_json(row, beside) for row in result.read.rows]
    if request.file:
        return _respond_file(call, request, request.file, result, log, rows)
    return _respond(call, request, result, log, rows)


def _parse_request(call: Call, caller: Caller, log: Log[Row], budget: Budget) -> _Request:
    wanted = page(call)
    text = _cursor_text(call, wanted)
    readable = reach(caller.subject, "read", log.resource)
    explained = boolean(call.query("explain"))
    if explained and not readable.site:
        raise Forbidden("Forbidden.", "Plans are explained to those who may read the whole log.")
    asked = filter_of(call, caller, log, budget)
    start = _start(text, log.stored.name, asked)
    file = log_files.asked_format(call)
    if file and explained:
        problem = Validation("explain", f'Query param "explain" cannot be combined with format {file.name}')
        raise Invalid([problem], _WRONG_PAGE)
    counting = not file and (call.query("count") == "" or boolean(call.query("count")))
    return _Request(wanted, asked, start, readable, counting, explained, file)


def _execute(request: _Request, caller: Caller, log: Log[Row], budget: Budget, bill: Bill) -> _Result[Row]:
    keeping = holds.keeping(log.stored.name)
    plans = planner(request.asked, caller, log)(Criteria())
    start = request.start or Cursor("", request.page.offset)
    if request.page.after_id and not request.readable.nothing:
        start = Cursor(_position_of(log, request.readable, keeping, request.page.after_id), request.page.offset)
    window = Window(
        limit=min(request.page.limit, answer_limits.MOST_ROWS),
        offset=start.skip,
        start=start.position,
        cap=COUNT_CAP + 1 if request.counting and request.carried is None else None,
        most_bytes=answer_limits.LARGEST_ANSWER,
    )
    return _Result(read_page(log.stored, plans, budget, window), keeping, budget, bill)


def _respond(call: Call, request: _Request, result: _Result[Row], log: Log[Row], rows: Sequence[Any]) -> Answer:
    read = result.read
    texts, number = fit_rows(rows, answer_limits.LARGEST_ANSWER)
    place = _place_after(number, read, log)
    headers: dict[str, str] = {}
    fields: LogPageJSON = {}
    count = read.count if request.carried is None else Counted(request.carried, complete=True)
    if request.counting and count is not None:
        fields["count"] = max(count.number, min(number, COUNT_CAP + 1))
        fields["count_cap"] = COUNT_CAP
        if not count.complete:
            fields["count_partial"] = True
    if place is not None:
        carried = CarriedCount(count.number, _reader(request.readable)) if count and count.complete else None
        following = Cursor(place.position, place.skip, carried)
        fields["next_cursor"] = cursor.encode(following, log.stored.name, request.asked)
        headers = links.next_page(call, {"cursor": fields["next_cursor"]})
        if number < request.page.limit:
            fields["partial"] = True
            fields["scanned_to"] = times.wire(times.from_fixed(place.position[:TIME_LENGTH]))
    if request.explained:
        fields["explain"] = explanation(read.plans, result.budget, result.bill)
    end = encoded(fields).text[1:]
    return Answer(Encoded(f'{{"{log.rows}":[{",".join(texts)}]{"," if fields else ""}{end}'), headers=headers)


def _respond_file(
    call: Call, request: _Request, file: Format, result: _Result[Row], log: Log[Row], rows: Sequence[Any]
) -> Answer:
    """The page as a file. What JSON says beside the rows is in headers, and there is no count."""
    lines = log_files.lines(file, log.stored.name, rows)
    headers = log_files.kept_since(log.stored.name, result.keeping.cut_offs)
    if place := _place_after(lines.rows, result.read, log):
        following = cursor.encode(Cursor(place.position, place.skip), log.stored.name, request.asked)
        link = links.next_page(call, {"cursor": following})
        if not link:
            # A file that does not say that there is more would pass for the whole.
            problem = Validation("q", 'Query param "q" is too long for a file of several pages. Ask for JSON')
            raise Invalid([problem], _WRONG_PAGE)
        headers |= link
    return log_files.answer(file, log.rows, lines, headers)


def _place_after(number: int, read: PageRead[Row], log: Log[Row]) -> Place | None:
    """Where the next page begins, if so many of the rows that were read fit into this one; None where there is none."""
    return Place(log.stored.position(read.rows[number - 1])) if number < len(read.rows) else read.next


def _reader(readable: Reach) -> str:
    """Eight hexadecimal digits that differ for callers who may read different rows."""
    sets = [readable.organizations, readable.own_in, readable.ids or ()]
    reach_of = [readable.site, readable.own, readable.ids is None, *map(sorted, sets)]
    return blake2b(json.dumps(reach_of).encode(), digest_size=4).hexdigest()


def _cursor_text(call: Call, wanted: Page) -> str:
    text = call.query("cursor")
    others = [name for name, value in (("offset", wanted.offset), ("after_id", wanted.after_id)) if value]
    if text and others:
        problem = f'Query param "cursor" cannot be combined with {" or ".join(others)}'
        raise Invalid([Validation("cursor", problem)], _WRONG_PAGE)
    return text


def _start(text: str, log: str, asked: Filter) -> Cursor | None:
    if not text:
        return None
    try:
        return cursor.decode(text, log, asked)
    except cursor.WrongCursor as error:
        raise Invalid([Validation("cursor", 'Query param "cursor" is not valid')], _WRONG_PAGE) from error


def filter_of(call: Call, caller: Caller, log: Log[Row], budget: Budget) -> Filter:
    """The filter that `q` means.

    Raises:
        Invalid: it means none.
    """
    return parsed(call.query("q"), caller, log, budget)


def parsed(text: str, caller: Caller, log: Log[Row], budget: Budget) -> Filter:
    """The filter that a text means.

    Raises:
        Invalid: it means none.
    """
    return parse(
        text,
        log.filters,
        me=caller.user.id,
        organization=organizations_of(caller),
        has=partial(_has, log, caller, budget),
    )


def _has(log: Log[Row], caller: Caller, budget: Budget, field: str, word: str) -> bool:
    """Whether a row that the caller may see has a word that is not known, of a server that is newer than the words."""
    plans = planner(Filter(((field, frozenset({word})),)), caller, log)(Criteria())
    return bool(read_page(log.stored, plans, budget, Window(limit=1)).rows)


def planner(asked: Filter, caller: Caller, log: Log[Row]) -> Planner:
    """Gives the plans of what is asked, the caller may see, retention keeps, and further criteria let through."""
    readable = reach(caller.subject, "read", log.resource)
    if readable.nothing:
        return lambda _: [UNREADABLE]
    keeping = holds.keeping(log.stored.name)
    wanted = visible(asked, caller, log)
    return lambda further: keeping.plans(wanted & further, log.stored.kept().read, current().log_shards)


def visible(asked: Filter, caller: Caller, log: Log[Row]) -> Criteria:
    """The criteria of the rows that are asked for and that the caller may read."""
    readable = reach(caller.subject, "read", log.resource)
    wanted = criteria(asked, log.filters, partial(known_user_ids, caller), times.now())
    if not readable.site:
        wanted = wanted.narrowed("organization_id", readable.organizations)
    return wanted if readable.ids is None else wanted.narrowed("id", readable.ids)


def _position_of(log: Log[Row], readable: Reach, keeping: Keeping, row_id: str) -> str:
    """Where the row that `after_id` names stands; one that the caller may not see is not there."""
    row = visible_row(log, readable, keeping, row_id)
    if row is None:
        raise Invalid([Validation("after_id", 'Query param "after_id" is not the id of a row')], _WRONG_PAGE)
    return log.stored.position(row)
