"""Nothing that a log contains can act: it is text, it ends where it ends, and it can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rows, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

Send = Callable[..., None]

MARKUP = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
OVERRIDE = "\u202e"
LONG = "n" * 2_000
NAME = "n" * 10_000
ID_OR_TIME = r"[0-9a-f]{8}-|\d{4}-\d\d-"
KEPT = ("type", "action", "resource_type", "description", "ip")
"""Words and addresses, which an event cannot have as it likes."""
FIELD = "x" * 65_536


@pytest.mark.parametrize("text", [MARKUP, "javascript:window.hurt=1", "{{constructor.constructor('window.hurt=1')()}}"])
def test_markup_is_text(signed_in: Page, url: str, send_event: Send, text: str) -> None:
    workspace = str(uuid4())
    send_event(
        workspace_id=workspace, workspace_name=text, agent_name=text, type="workspace_app", slug_or_port=text, code=200
    )
    signed_in.goto(f"{url}?view=connections&q=workspace_id:{workspace}")
    expect(rows(signed_in)).to_contain_text(text)
    rows(signed_in).get_by_role("button").click()
    expect(signed_in.locator(".details")).to_contain_text(text)
    assert signed_in.evaluate("window.hurt") is None
    assert signed_in.locator(".line img, .details img, .line script").count() == 0
    assert signed_in.locator("a[href^='javascript:']").count() == 0


def test_a_mark_that_turns_the_direction_is_named_and_ends_with_its_text(
    signed_in: Page, url: str, send_event: Send
) -> None:
    workspace = str(uuid4())
    send_event(workspace_id=workspace, workspace_name=f"safe{OVERRIDE}evil")
    signed_in.goto(f"{url}?view=connections&q=workspace_id:{workspace}")
    name = rows(signed_in).locator("bdi").filter(has_text="safe")
    expect(name).to_have_text("safeU+202Eevil")
    expect(name.locator(".unseen")).to_have_text("U+202E")
    assert OVERRIDE not in rows(signed_in).inner_text()


def test_what_is_long_is_cut_until_the_reader_asks_for_all_of_it(signed_in: Page, url: str, send_audit: Send) -> None:
    target = str(uuid4())
    before, after = {"name": "a", "description": "short"}, {"name": "a", "description": FIELD}
    send_audit(resource_id=target, resource_target=LONG, old=before, new=after)
    signed_in.goto(f"{url}?view=audit&q=resource_id:{target}")
    expect(rows(signed_in)).to_contain_text("…")
    assert len(rows(signed_in).inner_text()) < 400
    rows(signed_in).get_by_role("button").click()
    new = signed_in.locator(".diff .new")
    assert new.evaluate("node => node.innerText.length") < 1_000
    new.get_by_text("Show all 65,536 characters").click()
    assert new.evaluate("node => node.innerText.length") > 65_536
    wider = signed_in.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0
    assert violations(signed_in) == []


@pytest.mark.parametrize(
    "query",
    [
        "view=constructor",
        "view=__proto__&zone=toString",
        "view=connections&last=constructor",
        "view=audit&last=__proto__",
        "view=connections&from=%2B275760-09-13T00:00:00.000Z",
        "view=connections&from=9999-12-31T23:59:59.999Z",
        "view=audit&from=-271821-04-20T00:00:00.000Z&to=0000-01-01",
        "view=connections&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "view=connections&size=Infinity&own=constructor",
        "view=audit&row=..%2F..%2Fusers",
        "view=connections&row=%00",
        "view=connections&q=%22",
        "view=audit&q=constructor:__proto__",
        f"view=connections&q={'(' * 3_000}",
    ],
)
def test_an_address_of_any_kind_shows_a_view_that_can_be_left(signed_in: Page, url: str, query: str) -> None:
    signed_in.goto(f"{url}?{query}")
    expect(signed_in.get_by_role("heading", level=1)).to_be_visible()
    expect(signed_in.locator(".line, .notice, .problems").first).to_be_visible()
    signed_in.get_by_role("link", name="Overview", exact=True).click()
    expect(signed_in.locator(".card").first).to_be_visible()
    signed_in.get_by_role("link", name="Audit", exact=True).click()
    expect(rows(signed_in).first).to_be_visible()


def test_a_word_that_scripts_know_is_a_word(signed_in: Page, url: str) -> None:
    fields = {"build_reason": "constructor", "workspace_name": "toString"}
    answer = signed_in.request.get(f"{url.removesuffix('/ui')}/api/v2/audit?limit=1").json()
    (row,) = answer["audit_logs"]
    row |= {
        "resource_type": "workspace_build",
        "action": "valueOf",
        "description": "toString",
        "additional_fields": fields,
    }

    def fulfil(route: Route) -> None:
        route.fulfill(json=answer)

    signed_in.route(re.compile(r"/api/v2/audit\?"), fulfil)
    signed_in.goto(f"{url}?view=audit")
    expect(rows(signed_in)).to_contain_text("toString")
    expect(rows(signed_in)).to_contain_text("constructor")
    assert "native code" not in rows(signed_in).inner_text()


def lengthened(value: Any) -> Any:
    """A value of an answer with every name and text in it as long as none should be."""
    if isinstance(value, dict):
        return {name: one if name in KEPT else lengthened(one) for name, one in value.items()}
    if isinstance(value, list):
        return [lengthened(one) for one in value]
    return NAME if isinstance(value, str) and value and not re.match(ID_OR_TIME, value) else value


@pytest.mark.parametrize(("view", "log"), [("connections", "connectionlog"), ("audit", "audit")])
def test_names_of_ten_thousand_characters_stay_within_the_screen(
    signed_in: Page, url: str, view: str, log: str
) -> None:
    answer = signed_in.request.get(f"{url.removesuffix('/ui')}/api/v2/{log}?limit=20").json()
    body = lengthened(answer)

    def fulfil(route: Route) -> None:
        route.fulfill(json=body)

    signed_in.route(re.compile(rf"/api/v2/{log}\?"), fulfil)
    for width in (320, 1_280):
        signed_in.set_viewport_size({"width": width, "height": 900})
        signed_in.goto(f"{url}?view={view}")
        rows(signed_in).first.get_by_role("button").click()
        expect(signed_in.locator(".opened")).to_contain_text("Show all 10,000 characters")
        assert len(rows(signed_in).first.inner_text()) < 1_000
        assert signed_in.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(signed_in) == [], width


def test_a_secret_is_shown_as_bullets(signed_in: Page, url: str, send_audit: Send) -> None:
    target = str(uuid4())
    send_audit(resource_id=target, diff={"hashed_password": {"old": "", "new": "", "secret": True}})
    signed_in.goto(f"{url}?view=audit&q=resource_id:{target}")
    rows(signed_in).get_by_role("button").click()
    expect(signed_in.locator(".diff .new")).to_contain_text("\u2022\u2022\u2022")
