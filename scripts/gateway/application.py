"""API Gateway and Lambda in front of a Chalice app, as one WSGI application.

The rules are those of a REST API with Lambda proxy integration: the shape of events and answers, the limits of both
services, compressed requests and answers, CORS preflights made from the routes, and the stage in the path. What the
gateway refuses itself it refuses in the one JSON error shape, and no exception of the app ever reaches a client.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import re
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment
from wsgiref.util import is_hop_by_hop

from chalice.app import Chalice
from chalice.local import LambdaContext, RouteMatcher

from chalicelib.errors import GatebookError
from scripts.gateway import limits, refusals
from scripts.gateway.codings import accepts_gzip, decompressed
from scripts.gateway.events import Origin, passed_on, proxy_event

_JSON = "application/json; charset=utf-8"
_LAST_STATUS = 599
# The gateway takes these in and writes its own; neither side sees the other's.
_REQUEST_HEADERS_CONSUMED = frozenset({"content-encoding", "expect", "transfer-encoding"})


class Answer(NamedTuple):
    """The answer to a client: status, headers in order, and the whole body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Gateway:
    """A WSGI application that hands each request to a Chalice app as an event.

    The server has to give `REQUEST_URI`, the target as it was sent.

    Args:
        app: the Chalice app, with all its routes.
        own_headers: headers of the answers that the gateway makes itself.
        stage: the stage that paths begin with, `prod` for `/prod/healthz`; without one they begin at the root, as
            behind a domain of one's own.
        max_seconds: from the event to the answer; what takes longer is answered 504.
    """

    def __init__(
        self, app: Chalice, own_headers: Mapping[str, str], stage: str = "", max_seconds: float = limits.MAX_SECONDS
    ) -> None:
        self._app = app
        self._own_headers = own_headers
        self._stage = stage
        self._max_seconds = max_seconds
        self._matcher = RouteMatcher(list(app.routes))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        try:
            answer = self._answer(environ)
        except GatebookError as error:
            answer = self.refusal(error)
        reason = http.client.responses.get(answer.status, "")
        headers = answer.headers
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status} {reason}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def refusal(self, error: GatebookError) -> Answer:
        """An answer of the gateway itself."""
        headers = {**self._own_headers, **error.headers, "Content-Type": _JSON}
        body = json.dumps(error.body(), separators=(",", ":")).encode() + b"\n"
        return Answer(error.status, list(headers.items()), body)

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        method, headers = environ["REQUEST_METHOD"], _headers(environ)
        body = _body(environ)
        target = re.sub(r"^https?://[^/?]*", "", environ["REQUEST_URI"], flags=re.IGNORECASE)
        path, _, query = target.partition("?")
        if self._stage:
            prefix, path = path[: len(self._stage) + 1], path[len(self._stage) + 1 :]
            if prefix != f"/{self._stage}" or not path.startswith("/"):
                return self.refusal(refusals.FORBIDDEN)
        try:
            # RouteMatcher parses an address. These two would end the path there, and do not end it in a gateway; and
            # two slashes would begin with the name of a host.
            resource = self._matcher.match_route("//gateway" + path.replace(";", "%3B").replace("#", "%23"))
        except ValueError:
            return self.refusal(refusals.NO_ROUTE)
        methods = self._app.routes[resource.route]
        if method == "OPTIONS" and method not in methods:
            return Answer(http.client.OK, [*self._own_headers.items(), *self._preflight(resource.route)], b"")
        names = next(iter(methods.values())).view_args
        event = proxy_event(
            method,
            path,
            passed_on(body, headers.get("content-type", ""), self._app.api.binary_types),
            route=resource.route,
            # RouteMatcher also leaves in what it captured on routes that did not match in the end.
            parameters={name: resource.captured[name] for name in names},
            query=parse_qs(query, keep_blank_values=True),
            headers={name: value for name, value in headers.items() if name not in _REQUEST_HEADERS_CONSUMED},
            origin=Origin(self._stage or "local", environ["REMOTE_ADDR"], is_own_domain=not self._stage),
        )
        if limits.event_bytes(event) > limits.MAX_EVENT_BYTES:
            return self.refusal(refusals.too_large())
        return self._invoke(event, headers.get("accept-encoding", ""))

    def _invoke(self, event: Mapping[str, Any], accept_encoding: str) -> Answer:
        context = LambdaContext(self._app.app_name, memory_size=1024, max_runtime_ms=int(self._max_seconds * 1_000))
        began = time.monotonic()
        try:
            response = self._app(event, context)
            if limits.answer_bytes(response) > limits.MAX_ANSWER_BYTES:
                raise ValueError(f"An answer has at most {limits.MAX_ANSWER_BYTES} bytes as JSON.")  # noqa: TRY301 - told as any failure of the function
            answer = _answer_of(response, event["httpMethod"], accept_encoding)
        except Exception:  # noqa: BLE001 - nobody else would hear of it, and the client must not
            traceback.print_exc(file=sys.stderr)
            return self.refusal(refusals.FUNCTION_FAILED)
        return answer if time.monotonic() - began <= self._max_seconds else self.refusal(refusals.TOO_LATE)

    def _preflight(self, route: str) -> list[tuple[str, str]]:
        entries = self._app.routes[route]
        allowed = [method for method, entry in entries.items() if entry.cors is not None]
        if not allowed:
            return [("Access-Control-Allow-Methods", "OPTIONS")]
        cors = entries[allowed[0]].cors.get_access_control_headers()
        return [*cors.items(), ("Access-Control-Allow-Methods", ",".join([*allowed, "OPTIONS"]))]


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    sent = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    sent |= {name: environ[name] for name in ("CONTENT_LENGTH", "CONTENT_TYPE") if name in environ}
    return {name.replace("_", "-").lower(): value for name, value in sent.items()}


def _body(environ: WSGIEnvironment) -> bytes:
    sent = environ["wsgi.input"].read()
    if len(sent) > limits.MAX_BODY_BYTES:
        raise refusals.too_large()
    return decompressed(sent, environ.get("HTTP_CONTENT_ENCODING", ""))


def _answer_of(response: Mapping[str, Any], method: str, accept_encoding: str) -> Answer:
    """The proxy integration's answer as HTTP. Anything that the gateway would not accept raises."""
    status, body = int(response["statusCode"]), _answer_body(response)
    if not http.client.OK <= status <= _LAST_STATUS:
        raise ValueError(f"{status} is not the status of an answer.")
    merged = {name.lower(): (name, [value]) for name, value in (response.get("headers") or {}).items()}
    merged |= {name.lower(): (name, values) for name, values in (response.get("multiValueHeaders") or {}).items()}
    # In an answer to HEAD the length is that of the body which GET would bring.
    replaced = {"date"} if method == "HEAD" and not body else {"content-length", "date"}
    headers = [
        (name, str(value))
        for key, (name, values) in merged.items()
        if key not in replaced and not is_hop_by_hop(key)
        for value in values
    ]
    if body and "content-type" not in merged:
        headers.append(("Content-Type", "application/json"))
    if any(re.search(r"[^\t\x20-\x7e\x80-\xff]", name + value) for name, value in headers):
        raise ValueError("A header holds a character that HTTP cannot carry.")
    if len(body) > limits.COMPRESS_ABOVE_BYTES and "content-encoding" not in merged and accepts_gzip(accept_encoding):
        body = gzip.compress(body, compresslevel=6, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    return Answer(status, headers, body)


def _answer_body(response: Mapping[str, Any]) -> bytes:
    body = response.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError(f"The body is {type(body).__name__}: Lambda sends text, and bytes only as base64.")
    return base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
