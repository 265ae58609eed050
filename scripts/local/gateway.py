"""The rules of API Gateway between a read request and the app: events in, answers out, and no sockets.

They are those of a REST API with Lambda proxy integration: the shape of events and answers, 10 MB bodies, compressed
requests and answers, CORS preflights made from the routes. What the gateway refuses itself it refuses in the one JSON
error shape, and no exception of the app ever reaches a client.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import re
import sys
import traceback
import zlib
from collections.abc import Mapping
from contextlib import suppress
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from chalice.app import Chalice
from chalice.local import LambdaContext, RouteMatcher

from chalicelib.errors import BadRequest, GatebookError, NotFound, TooLarge

MAX_BODY_BYTES = 10 * 1024 * 1024
COMPRESS_ABOVE_BYTES = 1024
TIME_BUDGET_MS = 29_000

_STAGE = "local"
_JSON = "application/json; charset=utf-8"
_ZLIB_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
# The gateway takes these in and writes its own; neither side sees the other's.
_REQUEST_HEADERS_CONSUMED = frozenset({"content-encoding", "expect", "transfer-encoding"})
_ANSWER_HEADERS_REPLACED = frozenset({"connection", "content-length", "date", "transfer-encoding"})


class UnsupportedCoding(GatebookError):
    """The body is compressed in a way the gateway does not know."""

    status = 415


class Answer(NamedTuple):
    """What goes back to a client: status, headers in order, and the whole body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def decompressed(body: bytes, coding: str) -> bytes:
    """The body without its `Content-Encoding`.

    Raises:
        UnsupportedCoding: the coding is none of gzip, deflate and identity.
        BadRequest: the body is not what the coding says, or is cut short.
        TooLarge: it would be more than 10 MB; no more than that is ever held.
    """
    coding = coding.strip().lower()
    if not body or coding in ("", "identity"):
        return body
    if coding not in _ZLIB_WINDOWS:
        raise UnsupportedCoding("Unsupported content encoding.", "Send gzip, deflate or no Content-Encoding at all.")
    plain = bytearray()
    while body:
        stream = zlib.decompressobj(_ZLIB_WINDOWS[coding])
        try:
            plain += stream.decompress(body, MAX_BODY_BYTES - len(plain) + 1)
        except zlib.error as error:
            raise BadRequest(f"The request body is not valid {coding}.") from error
        if len(plain) > MAX_BODY_BYTES:
            raise too_large()
        if not stream.eof:
            raise BadRequest(f"The request body is not valid {coding}.", "It is cut short.")
        body = stream.unused_data
    return bytes(plain)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header admits gzip: named or by `*`, and not with `q=0`."""
    for entry in accept_encoding.lower().split(","):
        coding, _, weight = entry.partition(";")
        if coding.strip() in ("gzip", "*"):
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None
    return False


def too_large() -> TooLarge:
    """What a body over the limit is refused with."""
    return TooLarge("Request body too large.", f"A request carries at most {MAX_BODY_BYTES} bytes.")


def _proxy_body(body: bytes, content_type: str, binary_types: list[str]) -> dict[str, Any]:
    if not body:
        return {"body": None, "isBase64Encoded": False}
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in binary_types and "*/*" not in binary_types:
        with suppress(UnicodeDecodeError):
            return {"body": body.decode(), "isBase64Encoded": False}
    return {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True}


def _answer_body(response: Mapping[str, Any]) -> bytes:
    body = response.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError(f"The body is {type(body).__name__}: Lambda sends text, and bytes only as base64.")
    return base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()


def _answer(response: Mapping[str, Any], accept_encoding: str) -> Answer:
    """The proxy integration's answer as HTTP. Anything the gateway would not accept raises."""
    status, body = int(response["statusCode"]), _answer_body(response)
    if not http.client.OK <= status <= 599:  # noqa: PLR2004 - the last status there is
        raise ValueError(f"{status} is not the status of an answer.")
    merged = {name.lower(): (name, [value]) for name, value in (response.get("headers") or {}).items()}
    merged |= {name.lower(): (name, values) for name, values in (response.get("multiValueHeaders") or {}).items()}
    headers = [
        (name, str(value))
        for key, (name, values) in merged.items()
        if key not in _ANSWER_HEADERS_REPLACED
        for value in values
    ]
    if body and "content-type" not in merged:
        headers.append(("Content-Type", "application/json"))
    if any(re.search(r"[^\t\x20-\x7e\x80-\xff]", name + value) for name, value in headers):
        raise ValueError("A header holds a character that HTTP cannot carry.")
    if len(body) > COMPRESS_ABOVE_BYTES and "content-encoding" not in merged and accepts_gzip(accept_encoding):
        body = gzip.compress(body, compresslevel=6, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    return Answer(status, headers, body)


class Gateway:
    """From a read request to the app and back: the part of the gateway that knows events, and no sockets."""

    def __init__(self, app: Chalice, own_headers: Mapping[str, str]) -> None:
        self._app = app
        self._own_headers = own_headers
        self._matcher = RouteMatcher(list(app.routes))

    def refusal(self, error: GatebookError) -> Answer:
        """What the gateway answers of its own accord."""
        headers = {**self._own_headers, **error.headers, "Content-Type": _JSON}
        return Answer(
            error.status, list(headers.items()), json.dumps(error.body(), separators=(",", ":")).encode() + b"\n"
        )

    def answer(self, method: str, target: str, headers: Message[str, str], body: bytes, source_ip: str) -> Answer:
        """What the app answers to a request, or why it was not asked."""
        path, _, query = re.sub(r"^https?://[^/?]*", "", target, flags=re.IGNORECASE).partition("?")
        try:
            # RouteMatcher parses an address: these two would end the path there, and do not end it in a gateway.
            resource = self._matcher.match_route(path.replace(";", "%3B").replace("#", "%23"))
        except ValueError:
            return self.refusal(NotFound("Route not found."))
        methods = self._app.routes[resource.route]
        if method == "OPTIONS" and method not in methods:
            return Answer(http.client.OK, [*self._own_headers.items(), *self._preflight(resource.route)], b"")
        names = next(iter(methods.values())).view_args
        # RouteMatcher also leaves in what it captured on routes that did not match in the end.
        parameters = {name: resource.captured[name] for name in names}
        context = LambdaContext(self._app.app_name, memory_size=1024, max_runtime_ms=TIME_BUDGET_MS)
        values: dict[str, list[str]] = {}
        for name, value in headers.items():
            if name.lower() not in _REQUEST_HEADERS_CONSUMED:
                values.setdefault(name.lower(), []).append(value)
        queries = parse_qs(query, keep_blank_values=True)
        event = {
            "resource": resource.route,
            "path": path,
            "httpMethod": method,
            "headers": {name: given[-1] for name, given in values.items()},
            "multiValueHeaders": values,
            "queryStringParameters": {name: given[-1] for name, given in queries.items()} or None,
            "multiValueQueryStringParameters": queries or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": resource.route,
                "path": path,
                "httpMethod": method,
                "stage": _STAGE,
                "requestId": context.aws_request_id,
                "identity": {"sourceIp": source_ip, "userAgent": values.get("user-agent", [None])[-1]},
            },
            **_proxy_body(body, values.get("content-type", [""])[-1], self._app.api.binary_types),
        }
        try:
            return _answer(self._app(event, context), ",".join(values.get("accept-encoding", [])))
        except Exception:  # noqa: BLE001 - nobody else would hear of it, and the client must not
            traceback.print_exc(file=sys.stderr)
            return self.refusal(GatebookError("An internal server error occurred."))

    def _preflight(self, route: str) -> list[tuple[str, str]]:
        entries = self._app.routes[route]
        allowed = [method for method, entry in entries.items() if entry.cors is not None]
        if not allowed:
            return [("Access-Control-Allow-Methods", "OPTIONS")]
        cors = entries[allowed[0]].cors.get_access_control_headers()
        return [*cors.items(), ("Access-Control-Allow-Methods", ",".join([*allowed, "OPTIONS"]))]
