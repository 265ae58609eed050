"""Tokens and retention by the page: what is done there is done, and a secret is shown once."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sent, status

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.local.served import Started


def minted(page: Page, name: str, scopes: str) -> Any:
    page.get_by_role("button", name="Mint a token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Scopes").fill(scopes)
    dialog.get_by_role("button", name="Mint a token").click()
    return dialog


def token_row(page: Page, name: str) -> Any:
    return page.get_by_role("table", name="Results").get_by_role("row").filter(has_text=name)


def test_a_token_is_minted_narrowed_rotated_and_ended(signed_in: Page, url: str, served: Started) -> None:
    signed_in.goto(f"{url}?view=tokens")
    dialog = minted(signed_in, "by-page", "audit_log:read\nconnection_log:read\nuser:read")
    secret = dialog.get_by_label("Token").input_value()
    assert status(served, secret, "audit") == 200
    dialog.get_by_role("button", name="Done").click()
    assert secret not in signed_in.content()

    row = token_row(signed_in, "by-page")
    row.get_by_role("button", name="Narrow").click()
    dialog.get_by_label("Scopes").fill("connection_log:read user:read")
    dialog.get_by_role("button", name="Narrow").click()
    expect(row.get_by_text("audit_log:read")).to_have_count(0)
    assert status(served, secret, "audit") == 403

    row.get_by_role("button", name="Rotate").click()
    dialog.get_by_role("button", name="Rotate").click()
    rotated = dialog.get_by_label("Token").input_value()
    dialog.get_by_role("button", name="Done").click()
    assert status(served, secret, "connectionlog") == 401
    assert status(served, rotated, "connectionlog") == 200

    row.get_by_role("button", name="Expire").click()
    dialog.get_by_role("button", name="Expire").click()
    expect(row).to_have_count(0)
    assert status(served, rotated, "connectionlog") == 401


def test_a_token_that_nobody_has_used_says_so(signed_in: Page, url: str) -> None:
    signed_in.goto(f"{url}?view=tokens")
    dialog = minted(signed_in, "unused-by-page", "user:read")
    dialog.get_by_role("button", name="Done").click()
    expect(token_row(signed_in, "unused-by-page").get_by_role("cell").nth(2)).to_have_text("never")


def test_the_address_holds_which_tokens_are_listed(signed_in: Page, url: str) -> None:
    signed_in.goto(f"{url}?view=tokens")
    everybody, ended = (signed_in.get_by_role("switch", name=name) for name in ("All tokens", "Expired ones too"))
    expect(everybody).to_be_checked()
    expect(ended).not_to_be_checked()
    everybody.uncheck()
    with signed_in.expect_request(re.compile(r"/keys/tokens\?include_expired=true$")):
        ended.check()
    signed_in.goto(signed_in.url)
    expect(everybody).not_to_be_checked()
    expect(ended).to_be_checked()
    signed_in.get_by_role("link", name="Audit", exact=True).click()
    assert "expired" not in signed_in.url


def test_what_the_session_does_not_hold_takes_a_token_that_does(signed_in: Page, url: str, served: Started) -> None:
    signed_in.goto(f"{url}?view=tokens")
    dialog = minted(signed_in, "wide-by-page", "coder:logs.ingest")
    expect(dialog.get_by_role("alert")).to_contain_text("exceeds the creating API key")
    dialog.get_by_label("Token that may").fill(served.token)
    dialog.get_by_role("button", name="Mint a token").click()
    secret = dialog.get_by_label("Token", exact=True).input_value()
    assert status(served, secret, "audit") == 403, "it is there, and may not read"
    dialog.get_by_role("button", name="Done").click()
    row = token_row(signed_in, "wide-by-page")
    expect(row).to_contain_text("coder:logs.ingest")
    row.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_a_hold_is_placed_and_lifted(signed_in: Page, url: str) -> None:
    signed_in.goto(f"{url}?view=retention")
    signed_in.get_by_role("button", name="Place a hold").click()
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_label("Name").fill("break-in")
    dialog.get_by_label("Log").select_option("Audit")
    dialog.get_by_label("Filter").fill("nonsense:1")
    dialog.get_by_label("Reason").fill("The police asked for it.")
    dialog.get_by_role("button", name="Place").click()
    expect(dialog.get_by_role("alert")).to_contain_text('"nonsense" is not a valid query param')
    dialog.get_by_label("Filter").fill("username:ken")
    dialog.get_by_role("button", name="Place").click()
    row = signed_in.get_by_role("table", name="Holds").get_by_role("row").filter(has_text="break-in")
    expect(row).to_contain_text("The police asked for it.")
    row.get_by_role("button", name="Lift").click()
    dialog.get_by_role("button", name="Lift").click()
    expect(signed_in.get_by_text("There are no holds.")).to_be_visible()


def test_a_run_can_be_tried(signed_in: Page, url: str) -> None:
    signed_in.goto(f"{url}?view=retention")
    signed_in.get_by_role("button", name="Try a run").click()
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_role("button", name="Try a run").click()
    expect(dialog.get_by_role("button", name="Done")).to_be_visible()


def test_the_overview_counts_what_its_links_show(signed_in: Page, url: str) -> None:
    signed_in.goto(f"{url}?view=overview")
    card = signed_in.locator(".card").filter(has_text="Open sessions now")
    number = card.locator(".number").inner_text()
    card.get_by_role("link").click()
    expect(signed_in.locator(".toolbar .position")).to_have_text(re.compile(rf"1 to \d+ of {number}$"))


def test_the_overview_counts_rejected_events_and_tells_how_far_the_purge_is_behind(
    signed_in: Page, url: str, served: Started
) -> None:
    signed_in.goto(f"{url}?view=overview")
    card = signed_in.locator(".card").filter(has_text="Rejected events")
    before = int(card.locator(".number").inner_text())
    assert sent(served, "connectionlog", {"time": "never", "agent_name": "main"})["status"] == "rejected"
    signed_in.reload()
    expect(card.locator(".number")).to_have_text(str(before + 1))
    lag = signed_in.locator(".card").filter(has_text="Purge lag")
    expect(lag.locator(".number")).to_have_text("0 s")
    expect(lag).to_contain_text(re.compile("at the last run, .+ ago"))


@pytest.mark.parametrize("status_code", [403, 404])
def test_the_overview_counts_what_its_reader_may_see(signed_in: Page, url: str, status_code: int) -> None:
    hidden = re.compile(r"/keys/tokens\?|/rejections|/audit\?")
    signed_in.route(hidden, lambda route: route.fulfill(status=status_code, json={"message": "Not for you."}))
    signed_in.goto(f"{url}?view=overview")
    cards = signed_in.locator(".card")
    expect(cards.filter(has_text="Open sessions now").locator(".number")).to_have_text(re.compile(r"^\d+$"))
    for name in ("Failed logins", "New tokens with every scope"):
        expect(cards.filter(has_text=name).locator(".number")).to_have_text("not counted")
    expect(cards.filter(has_text="Rejected events")).to_have_count(0)
    expect(signed_in.get_by_role("alert")).to_have_count(0)


def test_the_overview_counts_new_tokens_with_every_scope_beside_those_of_a_week_ago(signed_in: Page, url: str) -> None:
    now = signed_in.evaluate("Date.now()")
    day, week = 86_400_000, 7 * 86_400_000

    def token(made: int, end: int, *scopes: str) -> dict[str, Any]:
        created, expires = (datetime.fromtimestamp(time / 1_000, UTC).isoformat() for time in (made, end))
        return {"created_at": created, "expires_at": expires, "scopes": [*scopes]}

    tokens = [
        token(now - 1, now + day, "coder:all"),
        token(now - 1, now + day, "audit_log:read"),
        token(now - week - 1, now - day, "coder:all"),
        token(now - week - 1, now + day, "user:read", "coder:all"),
        token(now - week - 2 * day, now + day, "coder:all"),
        token(now - week + day, now + day, "coder:all"),
    ]
    signed_in.route(re.compile(r"/keys/tokens\?"), lambda route: route.fulfill(json=tokens))
    signed_in.goto(f"{url}?view=overview")
    new = signed_in.locator(".card").filter(has_text="New tokens with every scope")
    expect(new.locator(".number")).to_have_text("1")
    expect(new).to_contain_text("A week ago: 2")
    live = signed_in.locator(".card").filter(has_text="Live tokens with every scope")
    expect(live.locator(".number")).to_have_text("4")
