"""The page tells its reader while the service is slow, away, or does not let them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rows, sign_in, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.local.served import Started

LOG = re.compile(r"/api/v2/connectionlog\?")


def answered(status: int, body: dict[str, Any]) -> Any:
    def fulfil(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    return fulfil


def assert_no_violation(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page) == [], scheme


def test_a_slow_answer_is_said_with_what_is_being_read(signed_in: Page, url: str) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    signed_in.route(LOG, hold)
    signed_in.goto(f"{url}?view=connections&q=type:ssh&last=7d")
    expect(signed_in.get_by_text("Reading Connections: type:ssh, Last 7 days …")).to_be_visible()
    assert_no_violation(signed_in)
    for route in waiting:
        route.continue_()
    expect(rows(signed_in).first).to_be_visible()


def test_a_service_that_is_away_can_be_asked_again(signed_in: Page, url: str) -> None:
    signed_in.route(LOG, lambda route: route.abort())
    signed_in.goto(f"{url}?view=connections")
    expect(signed_in.get_by_role("alert")).to_contain_text("The service does not answer.")
    assert_no_violation(signed_in)
    signed_in.unroute(LOG)
    signed_in.get_by_role("button", name="Try again").click()
    expect(rows(signed_in).first).to_be_visible()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_of_the_service_shows_no_machinery(signed_in: Page, url: str, status: int) -> None:
    signed_in.route(
        LOG, lambda route: route.fulfill(status=status, content_type="text/html", body="<h1>Traceback</h1>")
    )
    signed_in.goto(f"{url}?view=connections")
    expect(signed_in.get_by_role("alert")).to_contain_text("The service does not answer.")
    expect(signed_in.get_by_text("Traceback")).to_have_count(0)


def test_who_has_no_right_is_told_so(signed_in: Page, url: str) -> None:
    body = {"message": "Forbidden.", "detail": "You don't have permission to view this content."}
    signed_in.route(LOG, answered(403, body))
    signed_in.goto(f"{url}?view=connections")
    expect(signed_in.get_by_role("alert")).to_contain_text("You have no right to see this.")
    assert_no_violation(signed_in)


def test_a_session_that_ended_asks_to_sign_in_and_goes_on_there(signed_in: Page, served: Started, url: str) -> None:
    signed_in.goto(f"{url}?view=audit&q=action:login")
    expect(rows(signed_in).first).to_be_visible()
    signed_in.context.clear_cookies()
    signed_in.get_by_role("button", name="Presets").click()
    signed_in.get_by_role("link", name=re.compile("^Deleted users")).click()
    expect(signed_in.get_by_text("Your session has ended.")).to_be_visible()
    assert_no_violation(signed_in)
    signed_in.get_by_label("Token", exact=True).fill(served.token)
    signed_in.get_by_role("button", name="Sign in").click()
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value("resource_type:user action:delete")


def test_a_search_that_stopped_half_way_says_where_and_goes_on(signed_in: Page, url: str) -> None:
    partial = {"connection_logs": [], "count": 0, "count_cap": 2_000, "partial": True, "next_cursor": "there"}
    signed_in.route(
        re.compile(r"/connectionlog\?(?!.*cursor)"), answered(200, {**partial, "scanned_to": "2026-01-02T14:05:00Z"})
    )
    signed_in.route(
        re.compile(r"/connectionlog\?.*cursor=there"), answered(200, {**partial, "partial": False, "next_cursor": ""})
    )
    signed_in.goto(f"{url}?view=connections&q=type:ssh")
    expect(signed_in.get_by_text(re.compile("Searched down to 2 Jan 2026, 14:05"))).to_be_visible()
    assert_no_violation(signed_in)
    signed_in.get_by_role("button", name="Go on").click()
    expect(signed_in.get_by_text("This page is empty")).to_be_visible()
    assert_no_violation(signed_in)


def test_a_session_about_to_end_is_announced(page: Page, served: Started, url: str) -> None:
    def soon(route: Route) -> None:
        if route.request.method != "GET":
            route.continue_()
            return
        route.fulfill(
            status=200,
            content_type="application/json",
            body=json.dumps({"username": "owner", "expires_at": "2026-01-02T14:05:00Z"}),
        )

    sign_in(page, url, served.token)
    page.route(re.compile("/ui/session$"), soon)
    page.goto(url)
    expect(page.get_by_text("Your session ends at 14:05:00.")).to_be_visible()
    assert_no_violation(page)


def test_ten_thousand_rows_stay_smooth(signed_in: Page, url: str) -> None:
    with signed_in.expect_response(re.compile(f"{LOG.pattern}.*limit=5000")) as reply:
        signed_in.goto(f"{url}?view=connections&size=5000")
    page = reply.value.json()
    many = [{**page["connection_logs"][index % 300], "id": str(index)} for index in range(10_000)]
    signed_in.route(LOG, answered(200, {"connection_logs": many, "count": 10_000, "count_cap": 2_000}))
    signed_in.reload()
    expect(rows(signed_in)).to_have_count(10_000)
    rendered = "[...document.querySelectorAll('.line .what')].filter(cell => cell.checkVisibility(how)).length"
    assert signed_in.evaluate(f"(how => {rendered})({{contentVisibilityAuto: true}})") < 500, (
        "only what is near the screen is laid out"
    )
    signed_in.mouse.wheel(0, 100_000)
    expect(signed_in.get_by_text("1 to 10,000 of 2,000+").first).to_be_attached()
