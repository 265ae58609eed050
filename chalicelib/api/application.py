"""The Chalice application, with the corners of its answers brought to the one error shape.

Chalice answers a wrong method and an unknown resource itself, in a shape of its own, before any view is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from chalice.app import Chalice, Request

from chalicelib.api import request_log
from chalicelib.api.http import error_response
from chalicelib.errors import GatebookError, MethodNotAllowed, NotFound

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
        gateway: Mapping[str, Any] = event.get("requestContext") or {}
        method, path = gateway.get("httpMethod", ""), gateway.get("resourcePath", "")
        methods = self.routes.get(path, {})
        route = f"{method} {path}" if method in methods else request_log.UNMATCHED
        with request_log.logged(route, str(gateway.get("requestId") or "")) as notes:
            if not methods:
                answer = self._refused(NotFound("Route not found."))
            elif method not in methods:
                allowed = ", ".join(sorted(methods))
                detail = f"This route takes {allowed}."
                answer = self._refused(MethodNotAllowed("Method not allowed.", detail, headers={"Allow": allowed}))
            else:
                answer = super().__call__(event, context)
            notes["status"] = answer["statusCode"]
        return answer

    def _refused(self, error: GatebookError) -> dict[str, Any]:
        answer: dict[str, Any] = error_response(error).to_dict(self.api.binary_types)
        return answer
