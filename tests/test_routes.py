"""The table of routes: each leads to its view, and is registered with Chalice."""

from __future__ import annotations

import inspect
from collections import Counter

import pytest

from app import app
from chalicelib.api.views import view
from chalicelib.routes import ROUTES, Route


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_leads_to_a_view_that_takes_the_parameters_of_its_path(route: Route) -> None:
    taken = [name.lstrip("_") for name in inspect.signature(view(route)).parameters]
    named = [part.strip("{}") for part in route.path.split("/") if part.startswith("{")]
    assert view(route).__doc__
    assert taken in (["call", *named], ["call", "caller", *named])


def test_chalice_has_the_routes_of_the_table_and_no_others() -> None:
    registered = Counter((method, path) for path, methods in app.routes.items() for method in methods)
    assert registered == Counter((route.method, route.path) for route in ROUTES)
