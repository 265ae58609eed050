"""A page of users over HTTP, from `q` and the caller to rows, count and the place to go on from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from chalicelib.access.decide import reach
from chalicelib.api import answer_limits, links, lookup, request_log
from chalicelib.api.caller import Caller
from chalicelib.api.http import Answer, Call, Encoded, encoded
from chalicelib.api.parameters import boolean, int32, page
from chalicelib.errors import Invalid, Validation
from chalicelib.models.directory import UserPageJSON
from chalicelib.models.sending import bytes_sent
from chalicelib.records import User
from chalicelib.search.user_query import UserFilter
from chalicelib.store.directory import listing, people, people_rows
from chalicelib.store.directory.listing import Counted, Next, Test, UserPage, Wanted
from chalicelib.store.dynamodb.budget import Budget

COUNT_CAP = 2_000


@dataclass(frozen=True, slots=True)
class Visible:
    """The users that a list may show.

    Attributes:
        test: whether a user is one of them; None where everybody is.
        ids: the only ids that they can have; None where these are not known.
    """

    test: Test | None = None
    ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The form of users in an answer: the name of their list, and a function to the JSON of one."""

    name: str
    as_json: Callable[[User], Mapping[str, Any]]


def readable(caller: Caller) -> Visible:
    """The users that the caller may read."""
    within = reach(caller.subject, "read", "user")
    if within.site and within.ids is None:
        return Visible()
    ids = within.ids if within.site else frozenset({caller.user.id})
    return Visible(lambda user: within.includes(caller.user.id, lookup.user_object(user.id)), ids)


def answer(call: Call, rows: Rows, asked: UserFilter, visible: Visible) -> Answer:
    """The users that the filter lets through and the caller may see, by username.

    `limit` (0 and none mean all), `offset` and `after_id` page them; `count=false` leaves the count out. An answer that
    ends before it should, for its size or for what it takes, is `partial`. Where there are more users, `next_after_id`
    and, if it is there, `next_offset` are the `after_id` and `offset` of the next request.

    Raises:
        Invalid: the page asked for is wrong.
    """
    counting = call.query("count") == "" or boolean(call.query("count"))
    wanted = _wanted(call, asked, visible, count_cap=COUNT_CAP if counting else 0)
    budget = answer_limits.reading_budget(call)
    matching = _user_page(wanted, asked, visible, budget)
    request_log.note(RowsRead=budget.rows_read)
    texts = fitting(matching, rows)
    cut = len(texts) < len(matching.users)
    following = Next(matching.users[len(texts) - 1], 0) if cut else matching.next
    fields: UserPageJSON = {}
    headers: dict[str, str] = {}
    if counting:
        fields["count"] = matching.count
        _note_count(fields, matching.counted)
    if following is not None:
        place: dict[str, str | int] = {"after_id": following.user.id}
        fields["next_after_id"] = following.user.id
        if following.offset:
            place["offset"] = fields["next_offset"] = following.offset
        headers = links.next_page(call, place)
    if cut or not matching.whole:
        fields["partial"] = True
    ending = encoded(fields).text[1:]
    return Answer(Encoded(f'{{"{rows.name}":[{",".join(texts)}]{"," if fields else ""}{ending}'), headers=headers)


def everybody(call: Call, asked: UserFilter, visible: Visible) -> UserPage:
    """All users that the filter lets through and the caller may see, as far as one request may read."""
    budget = answer_limits.reading_budget(call)
    wanted = Wanted(_all(asked, visible), "", 0, None, 0)
    return _user_page(wanted, asked, visible, budget)


def fitting(matching: UserPage, rows: Rows) -> list[str]:
    """The users of a page as JSON, as many as an answer has room for."""
    texts: list[str] = []
    size = 0
    for user in matching.users:
        text = encoded(rows.as_json(user)).text
        size += bytes_sent(text) + 1
        if size > answer_limits.LARGEST_ANSWER:
            break
        texts.append(text)
    return texts


def _note_count(fields: UserPageJSON, counted: Counted) -> None:
    match counted:
        case Counted.EXACT:
            pass
        case Counted.CAPPED:
            fields["count_cap"] = COUNT_CAP
        case Counted.CUT_SHORT:
            fields["count_partial"] = True
        case _:
            assert_never(counted)


def _wanted(call: Call, asked: UserFilter, visible: Visible, *, count_cap: int) -> Wanted:
    given = page(call)
    after = people_rows.place(_after(visible, given.after_id)) if given.after_id else ""
    return Wanted(_all(asked, visible), after, given.offset, int32(call, "limit", []) or None, count_cap)


def _all(asked: UserFilter, visible: Visible) -> Test | None:
    test = visible.test
    if test is None:
        return asked.matches if asked.conditions else None
    return lambda user: test(user) and asked.matches(user)


def _after(visible: Visible, user_id: str) -> User:
    """The user that `after_id` names, deleted or not; one that the caller may not see is not there."""
    user = people.get_user(user_id)
    if user is None or not (visible.test is None or visible.test(user)):
        problem = Validation("after_id", 'Query param "after_id" is not the id of a user')
        raise Invalid([problem], "Query parameters have invalid values.")
    return user


def _user_page(wanted: Wanted, asked: UserFilter, visible: Visible, budget: Budget) -> UserPage:
    """The page, from the few users that it can consist of where these are known, and otherwise from the listing."""
    few = visible.ids
    if few is None and asked.unique is not None:
        field, value = asked.unique
        few = frozenset({value} if field == "id" else people.user_ids(field, value))
    if few is None:
        return listing.read_page(wanted, budget)
    users = people.get_users(few)
    budget.rows_read += len(users)
    return listing.page_of((user for user in users.values() if user.is_listed), wanted)
