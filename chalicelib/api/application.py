"""The Chalice application, with the corners of its answers brought to the one error shape.

Chalice answers a wrong method and an unknown resource itself, in a shape of its own, before any view is asked.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from chalice.app import Chalice, Request

from chalicelib.api import request_log
from chalicelib.api.http import BODY_LEFT_OUT, answered_methods, error_response
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
        method, path = gateway.get("httpMethod") or "", gateway.get("resourcePath") or ""
        declared = self.routes.get(path, {})
        methods = answered_methods(declared)
        route = f"{method} {path}" if method in methods else request_log.UNMATCHED
        with request_log.logged(route, str(gateway.get("requestId") or "")) as notes:
            if not methods:
                answer = self._refused(NotFound("Route not found."))
            elif method not in methods:
                allowed = ", ".join(methods)
                detail = f"This route takes {allowed}."
                answer = self._refused(MethodNotAllowed("Method not allowed.", detail, headers={"Allow": allowed}))
            elif not _names_everything(path, event):
                answer = self._refused(NotFound("Route not found."))
            elif method not in declared:
                answer = _without_body(super().__call__(_as_get({**_ABSENT, **event}), context))
            else:
                answer = super().__call__({**_ABSENT, **event}, context)
            notes["status"] = answer["statusCode"]
        return answer

    def _refused(self, error: GatebookError) -> dict[str, Any]:
        answer: dict[str, Any] = error_response(error).to_dict(self.api.binary_types)
        return answer


_ABSENT: Mapping[str, None] = dict.fromkeys(
    ("body", "headers", "isBase64Encoded", "multiValueQueryStringParameters", "pathParameters", "stageVariables")
)
"""The fields that Chalice reads of every event, and that a hand-made event may lack."""


def _names_everything(path: str, event: Mapping[str, Any]) -> bool:
    """Whether an event has the parameters of the path of its route."""
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    given = event.get("pathParameters") or {}
    return all(isinstance(given.get(name), str) for name in names)


def _as_get(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a HEAD as that of the GET whose answer it asks about."""
    context = {**event["requestContext"], "httpMethod": "GET", BODY_LEFT_OUT: True}
    return {**event, "httpMethod": "GET", "requestContext": context}


def _without_body(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer to GET as one to HEAD: the same status and headers, and the length of the body in its place."""
    body = answer["body"]
    length = len(base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode())
    headers = {**answer["headers"], "Content-Length": str(length)}
    return {**answer, "headers": headers, "body": "", "isBase64Encoded": False}
