"""The walk of docs/auditing.md: a new user finds the break-in of the sample, step by step as it is told there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from scripts.local.sample_break_in import ADDRESS, FAILED_LOGINS, INTRUDED, WORKSPACE
from tests.browser.conftest import rows, sign_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.local.served import Started

WALK = (Path(__file__).parents[2] / "docs" / "auditing.md").read_text()


def test_a_new_user_finds_who_was_there_and_what_changed(page: Page, served: Started, url: str) -> None:
    sign_in(page, url, served.token)

    page.get_by_role("searchbox", name="Filter").fill(f"workspace:{WORKSPACE}")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Range: All time, UTC").click()
    page.get_by_role("button", name="Last 3 days").click()
    strange = rows(page).filter(has_text=ADDRESS)
    expect(strange).to_have_count(4)
    expect(strange.filter(has_text="ken")).to_have_count(2)
    expect(strange.filter(has_text="open").filter(has_text="VS Code session")).to_have_count(1)

    session = strange.filter(has_text="SSH session")
    expect(session).to_contain_text("1 h 44 min")
    session.get_by_role("button").click()
    page.get_by_role("link", name="Audit: everything").click()
    started = rows(page).filter(has_text=f"{INTRUDED} started workspace {WORKSPACE}").filter(has_text="02:09:33")
    expect(started).to_contain_text("on behalf of linus")
    expect(started).to_contain_text(ADDRESS)

    started.get_by_role("button").click()
    page.locator(".facts > div").filter(has_text=re.compile("^User")).first.get_by_role("link", name="only").click()
    page.get_by_role("button", name=re.compile("^Range")).click()
    page.get_by_role("button", name="All time").click()
    logins = rows(page).filter(has_text=ADDRESS).filter(has_text="unsuccessfully attempted to login")
    expect(logins).to_have_count(FAILED_LOGINS)
    expect(rows(page).filter(has_text="ken logged in").filter(has_text="02:07:55")).to_have_count(1)
    expect(rows(page).filter(has_text="created token backup-sync")).to_have_count(1)

    page.get_by_role("button", name="Presets").click()
    page.get_by_role("link", name=re.compile("^Changes of roles")).click()
    role = rows(page).filter(has_text="grace updated organization member ken")
    expect(role).to_contain_text(ADDRESS)
    role.get_by_role("button").click()
    changes = page.get_by_role("table", name="Changes")
    expect(changes).to_contain_text("organization-auditor")
    expect(changes).to_contain_text("organization-admin")


def test_the_walk_names_what_the_sample_holds() -> None:
    for word in (ADDRESS, WORKSPACE, INTRUDED, "fourteen", "backup-sync", "02:14:09", "02:09:33"):
        assert word in WALK
    assert FAILED_LOGINS == 14
