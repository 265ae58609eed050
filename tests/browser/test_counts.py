"""The bars and the counts, and what a drag and a click ask for. The counts are given, so as to know them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from tests.browser.conftest import rows, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

BUCKETS = 60
SUMMARY = re.compile(r"/summary\?")


@pytest.fixture
def counted(signed_in: Page) -> list[dict[str, str]]:
    """The requests for counts; the answer has one more connection in each bucket than in the one before."""
    asked: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        given = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        asked.append(given)
        buckets = [
            {"from": given["from"], "to": given["to"], "count": number, "values": {"ssh": number - 1, "vscode": 1}}
            for number in range(1, BUCKETS + 1)
        ]
        facets = {"type": [], "status": [{"value": "ongoing", "count": 7}, {"value": "completed", "count": 1_203}]}
        body: dict[str, Any] = {"from": given["from"], "to": given["to"], "buckets": buckets, "facets": facets}
        body |= {"approximate": False, "partial": True, "read_units": 12.5}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    signed_in.route(SUMMARY, answer)
    return asked


def test_a_drag_over_the_bars_sets_the_range(signed_in: Page, url: str, counted: list[dict[str, str]]) -> None:
    signed_in.goto(f"{url}?view=connections&last=24h")
    bars = signed_in.get_by_role("img", name="Events over time")
    expect(bars).to_be_visible()
    expect(bars.locator(".bucket")).to_have_count(BUCKETS)
    expect(signed_in.locator(".bars figcaption")).to_contain_text("1,830 events")
    expect(signed_in.locator(".bars figcaption")).to_contain_text("counted in part")
    box = bars.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    signed_in.mouse.move(box["x"] + box["width"] * 0.25, middle)
    signed_in.mouse.down()
    signed_in.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    signed_in.mouse.up()
    expect(signed_in).to_have_url(re.compile("from=.*&to="))
    state = {name: values[0] for name, values in parse_qs(urlsplit(signed_in.url).query).items()}
    assert "last" not in state
    expect(rows(signed_in).first.or_(signed_in.get_by_text("Nothing matches."))).to_be_visible()
    assert counted[-1]["from"] == state["from"]
    assert counted[-1]["to"] == state["to"]
    assert counted[-1]["buckets"] == str(BUCKETS)


def test_a_click_on_the_legend_and_on_a_count_is_a_filter(
    signed_in: Page, url: str, counted: list[dict[str, str]]
) -> None:
    signed_in.goto(f"{url}?view=connections")
    legend = signed_in.get_by_role("list", name="Type")
    ssh = legend.get_by_role("button", name="ssh 1,770")
    ssh.click()
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value("type:ssh")
    expect(ssh).to_have_attribute("aria-pressed", "true")
    signed_in.get_by_role("button", name="completed 1,203").click()
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value("type:ssh status:completed")
    expect(rows(signed_in).first).to_be_visible()
    assert counted[-1]["q"] == "type:ssh status:completed"
    signed_in.get_by_role("button", name="completed 1,203").click()
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value("type:ssh")


@pytest.mark.parametrize("view", ["connections", "audit"])
def test_the_counts_of_the_service_are_the_rows_that_stand_below(signed_in: Page, url: str, view: str) -> None:
    signed_in.goto(f"{url}?view={view}&last=3d")
    expect(rows(signed_in).first).to_be_visible()
    number = re.findall(r"of ([\d,]+)", signed_in.locator(".toolbar .position").inner_text())[0]
    expect(signed_in.locator(".bars figcaption")).to_contain_text(f"{number} events")
    person = signed_in.locator(".facets dl").filter(has_text=re.compile("^User|^Workspace owner")).get_by_role("button")
    name, rows_of_it = person.first.inner_text().split()
    person.first.click()
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value(re.compile(f":{name}$"))
    expect(signed_in.locator(".toolbar .position")).to_contain_text(f"of {rows_of_it}")


def test_bars_of_spans_that_were_only_counted_have_one_colour(signed_in: Page, url: str) -> None:
    def answer(route: Route) -> None:
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
        buckets: list[dict[str, Any]] = [
            {"count": 2_000, "partial": True},
            {"count": 3},
            {"count": 4, "values": {"ssh": 4}},
        ]
        facets = {"type": [{"value": "ssh", "count": 1_990}, {"value": "vscode", "count": 17}]}
        body: dict[str, Any] = {**times, "buckets": [{**times, **one} for one in buckets], "facets": facets}
        body |= {"approximate": True, "partial": True}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    signed_in.route(SUMMARY, answer)
    signed_in.goto(f"{url}?view=connections")
    bars = signed_in.locator(".bucket")
    expect(bars).to_have_count(3)
    expect(bars.locator(".series-unsplit")).to_have_count(2)
    expect(bars.nth(2).locator(".series-0")).to_have_count(1)
    expect(bars.nth(0).locator("title")).to_have_text(re.compile(r"2000\+$"))
    expect(signed_in.locator(".bars figcaption")).to_contain_text("2,007+ events")
    legend = signed_in.get_by_role("list", name="Type")
    expect(legend.get_by_role("button", name="vscode 17")).to_be_visible()
    expect(legend).to_contain_text("older events")


def test_rows_of_no_user_are_counted_under_those_words(signed_in: Page, url: str) -> None:
    signed_in.goto(f"{url}?view=audit")
    users = signed_in.locator(".facets dl").filter(has_text=re.compile("^User"))
    expect(users).to_contain_text(re.compile(r"no user \d+"))
    expect(users).not_to_contain_text("0000")
    expect(users.get_by_role("button", name="no user")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("counted")
def test_axe_finds_nothing_in_the_bars(signed_in: Page, url: str, scheme: Any) -> None:
    signed_in.emulate_media(color_scheme=scheme)
    signed_in.goto(f"{url}?view=connections&q=type:ssh")
    expect(signed_in.get_by_role("img", name="Events over time")).to_be_visible()
    assert violations(signed_in) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("view", "fields"), [("connections", CONNECTION_FILTERS), ("audit", AUDIT_FILTERS)])
def test_axe_finds_nothing_in_the_longest_counts(
    signed_in: Page, url: str, view: str, fields: FilterTable, scheme: Any
) -> None:
    texts = ["x" * 10_000, "one word and another " * 200, "<b>bold</b>", "\u202etxt.exe", "\u05d0\u05d1"]

    def answer(route: Route) -> None:
        times = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
        values = [{"value": text, "count": 2_000, "partial": True} for text in (*texts, *map(str, range(50)))]
        body: dict[str, Any] = {**times, "buckets": [{**times, "count": 3, "values": {texts[0]: 3}}]}
        body |= {"facets": dict.fromkeys(fields.facets, values), "approximate": True, "partial": True}
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    signed_in.emulate_media(color_scheme=scheme)
    signed_in.route(SUMMARY, answer)
    for width in (320, 1_280):
        signed_in.set_viewport_size({"width": width, "height": 900})
        signed_in.goto(f"{url}?view={view}")
        expect(signed_in.locator(".facets dl")).to_have_count(len(fields.facets) - 1)
        expect(rows(signed_in).first).to_be_visible()
        assert violations(signed_in) == [], width
        assert signed_in.evaluate("document.documentElement.scrollWidth") <= width
