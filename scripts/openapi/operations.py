"""Every operation, by the route of the application that it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app import app
from scripts.openapi import (
    directory_operations,
    log_operations,
    notification_operations,
    platform_operations,
    service_operations,
    workspace_operations,
)
from scripts.openapi.operation import Operation

OPERATIONS: Mapping[str, Operation] = {
    **service_operations.OPERATIONS,
    **directory_operations.OPERATIONS,
    **log_operations.OPERATIONS,
    **platform_operations.OPERATIONS,
    **notification_operations.OPERATIONS,
    **workspace_operations.OPERATIONS,
}
"""Method and path of each route -> what it takes and answers."""

UNDECLARED = """{route} is not in the OpenAPI document.
Add to OPERATIONS in scripts/openapi/{{log,directory,platform,notification,workspace,service}}_operations.py:

    "{route}": Operation({{200: <Shape>JSON}}, body=Body(<Model>), query=("limit",)),

<Shape>JSON is a TypedDict of chalicelib/models (TypedDict from typing_extensions) with every field of the answer, those
that are not always there as NotRequired. Parameters have their names in scripts/openapi/parameters.py.
Then: python -m scripts.docs.reference"""


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of each route, in the order of the paths."""
    for path, methods in sorted(app.routes.items()):
        for method in sorted(methods):
            yield method, path


def undeclared() -> list[str]:
    """The routes that no operation is declared for."""
    return [route for method, path in routes() if (route := f"{method} {path}") not in OPERATIONS]


def operation_id(route: str) -> str:
    """The name of an operation, made of its method and path alone: what the code calls it may change."""
    return "_".join(re.findall(r"[a-z0-9]+", route.lower().replace("/api/v2", "")))
