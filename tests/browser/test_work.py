"""The page does little for its rows, counted in calls of functions: the same on any machine, fast or slow.

A page of 100 rows is on screen within 300 ms where it stays within these numbers. And they do not grow: not with the
rows that stand there already, and not faster than the rows that come.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import CDPSession, Page, Route

MOST_CALLS_OF_A_PAGE = 120_000
"""About 50,000 as measured, of which a slow machine makes a million in 300 ms."""
MOST_CALLS_OF_A_SCROLL = 200
WATCH_LINES = """
    touched = new Set();
    new MutationObserver((changes) => {
        for (const { target } of changes) touched.add(target.closest?.("[role=presentation]"));
        touched.delete(null);
    }).observe(document.querySelector(".results"), { subtree: true, childList: true, attributes: true });
"""
"""Gathers the rows in which anything changes."""
LOG = re.compile(r"/api/v2/connectionlog\?")


class Work:
    """Counts the calls of the functions of the page's own files, lit's among them."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Profiler.enable")

    def of(self, done: Callable[[], object]) -> int:
        self._session.send("Profiler.startPreciseCoverage", {"callCount": True, "detailed": False})
        done()
        scripts = self._session.send("Profiler.takePreciseCoverage")["result"]
        self._session.send("Profiler.stopPreciseCoverage")
        own = [part for script in scripts if "/ui/" in script["url"] for part in script["functions"]]
        return sum(part["ranges"][0]["count"] for part in own)


@pytest.fixture
def answer_with(signed_in: Page, url: str) -> Callable[[int], None]:
    """Has the log answer with so many rows."""
    api = f"{url.removesuffix('/ui')}/api/v2"
    made = signed_in.request.get(f"{api}/connectionlog?limit=100").json()["connection_logs"]

    def answer(number: int) -> None:
        many = [{**made[index % len(made)], "id": f"row-{index}"} for index in range(number)]
        body = json.dumps({"connection_logs": many, "count": number, "count_cap": 2_000})

        def fulfil(route: Route) -> None:
            route.fulfill(status=200, content_type="application/json", body=body)

        signed_in.unroute(LOG)
        signed_in.route(LOG, fulfil)
        signed_in.goto(f"{url}?view=connections&size={number}")
        expect(rows(signed_in)).to_have_count(number)
        # The bars and the counts come with answers of their own, and their drawing is no work of what is counted next.
        signed_in.wait_for_load_state("networkidle")
        signed_in.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    return answer


def test_rows_take_work_in_proportion_to_their_number(signed_in: Page, answer_with: Callable[[int], None]) -> None:
    work = Work(signed_in)

    def drawn(number: int) -> int:
        answer_with(number)
        return work.of(lambda: (signed_in.reload(), expect(rows(signed_in)).to_have_count(number)))

    few, many = drawn(100), drawn(400)
    assert few <= MOST_CALLS_OF_A_PAGE
    assert many <= 4.5 * few


def test_typing_and_scrolling_take_the_same_work_however_many_rows_there_are(
    signed_in: Page, answer_with: Callable[[int], None]
) -> None:
    work = Work(signed_in)
    field = signed_in.get_by_role("searchbox", name="Filter")
    suggestions = signed_in.get_by_role("listbox", name="Suggestions")

    def press() -> None:
        field.press("t")
        suggestions.wait_for()

    def typed(number: int) -> int:
        answer_with(number)
        field.focus()
        calls = work.of(press)
        assert work.of(lambda: signed_in.mouse.wheel(0, 100_000)) < MOST_CALLS_OF_A_SCROLL
        return calls

    few, many = typed(100), typed(10_000)
    assert many <= 1.5 * few


def test_opening_a_row_takes_the_same_work_however_many_rows_there_are(
    signed_in: Page, answer_with: Callable[[int], None]
) -> None:
    work = Work(signed_in)

    def opened(number: int) -> int:
        answer_with(number)
        signed_in.evaluate(WATCH_LINES)

        def opening() -> None:
            rows(signed_in).nth(1).get_by_role("button").click()
            signed_in.locator(".opened .copies").wait_for()

        calls = work.of(opening)
        assert signed_in.evaluate("touched.size") == 1, "the row that was opened, and no other"
        rows(signed_in).nth(2).get_by_role("button").click()
        expect(rows(signed_in).nth(2)).to_have_class("line open")
        expect(signed_in.locator(".opened")).to_have_count(1)
        assert signed_in.evaluate("touched.size") == 2, "the one that was closed is the same"
        return calls

    few, many = opened(100), opened(10_000)
    assert many <= 1.5 * few


def test_a_row_on_top_leaves_the_others_and_the_focus_as_they_are(
    signed_in: Page, answer_with: Callable[[int], None], send_event: Callable[..., None]
) -> None:
    signed_in.clock.install()
    answer_with(400)
    signed_in.unroute(LOG)
    signed_in.goto(signed_in.url.replace("size=400", "size=1000&q=type:ssh"))
    expect(signed_in.locator(".toolbar .position")).to_contain_text("1 to ")
    button = rows(signed_in).nth(60).get_by_role("button")
    button.click()
    signed_in.evaluate(WATCH_LINES)
    signed_in.evaluate("was = document.activeElement")
    send_event(workspace_name="on-top")
    live = signed_in.get_by_role("button", name="Live")
    live.evaluate("button => button.click()")
    signed_in.clock.run_for(6_000)
    expect(rows(signed_in).first).to_contain_text("on-top")
    assert signed_in.evaluate("was === document.activeElement && was.getAttribute('aria-expanded') === 'true'")
    assert signed_in.evaluate("touched.size") <= 1


def test_rows_that_are_left_as_they_are_drawn_are_those_of_the_view(
    signed_in: Page, answer_with: Callable[[int], None]
) -> None:
    answer_with(100)
    for view in ("audit", "connections"):
        signed_in.get_by_role("link", name=view.capitalize(), exact=True).click()
        expect(signed_in.get_by_role("heading", name=view.capitalize(), level=1)).to_be_visible()
        expect(rows(signed_in).first).to_be_visible()
    expect(rows(signed_in)).to_have_count(100)
    rows(signed_in).first.get_by_role("button").click()
    expect(signed_in.locator(".opened")).to_have_count(1)
    signed_in.get_by_role("searchbox", name="Filter").press("t")
    expect(signed_in.locator(".opened")).to_have_count(1)
