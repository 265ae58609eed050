"""The common part of all views: a view takes one `Call`, returns one `Answer`, and raises errors.

`Routes.view` puts the gate before a view and the one error shape behind it. Serialisation is done here and not left to
Chalice, whose own happens after all error handling. The body is JSON as Go's encoder writes it, newline included, with
`<`, `>` and `&` escaped, so that no answer can be taken for HTML.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import unquote

from chalice.app import Blueprint, CORSConfig, Request, Response

from chalicelib.access.proxies import client_address
from chalicelib.errors import BadRequest, GatebookError, MethodNotAllowed
from chalicelib.models.sending import json_text
from chalicelib.settings import current
from chalicelib.store.dynamodb.deadline import ends_by
from chalicelib.version import BUILD_VERSION

RESPONSE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Coder-Build-Version": BUILD_VERSION,
    "X-Content-Type-Options": "nosniff",
}
"""On every response of the service, whatever became of the request."""

_JSON = "application/json; charset=utf-8"
_REQUEST_HEADERS = ("Coder-Session-Token", "Content-Type", "Idempotency-Key")
_ANSWER_HEADERS = ["X-Coder-Build-Version", "Coder-Session-Expires", "Link", "Gatebook-Kept-Since"]

_log = logging.getLogger(__name__)


class Encoded(NamedTuple):
    """JSON text that is ready to be sent, from a view that had to know how long it is."""

    text: str


class Answer(NamedTuple):
    """The answer of a view: a JSON value (None for no body, a str for plain text), a status, and headers of its own."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """The status alone: a body may hold a secret that no other answer has."""
        return f"Answer({self.status})"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as views look at it."""

    request: Request = field(repr=False)

    @property
    def body(self) -> bytes:
        """The body as it was sent.

        Raises:
            BadRequest: an event that is not the gateway's own holds no base64, or no text.
        """
        try:
            raw = self.request.raw_body
            return raw if isinstance(raw, bytes) else raw.encode()
        except ValueError as error:
            raise BadRequest("The request body cannot be read.", "It is neither base64 nor text.") from error

    @property
    def method(self) -> str:
        """The method, in capitals."""
        method: str = self.request.method
        return method

    @property
    def route(self) -> str:
        """The method and the path as the route declares it."""
        return f"{self.method} {self.request.context.get('resourcePath') or ''}"

    def require_body_wanted(self) -> None:
        """Refuse a HEAD, for a view that gives away by its answer what it does not give twice.

        Raises:
            MethodNotAllowed: the client asks for the headers alone.
        """
        if self.request.context.get(BODY_LEFT_OUT):
            raise MethodNotAllowed("Method not allowed.", "This route takes GET.", headers={"Allow": "GET"})

    def header(self, name: str) -> str:
        """A header by name, whatever its case; empty when it was not sent.

        Half a pair of surrogates, of which no gateway makes any, is a question mark: what is stored is UTF-8.
        """
        value: str = self.request.headers.get(name, "")
        return value.encode(errors="replace").decode()

    def query(self, name: str) -> str:
        """The first value of a query parameter; empty when it was not sent."""
        parameters = self.request.query_params
        values: Sequence[str] = parameters.getlist(name) if parameters and name in parameters else ()
        return values[0] if values else ""

    @property
    def query_values(self) -> Mapping[str, Sequence[str]]:
        """Every query parameter with all of its values."""
        parameters = self.request.query_params
        return {name: parameters.getlist(name) for name in parameters} if parameters else {}

    @property
    def source_ip(self) -> str:
        """The address of the client: the one that the gateway was called from, or what a trusted proxy says."""
        identity: Mapping[str, str] = self.request.context.get("identity") or {}
        forwarded = map(self.header, current().proxy_trusted_headers)
        return client_address(identity.get("sourceIp") or "", forwarded, current().proxy_trusted_origins)

    @property
    def request_id(self) -> str:
        """The gateway's id of this request, a UUID."""
        return str(self.request.context.get("requestId") or "")

    @property
    def remaining_seconds(self) -> float:
        """How long there is to answer before API Gateway does."""
        context: Any = self.request.lambda_context
        if context is None:
            return _GATEWAY_SECONDS
        milliseconds: float = context.get_remaining_time_in_millis()
        return min(milliseconds / 1000, _GATEWAY_SECONDS)


BODY_LEFT_OUT = "bodyLeftOut"
"""Of the context of a request: whether it came as HEAD."""

_GATEWAY_SECONDS = 29.0
_ANSWERING_SECONDS = 0.5
"""Kept back of the time that there is, for what is left to do after the last call."""


class Routes(Blueprint):
    """A blueprint whose views take a `Call` and answer with an `Answer`."""

    def view(self, path: str, methods: Sequence[str] = ("GET",)) -> Callable[[Callable[..., Answer]], Any]:
        """Register a view; path parameters reach it as keyword arguments, percent-decoded."""

        def register(view: Callable[..., Answer]) -> Any:  # noqa: ANN401 - what Chalice makes of it
            @wraps(view)
            def handler(**parameters: str) -> Response:
                call = Call(self.current_request)
                # However slow the store is, the gateway gets an answer: no call begins that may come too late.
                with ends_by(time.monotonic() + call.remaining_seconds - _ANSWERING_SECONDS):
                    return respond(lambda: view(call, **{name: unquote(value) for name, value in parameters.items()}))

            return self.route(path, methods=list(methods), content_types=["*/*"], cors=cors())(handler)

        return register


def answered_methods(declared: Collection[str]) -> list[str]:
    """The methods that a path answers: those that are declared, and HEAD wherever there is GET; sorted.

    HEAD is not declared to API Gateway: its any-method hands it on, and a method more for each path would be two
    kilobytes of template.
    """
    return sorted({*declared, "HEAD"} if "GET" in declared else declared)


def encoded(value: Any) -> Encoded:  # noqa: ANN401 - any JSON value
    """A value as the JSON that is sent."""
    return Encoded(json_text(value))


def respond(view: Callable[[], Answer]) -> Response:
    """The response of a view, or of what it raised."""
    try:
        answer = view()
        return _response(answer.body, answer.status, answer.headers)
    except GatebookError as error:
        return error_response(error)
    except Exception:  # noqa: BLE001 - it is logged whole, and no input may give a stack trace
        # The last resort: the client hears that it is our fault, the log hears everything.
        _log.exception("A view failed")
        return _response({"message": "An internal server error occurred."}, 500, {})


def error_response(error: GatebookError) -> Response:
    """The response that an error is answered with."""
    return _response(error.body(), error.status, error.headers)


def cors() -> CORSConfig | bool:
    """The one decision about cross-origin calls: none, unless the deployment names an origin."""
    origin = current().allow_origin
    if not origin:
        return False
    return CORSConfig(
        allow_origin=origin,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_ANSWER_HEADERS,
        max_age=600,
    )


def _response(body: Any, status: int, headers: Mapping[str, str]) -> Response:  # noqa: ANN401 - any JSON value
    if body is None:
        return Response(body="", status_code=status, headers={**RESPONSE_HEADERS, **headers})
    if isinstance(body, str):
        return Response(
            body=body,
            status_code=status,
            headers={**RESPONSE_HEADERS, "Content-Type": "text/plain; charset=utf-8", **headers},
        )
    text = body.text if isinstance(body, Encoded) else encoded(body).text
    return Response(
        body=text + "\n",
        status_code=status,
        headers={**RESPONSE_HEADERS, "Content-Type": _JSON, **headers},
    )
