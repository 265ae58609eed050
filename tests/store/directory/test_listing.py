"""The listing of users beside a naive model of it, and what a page of it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from uuid import UUID

import pytest

from chalicelib.records import User
from chalicelib.store.directory import listing
from chalicelib.store.directory.listing import Counted, UserPage, Wanted, page_of, read_page
from chalicelib.store.directory.people import save_user
from chalicelib.store.directory.people_rows import place
from chalicelib.store.dynamodb.budget import Budget
from tests.transport import ObservedTransport

pytestmark = pytest.mark.usefixtures("tables")

CAP = 20


@pytest.fixture
def crowd(alice: User) -> list[User]:
    """Thirty users in the order of the listing, every third of them suspended, one deleted beside them."""
    users = []
    for number in range(30):
        user = replace(
            alice,
            id=str(UUID(int=number + 1)),
            username=f"{'U' if number % 2 else 'u'}{number:03}",
            email=f"u{number}@example.com",
            status="suspended" if number % 3 == 0 else "active",
            organization_roles={},
        )
        save_user(user, None)
        users.append(user)
    gone = replace(alice, id=str(UUID(int=99)), username="u015b", email="gone@example.com", organization_roles={})
    save_user(gone, None)
    save_user(replace(gone, deleted=True), gone)
    return users


def is_suspended(user: User) -> bool:
    return user.status == "suspended"


def nobody(_: User) -> bool:
    return False


def wanted(
    matches: Callable[[User], bool] | None = None,
    after: str = "",
    offset: int = 0,
    limit: int | None = 10,
    count_cap: int = CAP,
) -> Wanted:
    return Wanted(matches, after, offset, limit, count_cap)


def names(page: UserPage) -> list[str]:
    return [user.username for user in page.users]


def test_a_page_is_that_of_the_model(crowd: list[User]) -> None:
    cases = product([None, is_suspended, nobody], [0, 3, 10, 50], [1, 7, 30, None], [0, 12, 29])
    for matches, offset, limit, first in cases:
        after = place(crowd[first - 1]) if first else ""
        model = [user for user in crowd[first:] if matches is None or matches(user)]
        page = read_page(wanted(matches, after, offset, limit), Budget())
        assert names(page) == [user.username for user in model[offset:][:limit]]
        most = len(model) if page.next is None else max(CAP, offset + (limit or 0)) + 1
        assert page.count == min(len(model), most)
        assert page.counted is (Counted.EXACT if page.count == len(model) else Counted.CAPPED)
        assert page.whole
        assert (page.next is not None) is (limit is not None and len(model) > offset + limit)
        few = page_of(crowd, wanted(matches, after, offset, limit))
        assert (few.users, few.count, few.next, few.whole) == (page.users, len(model), page.next, True)


def test_every_user_is_reached_whatever_one_request_may_read(crowd: list[User]) -> None:
    for matches, rows, offset in product([None, is_suspended], [1, 5, 13, 1_000], [0, 4]):
        reached: list[str] = []
        asked = wanted(matches, offset=offset, limit=4)
        for _ in range(100):
            budget = Budget(rows=rows)
            page = read_page(asked, budget)
            assert budget.rows_read <= rows
            assert page.whole is (len(page.users) == 4 or page.next is None)
            reached += names(page)
            if page.next is None:
                break
            asked = replace(asked, after=place(page.next.user), offset=page.next.offset)
        assert reached == [user.username for user in crowd if matches is None or matches(user)][offset:]


def test_a_count_that_the_budget_ends_says_so(crowd: list[User]) -> None:
    assert crowd
    for matches, rows, count in ((None, 10, 10), (is_suspended, 18, 6)):
        page = read_page(wanted(matches, limit=5), Budget(rows=rows))
        assert (len(page.users), page.count, page.counted) == (5, count, Counted.CUT_SHORT)


def test_time_that_is_up_ends_a_page_after_its_first_call(crowd: list[User], transport: ObservedTransport) -> None:
    assert crowd
    transport.requests.clear()
    page = read_page(wanted(nobody), Budget(give_up_at=0))
    assert transport.operations == ["Query"]
    assert page.next is not None
    assert (page.whole, page.counted) == (False, Counted.CUT_SHORT)


def test_a_page_of_everybody_reads_its_rows_and_one_more_in_one_call(
    crowd: list[User], transport: ObservedTransport
) -> None:
    assert crowd
    for limit in (1, 10, 25):
        transport.requests.clear()
        budget = Budget()
        assert len(read_page(wanted(limit=limit, count_cap=0), budget).users) == limit
        assert transport.operations == ["Query"]
        assert budget.rows_read == limit + 1


def test_counting_everybody_sends_no_row(crowd: list[User], transport: ObservedTransport) -> None:
    assert crowd
    transport.requests.clear()
    read_page(wanted(limit=5), Budget())
    (_, page), (_, count) = transport.requests
    assert (page["Limit"], count["Limit"], count["Select"]) == (6, CAP - 5, "COUNT")


def test_a_filter_reads_more_at_each_call(
    crowd: list[User], transport: ObservedTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert crowd
    monkeypatch.setattr(listing, "LEAST_ROWS", 4)
    transport.requests.clear()
    read_page(wanted(nobody, limit=1), Budget())
    assert [request["Limit"] for _, request in transport.requests] == [4, 8, 16, 32][: len(transport.requests)]
    assert len(transport.requests) in (3, 4)
