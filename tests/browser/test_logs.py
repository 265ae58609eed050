from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import results, rows

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

    from tests.local.served import Started


MOST_STOPS = 80
"""How often Tab may have to be pressed to get anywhere on a page with few rows above."""


def show(page: Page, url: str, query: str) -> None:
    page.goto(f"{url}?{query}")
    expect(rows(page).first).to_be_visible()


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_rows_stand_by_day_and_say_what_happened(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections&q=type:ssh")
    table = results(signed_in)
    expect(table.get_by_role("columnheader")).to_have_text(["Time", "Event", "Result", "Address"])
    expect(table.get_by_role("rowheader").first).to_contain_text(re.compile("Today|Yesterday|day, "))
    # Not the first of all: another test of this process may have sent a newer one, of any name.
    expect(rows(signed_in).filter(has_text=re.compile(r"SSH session to \w+.s [\w-]+ workspace")).first).to_be_visible()
    show(signed_in, url, "view=audit&q=build_reason:autostart")
    expect(rows(signed_in).first).to_contain_text("Coder automatically started workspace")


def test_a_row_opens_to_everything_and_its_address_can_be_sent(signed_in: Page, url: str, served: Started) -> None:
    show(signed_in, url, "view=audit&q=resource_type:organization_member")
    row = rows(signed_in).filter(has_text="grace updated organization member ken")
    row.get_by_role("button").click()
    change = signed_in.get_by_role("table", name="Changes")
    expect(change.get_by_role("row").nth(1)).to_contain_text("organization-auditor")
    expect(change.locator(".old")).to_contain_text("\u2212")
    expect(change.locator(".new")).to_contain_text("+")
    row_id = asked(signed_in)["row"]
    signed_in.get_by_role("button", name="Copy as JSON").click()
    copied = json.loads(signed_in.evaluate("navigator.clipboard.readText()"))
    assert (copied["id"], copied["diff"]["roles"]["new"]) == (row_id, ["organization-admin"])
    signed_in.get_by_role("button", name="Copy link to this row").click()
    link = signed_in.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{served.url}/ui?")
    signed_in.goto(link)
    expect(signed_in.get_by_role("table", name="Changes")).to_be_visible()


def test_the_copied_command_asks_the_api_for_the_same(signed_in: Page, url: str, served: Started) -> None:
    show(signed_in, url, "view=connections&q=workspace_owner:linus type:ssh")
    signed_in.get_by_role("button", name="Copy as curl").click()
    command = signed_in.evaluate("navigator.clipboard.readText()")
    assert "--data-urlencode 'q=workspace_owner:linus type:ssh'" in command
    assert f"'{served.url}/api/v2/connectionlog'" in command
    assert "$CODER_SESSION_TOKEN" in command
    assert served.token not in command


def test_a_value_becomes_a_filter(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections&q=type:ssh")
    rows(signed_in).first.get_by_role("button").click()
    owner = signed_in.locator(".facts > div").filter(has_text="Workspace owner")
    name = owner.locator("dd bdi").first.inner_text()
    owner.get_by_role("link", name=re.compile("^only")).click()
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value(f"type:ssh workspace_owner:{name}")
    expect(results(signed_in)).to_have_attribute("aria-busy", "false")
    for row in rows(signed_in).all():
        expect(row).to_contain_text(f"{name}\u2019s")


def test_what_happened_around_a_row_is_a_click_away(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections&q=workspace_owner:linus type:ssh status:completed")
    rows(signed_in).filter(has_text="198.51.100.23").get_by_role("button").click()
    signed_in.get_by_role("link", name="Audit: everything").click()
    expect(signed_in.get_by_role("heading", name="Audit", level=1)).to_be_focused()
    state = asked(signed_in)
    assert state["view"] == "audit"
    assert state["from"] < state["to"]
    expect(rows(signed_in).filter(has_text="ken started workspace linus-kernel").last).to_contain_text("02:09:33")


def test_values_are_left_out_one_after_another(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections&q=after:-30d")
    for name in ("Address", "Type"):
        rows(signed_in).first.get_by_role("button").click()
        fact = signed_in.locator(".facts > div").filter(has_text=re.compile(f"^{name}")).first
        left_out = fact.locator("bdi").first.inner_text()
        fact.get_by_role("link", name=f"not {name}").click()
        expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value(re.compile(re.escape(left_out)))
        expect(results(signed_in)).to_have_attribute("aria-busy", "false")
        expect(rows(signed_in).filter(has_text=left_out)).to_have_count(0)
        expect(rows(signed_in).first).to_be_visible()
    assert re.fullmatch(r"after:-30d -ip:\S+ -type:\w+", asked(signed_in)["q"])
    signed_in.goto(f"{url}?view=connections&q=-type:ssh,vscode")
    rows(signed_in).first.get_by_role("button").click()
    type_ = signed_in.locator(".facts > div").filter(has_text=re.compile("^Type")).first
    given = type_.locator("bdi").first.inner_text()
    type_.get_by_role("link", name="not Type").click()
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_have_value(f"-type:ssh,vscode,{given}")
    expect(results(signed_in)).to_have_attribute("aria-busy", "false")
    expect(signed_in.get_by_role("alert")).to_have_count(0)


def test_a_link_leads_to_a_row_that_is_not_on_the_page_and_its_command_asks_for_it(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections&q=type:ssh&size=25")
    signed_in.get_by_role("button", name="Next page").click()
    expect(signed_in.locator(".toolbar .position")).to_contain_text("26 to 50 of")
    rows(signed_in).last.get_by_role("button").click()
    row_id = asked(signed_in)["row"]
    signed_in.goto(f"{url}?view=connections&q=type:ssh&size=25&row={row_id}")
    expect(signed_in.get_by_role("heading", name="The row of the link")).to_be_visible()
    expect(signed_in.locator(".linked .details")).to_contain_text(row_id)
    signed_in.locator(".linked").get_by_role("button", name="Copy as curl").click()
    command = signed_in.evaluate("navigator.clipboard.readText()")
    assert command.endswith(f"/api/v2/connectionlog/{row_id}'")
    address = command.split("'")[1]
    assert signed_in.evaluate("async (url) => (await (await fetch(url)).json()).id", address) == row_id


def test_the_field_completes_keys_and_values_and_shows_what_the_service_says(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=audit")
    field = signed_in.get_by_role("searchbox", name="Filter")
    field.press_sequentially("resource_ty")
    expect(signed_in.get_by_role("listbox", name="Suggestions").get_by_role("option")).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("resource_type:")
    field.press_sequentially("templ")
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("resource_type:template ")
    expect(rows(signed_in).first).to_contain_text("template")
    assert asked(signed_in)["q"] == "resource_type:template"
    field.fill("resource_type:nonsense")
    field.press("Enter")
    expect(signed_in.get_by_role("alert")).to_contain_text('"nonsense" is not a valid value')
    expect(field).to_have_attribute("aria-invalid", "true")


def test_names_of_people_are_completed(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=audit")
    field = signed_in.get_by_role("searchbox", name="Filter")
    field.press_sequentially("username:mar")
    expect(signed_in.get_by_role("option", name="margaret")).to_be_visible()


@pytest.mark.parametrize("view", ["connections", "audit"])
def test_every_preset_is_a_question_that_the_service_understands(signed_in: Page, url: str, view: str) -> None:
    show(signed_in, url, f"view={view}")
    menu = signed_in.locator("details.presets")
    names = menu.locator("a").count()
    assert names >= 6
    for index in range(names):
        menu.locator("summary").click()
        link = menu.get_by_role("link").nth(index)
        with signed_in.expect_response(lambda reply: "/api/v2/" in reply.url and "limit=100" in reply.url) as reply:
            link.click()
        assert reply.value.status == 200, reply.value.url
        expect(menu).not_to_have_attribute("open", "")


def test_the_range_can_be_chosen_and_its_zone_is_always_said(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections")
    signed_in.get_by_role("button", name="Range: All time, UTC").click()
    signed_in.get_by_role("button", name="Last 7 days").click()
    assert asked(signed_in)["last"] == "7d"
    signed_in.get_by_role("button", name="Range: Last 7 days, UTC").click()
    first = rows(signed_in).first.locator("time")
    before = first.inner_text()
    signed_in.get_by_role("radio", name="Europe/Berlin").check()
    expect(first).not_to_have_text(before)
    signed_in.get_by_label("From", exact=True).fill("2026-01-02T03:04:05")
    signed_in.get_by_label("To", exact=True).fill("2026-01-03T03:04:05")
    signed_in.get_by_role("button", name="Apply").click()
    expect(signed_in.get_by_text("Nothing matches.")).to_be_visible()
    assert asked(signed_in)["from"] == "2026-01-02T02:04:05.000Z", "it was the reader's time, and the address has UTC"
    signed_in.get_by_role("link", name="In all time").click()
    expect(rows(signed_in).first).to_be_visible()


def test_a_range_and_a_bound_that_is_typed_hold_together(signed_in: Page, url: str) -> None:
    positions = set()
    for query in ("last=3d", "last=3d&q=after:-30d", "last=30d&q=after:-3d", "q=after:-30d%20after:-3d"):
        show(signed_in, url, f"view=connections&{query}")
        positions.add(signed_in.locator(".position").first.inner_text())
    (position,) = positions
    assert position.startswith("1 to ")


def test_pages_go_on_where_the_one_before_ended_and_back(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections&size=25")
    position = signed_in.locator(".toolbar .position")
    expect(position).to_contain_text("1 to 25 of")
    first = rows(signed_in).all_text_contents()
    signed_in.get_by_role("button", name="Next page").click()
    expect(position).to_contain_text("26 to 50 of")
    second = rows(signed_in).all_text_contents()
    assert len(second) == 25
    assert first[-1] != second[0]
    signed_in.get_by_role("button", name="Previous page").click()
    expect(position).to_contain_text("1 to 25 of")
    assert rows(signed_in).all_text_contents() == first


def test_an_export_has_every_row_that_is_asked_for(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections&q=type:ssh&size=25")
    number = int(re.findall(r"of ([\d,]+)", signed_in.locator(".toolbar .position").inner_text())[0].replace(",", ""))
    with signed_in.expect_download() as download:
        signed_in.get_by_role("button", name="Export CSV").click()
    table = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(table) == number > 25
    assert {row["type"] for row in table} == {"ssh"}
    with signed_in.expect_download() as download:
        signed_in.get_by_role("button", name="Export NDJSON").click()
    lines: list[dict[str, Any]] = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert [line["id"] for line in lines] == [row["id"] for row in table]


def test_newer_rows_are_announced_and_not_put_under_the_reader(
    signed_in: Page, url: str, served: Started, send_event: Any
) -> None:
    del served
    signed_in.clock.install()
    show(signed_in, url, "view=connections&q=type:jetbrains")
    before = rows(signed_in).all_text_contents()
    send_event(type="jetbrains", workspace_name="just-now")
    signed_in.clock.run_for(25_000)
    announced = signed_in.get_by_role("button", name="1 newer \u2013 show")
    expect(announced).to_be_visible()
    assert rows(signed_in).all_text_contents() == before
    announced.click()
    expect(rows(signed_in).first).to_contain_text("just-now")
    signed_in.get_by_role("button", name="Live").click()
    send_event(type="jetbrains", workspace_name="while-live")
    signed_in.clock.run_for(6_000)
    expect(rows(signed_in).first).to_contain_text("while-live")


def test_nothing_is_looked_for_while_nobody_can_see_it(signed_in: Page, url: str) -> None:
    signed_in.clock.install()
    show(signed_in, url, "view=connections&q=type:jetbrains")
    signed_in.get_by_role("button", name="Live").click()
    looks: list[str] = []
    signed_in.on("request", lambda request: looks.append(request.url) if "limit=25" in request.url else None)
    with signed_in.expect_request(re.compile("limit=25")):
        signed_in.clock.run_for(6_000)
    hidden = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => %s })"
    signed_in.evaluate(hidden % "true")
    looks.clear()
    signed_in.clock.run_for(60_000)
    assert looks == []
    signed_in.evaluate(hidden % "false")
    with signed_in.expect_request(re.compile("limit=25")):
        signed_in.clock.run_for(6_000)


def test_an_answer_that_comes_late_does_not_stand_under_the_next_question(signed_in: Page, url: str) -> None:
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    signed_in.route(re.compile(r"/connectionlog\?.*type%3Assh"), hold)
    show(signed_in, url, "view=connections")
    field = signed_in.get_by_role("searchbox", name="Filter")
    for text in ("type:ssh", "type:jetbrains"):
        field.fill(text)
        field.press("Enter")
    expect(signed_in).to_have_url(re.compile("q=type%3Ajetbrains"))
    expect(rows(signed_in).first).to_contain_text("JetBrains session")
    (first,) = late
    first.fulfill(json={"connection_logs": [], "count": 0, "count_cap": 2_000})
    signed_in.wait_for_load_state("networkidle")
    expect(rows(signed_in).first).to_contain_text("JetBrains session")
    expect(results(signed_in)).to_have_attribute("aria-busy", "false")


def test_the_whole_way_can_be_gone_by_keyboard(page: Page, served: Started, url: str) -> None:
    page.goto(url)
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    page.keyboard.insert_text(served.token)
    page.keyboard.press("Enter")
    expect(rows(page).first).to_be_visible()
    expect(page.get_by_role("heading", name="Connections", level=1)).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Keyboard"), key="Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("switch", name="Single-key shortcuts"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("searchbox", name="Filter"))
    page.keyboard.type("type:ssh")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=type%3Assh"))
    expect(results(page)).to_have_attribute("aria-busy", "false")
    tab_to(page, page.get_by_role("button", name="Range"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Last 30 days"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("last=30d"))
    expect(results(page)).to_have_attribute("aria-busy", "false")
    tab_to(page, rows(page).first.get_by_role("button"))
    page.keyboard.press("Enter")
    expect(page.locator(".opened")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Audit: everything"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Audit", level=1)).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Export CSV"))
    with page.expect_download():
        page.keyboard.press("Enter")


def tab_to(page: Page, target: Locator, *, key: str = "Tab") -> None:
    """Goes to something as who has no mouse does."""
    target.wait_for()
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        if target.evaluate("node => node === document.activeElement"):
            return
    pytest.fail(f"{target} is not within {MOST_STOPS} stops")


def test_a_shortcut_goes_to_the_filter_and_from_row_to_row(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections")
    signed_in.keyboard.press("/")
    expect(signed_in.get_by_role("searchbox", name="Filter")).to_be_focused()
    tab_to(signed_in, signed_in.get_by_role("button", name="Copy link"))
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        signed_in.keyboard.press(key)
        expect(rows(signed_in).nth(row).get_by_role("button")).to_be_focused()


def test_shortcuts_can_be_switched_off(signed_in: Page, url: str) -> None:
    show(signed_in, url, "view=connections")
    signed_in.get_by_role("button", name="Keyboard").click()
    signed_in.get_by_role("switch", name="Single-key shortcuts").uncheck()
    signed_in.keyboard.press("Escape")
    signed_in.keyboard.press("/")
    expect(signed_in.get_by_role("searchbox", name="Filter")).not_to_be_focused()


def test_what_contradicts_a_session_stands_beside_it(signed_in: Page, url: str, send_event: Any) -> None:
    session = {"connection_id": str(uuid4()), "workspace_id": str(uuid4()), "time": "2026-01-02T03:04:05Z"}
    send_event(**session, workspace_name="first-told")
    send_event(**session, workspace_name="told-later")
    signed_in.goto(f"{url}?view=connections&q=connection_id:{session['connection_id']}")
    rows(signed_in).get_by_role("button").click()
    details = signed_in.locator(".details")
    expect(details.get_by_text("One event said otherwise")).to_be_visible()
    expect(details).to_contain_text("told-later")
    expect(details).to_contain_text("Written by token")
    expect(rows(signed_in)).to_contain_text("first-told")
