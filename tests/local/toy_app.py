"""A Chalice app that shows what reached it and misbehaves in each way that an app can, and a client to ask it with."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from chalice.app import Chalice, CORSConfig, Response

from scripts.gateway.application import Gateway
from scripts.local.server import LocalServer, listen

BOTH_ARRIVED = threading.Barrier(2)
ENTERED, MAY_FINISH = threading.Event(), threading.Event()
CONTENT_TYPES = [
    "application/json",
    "application/x-ndjson",
    "application/octet-stream",
    "text/plain",
    "multipart/form-data",
]
APP = Chalice("toy", configure_logs=False)


def event() -> dict[str, Any]:
    request = APP.current_request
    assert request is not None
    original: dict[str, Any] = request.to_original_event()
    return original


@APP.route("/event", methods=["GET", "POST"], content_types=CONTENT_TYPES)
def show_event() -> dict[str, Any]:
    return event()


@APP.route("/users/{user}/keys/{key}", methods=["GET"])
def show_key(user: str, key: str) -> dict[str, Any]:
    return {"user": user, "key": key, "parameters": event()["pathParameters"], "route": event()["resource"]}


@APP.route("/users/{user}/keys/tokens", methods=["GET"])
def show_tokens(user: str) -> dict[str, Any]:
    return {"user": user, "parameters": event()["pathParameters"], "route": event()["resource"]}


@APP.route("/users/{name}", methods=["GET"])
def show_user(name: str) -> dict[str, Any]:
    return {"name": name, "parameters": event()["pathParameters"]}


@APP.route("/size", methods=["POST"], content_types=CONTENT_TYPES)
def show_size() -> dict[str, int]:
    assert APP.current_request is not None
    return {"bytes": len(APP.current_request.raw_body)}


@APP.route("/letters/{count}", methods=["GET"])
def letters(count: str) -> Response:
    return Response("x" * int(count), {"Content-Type": "text/plain"})


@APP.route("/headers", methods=["GET"])
def headers() -> Response:
    return Response("ok", {"X-One": "1", "Set-Cookie": ["a=1", "b=2"], "Content-Length": "99"}, status_code=201)


@APP.route("/head", methods=["HEAD"])
def head() -> Response:
    return Response("", {"Content-Length": "1234"})


@APP.route("/nothing", methods=["DELETE"])
def nothing() -> Response:
    return Response("", status_code=204)


@APP.route("/binary", methods=["GET"])
def binary() -> Response:
    return Response(b"\x00\xff", {"Content-Type": "application/octet-stream"})


@APP.route("/bytes", methods=["GET"])
def plain_bytes() -> Response:
    return Response(b"text", {"Content-Type": "text/plain"})


@APP.route("/split", methods=["GET"])
def split_header() -> Response:
    return Response("", {"X-Name": "a\rSet-Cookie: stolen"})


@APP.route("/unserialisable", methods=["GET"])
def unserialisable() -> Response:
    return Response({"secret": object()})


@APP.route("/meet", methods=["GET"])
def meet() -> dict[str, Any]:
    BOTH_ARRIVED.wait(10)
    return {}


@APP.route("/slow", methods=["GET"])
def slow() -> dict[str, bool]:
    ENTERED.set()
    MAY_FINISH.wait(10)
    return {"finished": True}


@APP.route("/time", methods=["GET"])
def remaining() -> dict[str, Any]:
    return {"id": APP.lambda_context.aws_request_id, "ms": APP.lambda_context.get_remaining_time_in_millis()}


@APP.route("/cors", methods=["GET", "PUT"], cors=CORSConfig(allow_origin="https://portal.example", max_age=60))
def with_cors() -> dict[str, Any]:
    return {}


@APP.route("/own-options", methods=["OPTIONS"])
def own_options() -> dict[str, bool]:
    return {"own": True}


@contextmanager
def served(
    app: Chalice, own_headers: Mapping[str, str] | None = None, host: str = "127.0.0.1", **more: Any
) -> Iterator[LocalServer]:
    server = LocalServer(Gateway(app, own_headers or {}, **more), listen(host, 0))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def port_of(server: LocalServer) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


def ask(
    client: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    client.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = client.getresponse()
    return response, response.read()


def ask_json(
    client: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, **headers: str
) -> Any:
    response, text = ask(client, method, path, body, **headers)
    assert response.status == 200, text
    return json.loads(text)


def raw(server: LocalServer, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are on a connection of their own; the one answer on it."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as connection:
        connection.sendall(data)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def assert_refused(answer: tuple[int, dict[str, str], bytes], status: int, message: str | None = None) -> None:
    got, headers, body = answer
    assert got == status, body
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    shape = json.loads(body)
    assert body == json.dumps(shape, separators=(",", ":")).encode() + b"\n"
    assert set(shape) <= {"message", "detail"}
    assert message is None or shape["message"] == message
    assert b"Traceback" not in body


def post(body_head: bytes, body_tail: bytes = b"") -> bytes:
    return b"POST /size HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n" + body_head + b"\r\n\r\n" + body_tail
