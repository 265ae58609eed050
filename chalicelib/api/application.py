"""The Chalice application, with the corners of its answers brought to the one error shape.

Chalice answers a wrong method and an unknown resource itself, in a shape of its own, before any view is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from chalice.app import Chalice, Request

from chalicelib.api.http import error_response
from chalicelib.errors import MethodNotAllowed, NotFound

_current_request: ContextVar[Request | None] = ContextVar("current_request", default=None)


class Gatebook(Chalice):
    """A Chalice application that may serve several requests at once: each thread sees its own."""

    @property
    def current_request(self) -> Request | None:
        """The request that this thread is serving."""
        return _current_request.get()

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        _current_request.set(request)

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Answer an API Gateway proxy event."""
        gateway = event.get("requestContext") or {}
        methods = self.routes.get(gateway.get("resourcePath", ""))
        if methods is None:
            refused = error_response(NotFound("Route not found."))
        elif gateway.get("httpMethod") not in methods:
            allowed = ", ".join(sorted(methods))
            refused = error_response(
                MethodNotAllowed("Method not allowed.", f"This route takes {allowed}.", headers={"Allow": allowed})
            )
        else:
            answer: dict[str, Any] = super().__call__(event, context)
            return answer
        return refused.to_dict(self.api.binary_types)
