from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from chalice.app import CORSConfig

from app import app
from chalicelib.api import http
from chalicelib.api.application import Gatebook
from chalicelib.api.http import Answer, Call, Routes
from chalicelib.errors import NotFound
from chalicelib.settings import Settings, load
from scripts.gateway.events import proxy_event

if TYPE_CHECKING:
    from tests.api.conftest import Client

ORIGIN = "https://portal.example.com"
Decide = Callable[[str], None]


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Decide:
    def decide(origin: str) -> None:
        settings = load({"GATEBOOK_ALLOW_ORIGIN": origin})
        monkeypatch.setattr(http, "current", lambda: settings)

    return decide


def test_by_default_no_other_origin_is_let_in(client: Client) -> None:
    assert Settings().allow_origin == ""
    assert http.cors() is False
    assert all(entry.cors is None for methods in app.routes.values() for entry in methods.values())
    for path in ("/healthz", "/api/v2/users/me", "/nothing"):
        for method in ("GET", "OPTIONS", "PATCH"):
            reply = client.send(method, path, headers={"Origin": ORIGIN})
            assert not [name for name in reply.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:5173", "*"])
def test_the_one_origin_that_is_named_is_let_in(allow: Decide, origin: str) -> None:
    allow(origin)
    decided = http.cors()
    assert isinstance(decided, CORSConfig)
    headers = decided.get_access_control_headers()
    assert headers["Access-Control-Allow-Origin"] == origin
    assert {"Coder-Session-Token", "Content-Type"} <= set(headers["Access-Control-Allow-Headers"].split(","))
    exposed = {"X-Coder-Build-Version", "Coder-Session-Expires", "Link", "Gatebook-Kept-Since"}
    assert set(headers["Access-Control-Expose-Headers"].split(",")) == exposed
    assert headers["Access-Control-Max-Age"] == "600"
    # A cookie is never taken along: other origins bring their token in the header.
    assert "Access-Control-Allow-Credentials" not in headers


def test_answers_and_errors_carry_it_alike(allow: Decide) -> None:
    allow(ORIGIN)
    routes = Routes(__name__)

    @routes.view("/here")
    def here(_call: Call) -> Answer:
        return Answer({})

    @routes.view("/gone")
    def gone(_call: Call) -> Answer:
        raise NotFound

    made = Gatebook("toy", configure_logs=False)
    made.register_blueprint(routes)
    for path, status in (("/here", 200), ("/gone", 404)):
        answer = made(proxy_event("GET", path, headers={"Origin": ORIGIN}), None)
        assert answer["statusCode"] == status
        assert answer["headers"]["Access-Control-Allow-Origin"] == ORIGIN
