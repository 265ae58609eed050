"""A summary of a query: how many rows it has in each span of time, and of each value of a field.

The newest rows are read, as many as fill several pages. Where these are all, every number is exact. Otherwise the spans
that they do not reach, and the values of closed lists, are counted by keys, all side by side and each up to a cap;
other values are those of the newest rows, and the answer says that it is approximate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import TypeVar

from chalicelib import times
from chalicelib.access.decide import reach
from chalicelib.api import answer_limits, request_log
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call
from chalicelib.api.log_pages import Planner, filter_of, planner
from chalicelib.api.log_resource import Log
from chalicelib.api.parameters import boolean, int32
from chalicelib.errors import Forbidden, Invalid, Validation
from chalicelib.lanes.criteria import Criteria
from chalicelib.models.log_answers import BucketJSON, SummaryJSON, ValueCountJSON
from chalicelib.search import values
from chalicelib.search.filter import Filter
from chalicelib.search.filters import FilterKey, FilterTable, Kind
from chalicelib.store.directory import people
from chalicelib.store.dynamodb import client
from chalicelib.store.dynamodb.budget import Bill, Budget
from chalicelib.store.dynamodb.rounds import run
from chalicelib.store.logs.count import Counted
from chalicelib.store.logs.sample import Sample, count_queries, newest
from chalicelib.store.logs.tables import LogTable, Row

SAMPLE_ROWS = 2_000
MAX_BUCKETS = 120
DEFAULT_BUCKETS = 60
TOP_VALUES = 10
MOST_COUNTED = 2_000
"""The cap of each count, where the budget of rows is enough for all of them."""
_DEFAULT_SPAN = timedelta(hours=24)
_LONGEST_LIST = 15
"""Values of a closed list that are counted each by itself."""
_WRONG = "Query parameters have invalid values."

T = TypeVar("T")
Span = tuple[datetime, datetime]
"""A first moment, and the first one after the end."""


@dataclass(frozen=True, slots=True)
class Question:
    """The parameters of a summary beside `q`.

    Attributes:
        span: the time that is summed up.
        buckets: into how many spans of the same length it is cut.
        facets: the keys by whose values rows are counted.
    """

    span: Span
    buckets: int
    facets: tuple[FilterKey, ...]

    def spans(self) -> list[Span]:
        """The spans of the buckets, oldest first."""
        begin, end = self.span
        step = (end - begin) / self.buckets
        return [*pairwise([*(begin + step * index for index in range(self.buckets)), end])]


def answer(call: Call, caller: Caller, log: Log[Row]) -> Answer:
    """Counts of the rows that `q` asks for and the caller may see.

    Raises:
        Invalid: `q`, or another parameter, is wrong.
        Forbidden: the caller may read no row, or not the whole log and asks for `explain`.
    """
    readable = reach(caller.subject, "read", log.resource)
    if readable.nothing:
        raise Forbidden
    explained = boolean(call.query("explain"))
    if explained and not readable.site:
        raise Forbidden("Forbidden.", "Plans are explained to those who may read the whole log.")
    bill = Bill()
    budget = answer_limits.reading_budget(call)
    with client.heard_by(bill.add) if explained else nullcontext():
        asked = filter_of(call, caller, log, budget)
        question = _question(call, log.filters, asked)
        body = _named(summarize(log, planner(asked, caller, log), question, budget), question.facets)
    request_log.note(RowsRead=budget.rows_read)
    if explained:
        body["explain"] = {"rows_read": budget.rows_read, "calls": bill.calls, "read_units": bill.read_units}
    return Answer(body)


def summarize(log: Log[Row], planned: Planner, question: Question, budget: Budget) -> SummaryJSON:
    """The counts as JSON: buckets oldest first, and of each facet the values with most rows first.

    Args:
        log: which log.
        planned: gives the plans of a part of the query.
        question: the time, the spans and the facets.
        budget: what may be read; each count gets an even share of it.
    """
    whole = _criteria(question.span)
    sample = newest(log.stored, planned(whole), budget, SAMPLE_ROWS)
    spans = question.spans()
    beyond = spans[: _number_beyond(sample, spans)]
    listed = {key: _words(key, sample) for key in question.facets if _is_listed(key, log.stored, sample)}
    queries = [_criteria(span) for span in beyond]
    queries += [whole.narrowed(key.field, frozenset({value})) for key, words in listed.items() for value in words]
    cap = max(1, min(MOST_COUNTED, budget.rows_left // max(1, len(queries)) - 1))
    counts = iter(count_queries(log.stored, [planned(one) for one in queries], budget, cap + 1))
    bars = log.filters.by_key(log.filters.facets[0])
    buckets: list[BucketJSON] = [_counted_bucket(span, next(counts), cap) for span in beyond]
    buckets += [_read_bucket(sample, span, bars) for span in spans[len(beyond) :]]
    facets: dict[str, list[ValueCountJSON]] = {
        key.key: _sampled_values(sample, key) for key in question.facets if key not in listed
    }
    facets |= {key.key: _counted_values(words, counts, cap) for key, words in listed.items()}
    return {
        "from": times.wire(question.span[0]),
        "to": times.wire(question.span[1]),
        "buckets": buckets,
        "facets": facets,
        "approximate": not sample.complete and len(listed) < len(question.facets),
        "partial": any("partial" in one for one in (*buckets, *chain.from_iterable(facets.values()))),
    }


def _question(call: Call, table: FilterTable, asked: Filter) -> Question:
    wrong: list[Validation] = []
    now = times.now()
    end = _moment(call, "to", now, wrong, whole_day=True) or asked.before or times.ago(asked.older_than, now) or now
    begin = _moment(call, "from", now, wrong) or asked.after or times.ago(asked.newer_than, now) or end - _DEFAULT_SPAN
    buckets = int32(call, "buckets", wrong) or DEFAULT_BUCKETS
    if buckets > MAX_BUCKETS:
        wrong.append(Validation("buckets", f'Query param "buckets" must be {MAX_BUCKETS} at the most'))
    names = [name for name in call.query("facets").split(",") if name]
    facets = [key for name in names if name in table.facets and (key := table.by_key(name))]
    for name in names:
        if name not in table.facets:
            known = ", ".join(table.facets)
            wrong.append(Validation("facets", f"{values.quoted(name[:100])} is no facet; there are {known}"))
    if not wrong and begin >= end:
        wrong.append(Validation("from", 'Query param "from" must be before "to"'))
    if wrong:
        raise Invalid(wrong, _WRONG)
    return Question((begin, end), buckets, tuple(dict.fromkeys(facets)))


def _moment(
    call: Call, name: str, now: datetime, wrong: list[Validation], *, whole_day: bool = False
) -> datetime | None:
    text = call.query(name)
    if not text:
        return None
    try:
        moment = values.moment(text)
    except values.WrongValue as error:
        wrong.append(Validation(name, f"Query param {values.quoted(name)} {error}"))
        return None
    if isinstance(moment, timedelta):
        return times.ago(moment, now)
    return moment + timedelta(days=1) if whole_day and values.is_day(text) else moment


def _criteria(span: Span) -> Criteria:
    return Criteria(after=span[0], before=span[1] - timedelta.resolution)


def _number_beyond(sample: Sample[Row], spans: Sequence[Span]) -> int:
    """How many spans, the oldest, have rows that the sample may lack."""
    if sample.complete:
        return 0
    oldest = sample.rows[-1].moment if sample.rows else spans[-1][1]
    return sum(begin <= oldest for begin, _ in spans)


def _is_listed(key: FilterKey, log: LogTable[Row], sample: Sample[Row]) -> bool:
    """Whether the values of a key are counted each by itself, and not on the newest rows."""
    if key.field in log.base.fields:
        return True
    return not sample.complete and key.kind is Kind.ENUM and len(key.values) <= _LONGEST_LIST


def _words(key: FilterKey, sample: Sample[Row]) -> tuple[str, ...]:
    """The values of a key that are counted: those that are known and, of an open list, the most frequent others."""
    if not key.is_open:
        return key.values
    met: Counter[str] = Counter(getattr(row, key.field) for row in sample.rows)
    others = tuple(word for word, _ in met.most_common() if word and word not in key.values)
    return key.values + others[:TOP_VALUES]


def _has_more(counted: Counted, cap: int) -> bool:
    return counted.number > cap or not counted.complete


def _counted_bucket(span: Span, counted: Counted, cap: int) -> BucketJSON:
    """A span whose rows are counted, and not read."""
    begin, end = map(times.wire, span)
    bucket: BucketJSON = {"from": begin, "to": end, "count": min(counted.number, cap)}
    if _has_more(counted, cap):
        bucket["partial"] = True
    return bucket


def _read_bucket(sample: Sample[Row], span: Span, key: FilterKey | None) -> BucketJSON:
    """A span whose rows are all in the sample."""
    rows = [row for row in sample.rows if span[0] <= row.moment < span[1]]
    by_value: Counter[str] = Counter(getattr(row, key.field) for row in rows) if key else Counter()
    begin, end = map(times.wire, span)
    return {"from": begin, "to": end, "count": len(rows), "values": dict(by_value.most_common())}


def _counted_values(words: Iterable[str], counts: Iterator[Counted], cap: int) -> list[ValueCountJSON]:
    listed = [_counted_value(value, next(counts), cap) for value in words]
    return sorted((one for one in listed if one["count"]), key=lambda one: -one["count"])


def _counted_value(value: str, counted: Counted, cap: int) -> ValueCountJSON:
    made: ValueCountJSON = {"value": value, "count": min(counted.number, cap)}
    if _has_more(counted, cap):
        made["partial"] = True
    return made


def _sampled_values(sample: Sample[Row], key: FilterKey) -> list[ValueCountJSON]:
    counts = Counter(value for row in sample.rows if (value := getattr(row, key.field)))
    return [{"value": value, "count": number} for value, number in counts.most_common(TOP_VALUES)]


def _named(body: SummaryJSON, facets: Iterable[FilterKey]) -> SummaryJSON:
    """The summary with the names of users and organizations beside their ids."""
    users = [one for key in facets if key.kind is Kind.USERNAME for one in body["facets"][key.key]]
    organizations = [one for key in facets if key.kind is Kind.ORGANIZATION for one in body["facets"][key.key]]
    if users or organizations:
        known = run(people.look_up_rounds({one["value"] for one in users}, {one["value"] for one in organizations}))
        _name(users, {row_id: user.username for row_id, user in known.users.items()})
        _name(organizations, {row_id: one.name for row_id, one in known.organizations.items()})
    return body


def _name(counted: Sequence[ValueCountJSON], names: Mapping[str, str]) -> None:
    for one in counted:
        one["name"] = names.get(one["value"], "")
