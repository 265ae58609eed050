from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest

from app import app
from chalicelib.ui import assets
from chalicelib.ui.page import CONTENT_SECURITY_POLICY
from scripts.gateway.events import Origin, proxy_event

if TYPE_CHECKING:
    from tests.api.conftest import Client

HTML = {"Accept": "text/html,application/xhtml+xml"}
STAGE = "https://gatebook.example.com/prod/"
"""The stage of the tests' gateway: every path begins with it, and the page does not know it."""


def test_a_browser_is_led_to_the_page(client: Client) -> None:
    reply = client.get("/", headers=HTML)
    assert (reply.status, reply.headers["location"]) == (303, "/prod/ui")


@pytest.mark.parametrize("accept", ["", "application/json", "*/*"])
def test_to_any_other_client_there_is_nothing_at_the_root(client: Client, accept: str) -> None:
    reply = client.get("/", headers={"Accept": accept})
    assert (reply.status, reply.text) == (404, '{"message":"Route not found."}\n')


def test_coder_login_opens_the_view_that_shows_a_token(client: Client) -> None:
    reply = client.get("/cli-auth")
    assert (reply.status, reply.headers["location"]) == (303, "/prod/ui?view=cli-auth")


@pytest.mark.parametrize(
    ("origin", "path", "led_to"),
    [
        (Origin("prod"), "/", "/prod/ui"),
        (Origin("prod"), "/cli-auth", "/prod/ui?view=cli-auth"),
        (Origin("dev", is_own_domain=True), "/", "/ui"),
        (Origin("dev", is_own_domain=True), "/cli-auth", "/ui?view=cli-auth"),
    ],
)
def test_the_way_to_the_page_is_right_under_a_stage_and_on_a_domain(origin: Origin, path: str, led_to: str) -> None:
    assert app(proxy_event("GET", path, headers=HTML, origin=origin), None)["headers"]["Location"] == led_to


@pytest.mark.parametrize(
    "base", ["//evil.example", "///evil.example", "/\\evil.example", "/\t/evil.example", "/\r\nX-Y: 1", "/a;b"]
)
@pytest.mark.parametrize("route", ["/", "/cli-auth"])
def test_no_path_leads_to_another_host(base: str, route: str) -> None:
    event = proxy_event("GET", f"{base}{route}", route=route, headers=HTML, origin=Origin(is_own_domain=True))
    location = app(event, None)["headers"]["Location"]
    assert urlsplit(urljoin("https://gatebook.example.com/", location)).netloc == "gatebook.example.com"
    assert re.fullmatch(r"/[A-Za-z0-9.%:/-]*ui(\?view=cli-auth)?", location)
    assert not location.startswith("//")


def test_the_document_is_served_to_everybody_under_a_strict_policy(client: Client) -> None:
    reply = client.get("/ui")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    for part in ("default-src 'none'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"):
        assert part in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_all_that_the_document_names_is_there_for_ever(client: Client) -> None:
    named = re.findall(r'(?:href|src)="([^"]+)"', client.get("/ui").text)
    assert len(named) == 5
    for reference in named:
        path = urljoin(f"{STAGE}ui", reference).removeprefix(STAGE.rstrip("/"))
        reply = client.get(path)
        assert reply.status == 200, path
        assert "immutable" in reply.headers["cache-control"]
        assert reply.headers["content-type"] in assets.MEDIA_TYPES.values()


@pytest.mark.parametrize(
    "path", ["/ui/0000000000000000/page.js", "/ui/{version}/nothing.js", "/ui/{version}/lock.json"]
)
def test_a_file_of_another_version_or_none_is_not_there(client: Client, path: str) -> None:
    assert client.get(path.replace("{version}", assets.version())).status == 404


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e%2fapp.py", "..%2F..%2Fapp.py", "index.html", "app.js"])
def test_no_path_leads_out_of_the_page(client: Client, name: str) -> None:
    assert client.get(f"/ui/{assets.version()}/{name}").status == 404
