"""Registers a table of routes with the application: a view is imported when the first of its requests comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from chalicelib.api.http import Answer, Call, Routes
from chalicelib.routes import Route


def blueprint(table: Iterable[Route]) -> Routes:
    """A blueprint with every route of a table."""
    routes = Routes(__name__)
    for route in table:
        routes.view(route.path, methods=[route.method])(_imported_at_first(route))
    return routes


def view(route: Route) -> Callable[..., Any]:
    """The function that answers a route."""
    function: Callable[..., Any] = getattr(import_module(f"chalicelib.{route.module}"), route.function)
    return function


def _imported_at_first(route: Route) -> Callable[..., Answer]:
    def answer(call: Call, **parameters: str) -> Answer:
        answered: Answer = view(route)(call, **parameters)
        return answered

    answer.__name__ = f"{route.module}_{route.function}".replace(".", "_")
    return answer
