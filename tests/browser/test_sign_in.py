from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.conftest import sign_in, status

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from tests.local.served import Started


def test_a_pasted_token_opens_the_page_and_stays_nowhere(
    page: Page, context: BrowserContext, served: Started, url: str
) -> None:
    page.goto(url)
    field = page.get_by_label("Token", exact=True)
    expect(field).to_have_attribute("type", "password")
    page.evaluate("text => navigator.clipboard.writeText(text)", f" {served.token}\n")
    field.focus()
    page.keyboard.press("ControlOrMeta+V")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("table", name="Results")).to_be_visible()
    (cookie,) = context.cookies()
    assert cookie["name"] == "coder_session_token"
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert (cookie["sameSite"], cookie["path"]) == ("Strict", "/prod")
    assert served.token not in page.url
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert stored == '[{},{},""]'
    assert served.token not in page.content()


def test_a_token_that_opens_nothing_is_refused_in_words(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Token", exact=True).fill(f"{'a' * 10}-{'b' * 22}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("API key is invalid.")
    expect(page.get_by_label("Token", exact=True)).to_have_attribute("aria-invalid", "true")


def test_signing_out_ends_the_session_and_leaves_the_pasted_token_alive(
    page: Page, context: BrowserContext, served: Started, url: str
) -> None:
    sign_in(page, url, served.token)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token", exact=True)).to_be_visible()
    assert context.cookies() == []
    sign_in(page, url, served.token)
    expect(page.get_by_role("table", name="Results")).to_be_visible()


def test_a_link_that_a_colleague_sent_is_kept_over_signing_in(page: Page, served: Started, url: str) -> None:
    sign_in(page, f"{url}?view=audit&q=username%3Aken&last=7d&zone=local", served.token)
    expect(page.get_by_role("heading", name="Audit", level=1)).to_be_visible()
    expect(page.get_by_role("searchbox", name="Filter")).to_have_value("username:ken")
    expect(page.get_by_role("button", name="Range: Last 7 days, Europe/Berlin")).to_be_visible()


def test_a_browser_is_led_from_the_root_of_the_stage_to_the_page(page: Page, served: Started, url: str) -> None:
    page.goto(f"{served.url}/")
    assert page.url == url


def test_coder_login_is_shown_a_token_that_works(page: Page, served: Started) -> None:
    page.goto(f"{served.url}/cli-auth")
    sign_in(page, page.url, served.token)
    page.get_by_role("button", name="Make a token").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a token").click()
    key = page.get_by_role("dialog").get_by_label("Token").input_value()
    assert status(served, key, "users/me") == 200
