"""Nothing that a log contains can act: it is text, it ends where it ends, and it can be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rows, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

Send = Callable[..., None]

MARKUP = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
OVERRIDE = "\u202e"
LONG = "n" * 2_000
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


def test_a_secret_is_shown_as_bullets(signed_in: Page, url: str, send_audit: Send) -> None:
    target = str(uuid4())
    send_audit(resource_id=target, diff={"hashed_password": {"old": "", "new": "", "secret": True}})
    signed_in.goto(f"{url}?view=audit&q=resource_id:{target}")
    rows(signed_in).get_by_role("button").click()
    expect(signed_in.locator(".diff .new")).to_contain_text("\u2022\u2022\u2022")
