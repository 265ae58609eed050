"""Every view and state, in both colour schemes and at both ends of what screens there are: axe finds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rows, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page


def opened_connection(page: Page) -> None:
    expect(rows(page).first).to_be_visible()
    rows(page).filter(has_text="opened").first.get_by_role("button").click()


def opened_change(page: Page) -> None:
    rows(page).filter(has_text="updated organization member").get_by_role("button").click()
    expect(page.get_by_role("table", name="Changes")).to_be_visible()


def range_menu(page: Page) -> None:
    page.get_by_role("button", name="Range").click()
    expect(page.get_by_label("From", exact=True)).to_be_visible()


def preset_menu(page: Page) -> None:
    page.get_by_role("button", name="Presets").click()


def suggestions(page: Page) -> None:
    page.get_by_role("searchbox", name="Filter").press_sequentially("ty")
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()


def wrong_filter(page: Page) -> None:
    expect(page.get_by_role("alert")).to_be_visible()


def empty(page: Page) -> None:
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def mint_dialog(page: Page) -> None:
    page.get_by_role("button", name="Mint a token").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def dialog_of(name: str) -> Callable[[Page], None]:
    def reach(page: Page) -> None:
        page.get_by_role("button", name=f"{name}: serve_").click()
        expect(page.get_by_role("dialog")).to_be_visible()

    return reach


def secret_of_a_token(page: Page) -> None:
    page.get_by_role("button", name="Make a token").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("dialog").get_by_label("Token")).to_be_visible()


def keys_menu(page: Page) -> None:
    page.get_by_role("button", name="Keyboard").click()
    expect(page.get_by_role("switch", name="Single-key shortcuts")).to_be_visible()


def row_that_is_gone(page: Page) -> None:
    expect(page.get_by_text("The row of the link is not there")).to_be_visible()


def hold_dialog(page: Page) -> None:
    page.get_by_role("button", name="Place a hold").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def cards(page: Page) -> None:
    expect(page.locator(".card").first).to_be_visible()


def listing(page: Page) -> None:
    expect(page.get_by_role("table").first).to_be_visible()


def nothing_more(_page: Page) -> None:
    pass


STATES: dict[str, tuple[str, Callable[[Page], Any]]] = {
    "connections": ("view=connections", opened_connection),
    "audit": ("view=audit&q=resource_type:organization_member", opened_change),
    "range": ("view=connections", range_menu),
    "presets": ("view=audit", preset_menu),
    "suggestions": ("view=connections", suggestions),
    "wrong filter": ("view=audit&q=nonsense:1", wrong_filter),
    "empty": ("view=audit&q=username:nobody", empty),
    "tokens": ("view=tokens", listing),
    "minting": ("view=tokens", mint_dialog),
    "narrowing": ("view=tokens", dialog_of("Narrow")),
    "rotating": ("view=tokens", dialog_of("Rotate")),
    "expiring": ("view=tokens", dialog_of("Expire")),
    "retention": ("view=retention", listing),
    "holding": ("view=retention", hold_dialog),
    "overview": ("view=overview", cards),
    "command line": ("view=cli-auth", nothing_more),
    "secret": ("view=cli-auth", secret_of_a_token),
    "keyboard": ("view=connections", keys_menu),
    "row that is gone": ("view=audit&row=3f1c4e6a-0000-4000-8000-000000000000", row_that_is_gone),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(signed_in: Page, url: str, scheme: Any) -> None:
    signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for name, (query, reach) in STATES.items():
        signed_in.goto(f"{url}?{query}")
        expect(signed_in.get_by_role("heading", level=1)).to_be_visible()
        reach(signed_in)
        assert violations(signed_in) == [], f"{name}, {scheme}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_nobody_is_signed_in(page: Page, url: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(url)
    expect(page.get_by_label("Token", exact=True)).to_be_focused()
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, 768, 1_280, 3_840])
def test_nothing_is_wider_than_the_screen(signed_in: Page, url: str, width: int) -> None:
    signed_in.set_viewport_size({"width": width, "height": 900})
    for query, reach in (STATES["connections"], STATES["audit"], STATES["tokens"], STATES["overview"], STATES["range"]):
        signed_in.goto(f"{url}?{query}")
        reach(signed_in)
        wider = signed_in.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, f"{query} at {width}"


def test_the_focus_is_never_behind_the_head_of_the_page(signed_in: Page, url: str) -> None:
    signed_in.goto(f"{url}?view=connections")
    expect(rows(signed_in).first).to_be_visible()
    signed_in.evaluate("scrollTo({top: 900, behavior: 'instant'})")
    toggles = signed_in.locator(".toggle")
    toggles.nth(30).focus()
    for _ in range(12):
        signed_in.keyboard.press("Shift+Tab")
        # Rows are laid out as they come near, which may move what has the focus for a moment.
        signed_in.wait_for_function(
            "(() => { const focused = document.activeElement, box = focused.getBoundingClientRect();"
            " const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);"
            " return top && (focused.closest('header.top') || !top.closest('header.top')); })()"
        )


def test_a_change_is_told_apart_by_signs_as_well_as_by_colour(signed_in: Page, url: str) -> None:
    query, reach = STATES["audit"]
    signed_in.goto(f"{url}?{query}")
    reach(signed_in)
    expect(signed_in.locator(".diff .old .sign").first).to_have_text("\u2212")
    expect(signed_in.locator(".diff .new .sign").first).to_have_text("+")
    expect(signed_in.locator(".badge").first).to_have_text(re.compile(".+"))
