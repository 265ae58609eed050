"""Routes whose views are imported when the first of their requests comes: what is rare is no part of a cold start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple

from chalicelib.api.http import Answer, Call, Routes


class Later(NamedTuple):
    """One route: its method, its path below that of the table, and where in `chalicelib.api` its view is."""

    method: str
    path: str
    module: str
    function: str


LATER: dict[str, Later] = {}
"""Every such route there is: method and path -> where its view is."""


def blueprint(table: Sequence[Later], below: str = "/api/v2") -> Routes:
    """A blueprint with every route of a table, whose paths are below another one."""
    routes = Routes(__name__)
    for route in table:
        LATER[f"{route.method} {below}{route.path}"] = route
        routes.view(f"{below}{route.path}", methods=[route.method])(_view(route))
    return routes


def _view(route: Later) -> Callable[..., Answer]:
    def view(call: Call, **parameters: str) -> Answer:
        answer: Callable[..., Answer] = getattr(import_module(f"chalicelib.api.{route.module}"), route.function)
        return answer(call, **parameters)

    view.__name__ = f"{route.module}_{route.function}"
    return view
