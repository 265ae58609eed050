"""A browser in front of a served instance with the sample: Debian's Chromium, driven by Playwright.

The instance is a process of its own and is served under the stage `prod`, as API Gateway does it. After each test there
must have been no violation of the page's policy and no error in its scripts.
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from scripts.local.sample import sample_id
from tests.local.served import Started, started

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
ZONE = "Europe/Berlin"
STAGE = "prod"
_LISTEN = (
    "addEventListener('securitypolicyviolation', e => console.error('policy:', e.violatedDirective, e.blockedURI))"
)
# What the browser says of any answer of 400 and above is no error of the page.
_EXPECTED = re.compile(r"Failed to load resource: .*|net::ERR_FAILED")

_LONGEST_SECONDS = 1_800
_PATIENCE_MS = 30_000
"""For a machine that has other things to do; nothing waits longer than it must."""

expect.set_options(timeout=_PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium these tests are skipped, and said to be; in CI they fail."""
    if CHROMIUM.exists() or os.environ.get("CI"):
        return
    skip = pytest.mark.skip(reason="browser tests need Chromium: apt-get install chromium")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def served() -> Iterator[Started]:
    with started("--stage", STAGE, seconds=_LONGEST_SECONDS) as service:
        yield service


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="en-GB", timezone_id=ZONE, viewport={"width": 1280, "height": 900})
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    made.set_default_timeout(_PATIENCE_MS)
    made.add_init_script(_LISTEN)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that is not signed in; nothing of it may go wrong unseen."""
    made = context.new_page()
    wrong: list[str] = []
    made.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: wrong.append(str(error)))
    yield made
    assert [text for text in wrong if not _EXPECTED.match(text)] == []


@pytest.fixture
def url(served: Started) -> str:
    """The address of the page."""
    return f"{served.url}/ui"


@pytest.fixture
def signed_in(page: Page, served: Started, url: str) -> Page:
    """A page that the owner is signed in to."""
    sign_in(page, url, served.token)
    return page


def sign_in(page: Page, url: str, token: str) -> None:
    page.goto(url)
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Connections", exact=True)).to_be_visible()


def violations(page: Page) -> list[str]:
    """The violations of WCAG 2.2 AA by axe, each with its place."""
    # By evaluating and not by a script element, which the page's policy forbids.
    page.evaluate(AXE)
    violated: dict[str, Any] = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in violated["violations"]
        for node in one["nodes"]
    ]


def results(page: Page) -> Any:
    return page.get_by_role("table", name="Results")


def rows(page: Page) -> Any:
    """The rows of events: not the head, not the names of days, not what is opened."""
    return page.locator(".line")


@pytest.fixture
def send_event(served: Started) -> Callable[..., None]:
    """Sends a connection event of this moment to the served instance; what is given replaces fields."""

    def send(**changes: Any) -> None:
        event = {
            "time": datetime.now(UTC).isoformat(),
            "connection_status": "connected",
            "connection_id": str(uuid4()),
            "organization_id": sample_id("organization", "acme"),
            "workspace_owner_id": sample_id("user", "linus"),
            "workspace_id": str(uuid4()),
            "workspace_name": "browsed",
            "agent_name": "main",
            "type": "ssh",
            "ip": "192.0.2.77",
            **changes,
        }
        _post(served, "connectionlog", event)

    return send


@pytest.fixture
def send_audit(served: Started) -> Callable[..., None]:
    """Sends an audit event of this moment; what is given replaces fields."""

    def send(**changes: Any) -> None:
        event = {
            "time": datetime.now(UTC).isoformat(),
            "user_id": sample_id("user", "linus"),
            "organization_id": sample_id("organization", "acme"),
            "resource_type": "template",
            "resource_id": str(uuid4()),
            "resource_target": "browsed",
            "action": "write",
            "status_code": 200,
            **changes,
        }
        _post(served, "audit", event)

    return send


def _post(served: Started, log: str, event: dict[str, Any]) -> None:
    result = sent(served, log, event)
    assert result["status"] != "rejected", result


def sent(served: Started, log: str, event: dict[str, Any]) -> dict[str, Any]:
    """The result of an event, sent without the browser, whose cookie would come first."""
    headers = {"Coder-Session-Token": served.token, "Content-Type": "application/json"}
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{served.url}/api/v2/{log}", json.dumps([event]).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - as above
        (result,) = json.load(reply)["results"]
    return dict(result)


def status(served: Started, key: str, path: str) -> int:
    """The answer of the API to a token, asked without the browser, whose cookie would come first."""
    request = urllib.request.Request(f"{served.url}/api/v2/{path}", headers={"Coder-Session-Token": key})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - our own server
            code: int = reply.status
    except urllib.error.HTTPError as error:
        code = error.code
    return code
