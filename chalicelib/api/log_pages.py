"""A page of a log over HTTP: the same for every log, from `q` and the caller to rows, count and cursor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Generic

from chalicelib.access.decide import Object, Reach, decide, reach
from chalicelib.api import request_log
from chalicelib.api.authentication import Names
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Encoded, encoded
from chalicelib.api.parameters import Page, boolean, page
from chalicelib.errors import Forbidden, Invalid, Validation
from chalicelib.lanes.catalogue import TIME_LENGTH
from chalicelib.lanes.plan import UNREADABLE, Plan
from chalicelib.models.directory import Beside
from chalicelib.models.sending import bytes_sent, may_be_sent
from chalicelib.retention import holds
from chalicelib.retention.keeping import Keeping
from chalicelib.search import cursor, parser
from chalicelib.search.criteria import criteria
from chalicelib.search.cursor import Cursor
from chalicelib.search.filters import FilterTable
from chalicelib.search.parser import Filter, UserReference, parse
from chalicelib.settings import current
from chalicelib.store.directory import people
from chalicelib.store.directory.claims import Claims
from chalicelib.store.dynamodb import client
from chalicelib.store.dynamodb.budget import Bill, Budget
from chalicelib.store.logs.reader import Counted
from chalicelib.store.logs.shown import shown
from chalicelib.store.logs.spans import Spans
from chalicelib.store.logs.tables import LogTable, Row

COUNT_CAP = 2_000
_ANSWERING_SECONDS = 13.0
"""Kept back, of the time there is, for the request under way and the answer."""
_LARGEST_ANSWER = 5_000_000
"""Bytes of rows as Lambda sends them, which is six million in all."""
_MOST_ROWS = 5_000
"""Of one answer, whatever the limit: about as many as it has bytes for."""
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_TOLD_AT_ONCE = 100
"""Rows that are made JSON together."""
_WRONG_PAGE = "Query parameters have invalid values."


@dataclass(frozen=True, slots=True)
class Log(Generic[Row]):
    """A log as it is shown.

    Attributes:
        stored: where its rows are.
        filters: the language of its queries.
        resource: what its rows are called in the policy.
        rows: the name of the list of rows in the answer.
        shown: a row as clients read it, with the users and organizations that belong to it.
    """

    stored: LogTable[Row]
    filters: FilterTable
    resource: str
    rows: str
    shown: Callable[[Row, Beside], Any]


@dataclass(frozen=True, slots=True)
class _Found(Generic[Row]):
    """What was read: the rows, how many there are (None when not asked for), and where to go on if anywhere.

    Attributes:
        partial: whether there are fewer rows than asked for, and yet more of them.
        finished: whether the rows are whole as they are.
    """

    rows: Sequence[Row]
    count: Counted | None
    next: Cursor | None
    partial: bool
    finished: bool


def names(call: Call, log: Log[Row]) -> Names:
    """The names of users and organizations in `q`."""
    return parser.names(call.query("q"), log.filters)


def answer(call: Call, caller: Caller, log: Log[Row]) -> Answer:
    """The rows that `q` asks for and the caller may see, newest first.

    Raises:
        Invalid: `q` or the page asked for is wrong.
        Forbidden: `explain` from somebody who may not read the whole log.
    """
    wanted = page(call)
    text = _cursor_text(call, wanted)
    readable = reach(caller.subject, "read", log.resource)
    explained = boolean(call.query("explain"))
    if explained and not readable.site:
        raise Forbidden("Forbidden.", "Plans are explained to those who may read the whole log.")
    bill = Bill()
    budget = Budget(current().max_rows_read, time.monotonic() + call.remaining_seconds - _ANSWERING_SECONDS)
    with client.heard_by(bill.add) if explained else nullcontext():
        asked = parse(call.query("q"), log.filters, me=caller.user.id, organization=organizations_of(caller))
        start = _start(text, log.stored.name, asked)
        keeping = holds.keeping(log.stored.name)
        planned = _plans(log, asked, readable, keeping, caller.names)
        if wanted.after_id and not readable.nothing:
            start = Cursor(_position_of(log, readable, keeping, wanted.after_id), wanted.offset)
        counting = call.query("count") == "" or boolean(call.query("count"))
        found = _read(log.stored, planned, budget, wanted, start, counting=counting)
        texts, told = _texts(log, found)
    request_log.note(RowsRead=budget.rows_read)
    fields: dict[str, Any] = {}
    if found.count is not None:
        fields |= {"count": found.count.number, "count_cap": COUNT_CAP}
        if not found.count.complete:
            fields["count_partial"] = True
    following = found.next
    if cut := told < len(found.rows):
        following = Cursor(log.stored.position(found.rows[told - 1]))
    if following is not None:
        fields["next_cursor"] = cursor.encode(following, log.stored.name, asked)
    if cut or found.partial:
        fields["partial"] = True
    if explained:
        fields["explain"] = _explanation(planned, budget, bill)
    rest = encoded(fields).text
    return Answer(Encoded(f'{{"{log.rows}":[{",".join(texts)}]{"," if fields else ""}{rest[1:]}'))


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


def organizations_of(caller: Caller) -> Callable[[str], str | None]:
    """What finds the id of the organization with a name, among those that the caller may read."""

    def organization(name: str) -> str | None:
        row_id = people.organization_id(name, caller.names)
        seen = row_id and decide(caller.subject, "read", Object("organization", row_id, organization=row_id))
        return row_id if seen else None

    return organization


def _plans(log: Log[Row], asked: Filter, readable: Reach, keeping: Keeping, known: Claims) -> list[Plan]:
    if readable.nothing:
        return [UNREADABLE]
    wanted = criteria(asked, log.filters, partial(user_ids, known=known))
    if not readable.site:
        wanted = wanted.narrowed("organization_id", readable.organizations)
    if readable.ids is not None:
        wanted = wanted.narrowed("id", readable.ids)
    return keeping.plans(wanted, log.stored.kept().read, current().log_shards)


def user_ids(reference: UserReference, known: Claims = MappingProxyType({})) -> Sequence[str]:
    """The ids of the users that a reference names; what is known already is not looked up."""
    return people.user_ids(reference.by, reference.text, deleted=reference.deleted, known=known)


def _position_of(log: Log[Row], readable: Reach, keeping: Keeping, row_id: str) -> str:
    """Where the row that `after_id` names stands; one that the caller may not see is not there."""
    row = log.stored.get(row_id)
    seen = (
        row is not None
        and (readable.site or row.organization_id in readable.organizations)
        and (readable.ids is None or row.id in readable.ids)
        and keeping.keeps(row)
    )
    if row is None or not seen:
        raise Invalid([Validation("after_id", 'Query param "after_id" is not the id of a row')], _WRONG_PAGE)
    return log.stored.position(row)


def _read(
    log: LogTable[Row], planned: Sequence[Plan], budget: Budget, wanted: Page, start: Cursor | None, *, counting: bool
) -> _Found[Row]:
    reading = Spans(log, [each.below(start.position) if start else each for each in planned], budget)
    offset = start.skip if start else wanted.offset
    skipped = reading.skip(offset)
    rows = reading.take(min(wanted.limit, _MOST_ROWS))
    # The page is looked beyond before it is counted: where it ends the log, the count is known.
    more = reading.more()
    reached = reading.reached
    if reading.stopped and reached and skipped == offset:
        reached = _veiled(reached, log.position(rows[-1]) if rows else "", start.position if start else "")
    following = Cursor(reached, offset - skipped if not rows else 0) if more and reached else None
    count = None
    known, cap = (0 if start else skipped) + len(rows), COUNT_CAP + 1
    if counting and start is None:
        count = reading.count_on(known, cap) if more else Counted(min(known, cap), complete=True)
    elif counting:
        count = Spans(log, planned, budget).count_on(0, cap)
        count = count._replace(number=max(count.number, min(known, cap)))
    return _Found(rows, count, following, more and len(rows) < wanted.limit, reading.finishes)


def _veiled(reached: str, last: str, start: str) -> str:
    """A position to go on from that does not tell which row was looked at last: the caller may not see that one.

    The rows of its moment are looked at again. Where that would lead nowhere the place is told as it is, and where it
    would show a row twice, the place of that row is told.

    Args:
        reached: the position of the row that was looked at last.
        last: that of the last row shown; "" where none was.
        start: where the page began; "" for the first page.
    """
    veiled = f"{reached[:TIME_LENGTH]}#{_LAST_ID}"
    if reached == last or "" < start <= veiled:
        return reached
    return last if "" < last <= veiled else veiled


def _texts(log: Log[Row], found: _Found[Row]) -> tuple[list[str], int]:
    """The rows as JSON, some in each text, and how many of them: as many as an answer may hold, one at least."""
    whole, users, organizations = shown(log.stored, found.rows, _LARGEST_ANSWER, finished=found.finished)
    beside = Beside(users, organizations)
    texts: list[str] = []
    size = told = 0
    for start in range(0, len(whole), _TOLD_AT_ONCE):
        some = [log.shown(row, beside) for row in whole[start : start + _TOLD_AT_ONCE]]
        # Together is quicker; one by one where the answer may have to end among them.
        together = encoded(some).text[1:-1]
        # Most pages are far from where it matters how many bytes they have.
        most = may_be_sent(together)
        if size + most <= _LARGEST_ANSWER:
            size += most
            texts.append(together)
            told += len(some)
            continue
        fits = size + bytes_sent(together) <= _LARGEST_ANSWER
        for text, number in [(together, len(some))] if fits else ((encoded(each).text, 1) for each in some):
            size += bytes_sent(text)
            if told and size > _LARGEST_ANSWER:
                return texts, told
            texts.append(text)
            told += number
    return texts, told


def _explanation(planned: Sequence[Plan], budget: Budget, bill: Bill) -> dict[str, Any]:
    newest, *older = map(_explained, planned)
    return {
        **newest,
        **({"older": older} if older else {}),
        "rows_read": budget.rows_read,
        "calls": bill.calls,
        "read_units": bill.read_units,
    }


def _explained(planned: Plan) -> dict[str, Any]:
    return {
        "lane": planned.lane,
        "keys": list(planned.keys),
        "why": planned.why,
        "residual": {name: sorted(allowed) for name, allowed in planned.residual.items()},
    }
